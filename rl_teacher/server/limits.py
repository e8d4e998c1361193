"""How often somebody may ask. Generous: what a person, or a class behind one address, does never meets a limit."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_KEYS = 10_000
"""Whoever asks under ever new names takes no more memory than this."""


class Buckets:
    """A budget of calls for each key, which fills again as time goes on.

    Args:
        rate: Calls a second in the long run.
        burst: Calls that may come at once.
        clock: Seconds; passed in so that tests can turn it.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take one call; returns 0.0, or the seconds to wait where the budget is spent and nothing was taken."""
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(key, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._rate)
            wait = 0.0 if left >= 1.0 else (1.0 - left) / self._rate
            self._left[key] = (left if wait else left - 1.0, now)
            if len(self._left) > MOST_KEYS:
                self._left.popitem(last=False)
            return wait


@dataclass(frozen=True)
class Limits:
    """What one server allows."""

    requests: Buckets = field(default_factory=lambda: Buckets(rate=100.0, burst=1000))
    """By token. A person who answers 100 times a minute makes about ten requests a second."""
    guesses: Buckets = field(default_factory=lambda: Buckets(rate=1.0, burst=200))
    """Wrong tokens by address. A class that opens a link which is over makes one or two each."""
