"""Where a run's seconds go."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PHASES = ("collect", "learn", "reward_fit", "query", "stage", "eval", "wait")
"""What is timed; the rest of the run is "other"."""

NOT_TEACHING = ("eval", "wait")
"""Phases left out of steps per second."""


class Stopwatch:
    """Adds up seconds by phase, over all starts of a run.

    Args:
        before: What `seconds` gave when the run was last saved.
    """

    def __init__(self, before: Mapping[str, float] | None = None):
        self._phases = {name: float((before or {}).get(name, 0.0)) for name in PHASES}
        self._earlier = sum((before or {}).values())
        self._began = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the seconds within under `name`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds that somebody else measured."""
        self._phases[name] += seconds

    def elapsed(self) -> float:
        """All seconds of the run so far."""
        return self._earlier + time.perf_counter() - self._began

    def teaching(self) -> float:
        """Seconds without evaluation and waiting."""
        return max(self.elapsed() - sum(self._phases[name] for name in NOT_TEACHING), 1e-9)

    def seconds(self) -> dict[str, float]:
        """By phase, "other" included; they add up to `elapsed`."""
        return {**self._phases, "other": max(0.0, self.elapsed() - sum(self._phases.values()))}
