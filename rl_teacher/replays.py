"""What people see of the agent's own play: a replay drawn from poses by the page, and video files beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl_teacher.clips.video import render_videos
from rl_teacher.desk import Desk

VIDEO_STEPS = 400
"""Frames of a video file: 10 to 40 s."""
VIDEO_EVERY_SECONDS = 60.0
"""One of them takes some 4 s of a core: on the way no more often than this."""


@dataclass
class Replays:
    """Shows how the agent plays now, whenever it is looked at and at the end."""

    desk: Desk
    play: Callable[[], np.ndarray]
    """One episode of the present policy without exploration: simulator states (F, S). Asked where it can be drawn."""
    fps: float
    folder: Path | None
    """Where video files go; None: none are made."""
    why_not: str | None
    """What to tell where no film can be made; None as long as nothing is known against it."""
    say: Callable[[str], None]
    """Tells a line."""
    _last: tuple[int, np.ndarray] | None = None
    _making: _Film | None = None
    _begun_at: float | None = None

    def show(self, step: int, true_return: float | None) -> None:
        """Put a replay of the policy at this step of the run before people, and now and then film it."""
        if not self.desk.can_draw:
            return
        sim = self._episode(step)
        self.desk.show(sim, step, true_return)
        due = self._begun_at is None or time.monotonic() - self._begun_at > VIDEO_EVERY_SECONDS
        if self.folder is not None and self.why_not is None and due and self._making is None:
            self._begun_at = time.monotonic()
            self._making = _Film(self.desk, sim, self.fps, self.folder / f"step-{step:09d}")

    def attend(self) -> None:
        """Tell of a film that has come out meanwhile; where none can be made, say so and try no more."""
        if self._making is None or self._making.made is None:
            return
        made, self._making = self._making.made, None
        if isinstance(made, str):
            self.why_not = made
            self.say(made)
        else:
            self.say(f"Videos: {', '.join(str(path) for path in made)}")

    def last(self, step: int) -> None:
        """Film the final policy, and tell of it or of what is missing."""
        if self.folder is None:
            return
        if self._making is not None:
            self._making.join()
            self.attend()
        elif self.why_not is not None:
            self.say(self.why_not)
        if self.why_not is None:
            self._making = _Film(self.desk, self._episode(step), self.fps, self.folder / "agent")
            self._making.join()
            self.attend()

    def _episode(self, step: int) -> np.ndarray:
        if self._last is None or self._last[0] != step:
            self._last = step, self.play()
        return self._last[1]


class _Film(threading.Thread):
    """Video files in the making: a process of its own does it, at low priority; this thread waits for that."""

    def __init__(self, desk: Desk, sim: np.ndarray, fps: float, stem: Path):
        super().__init__(daemon=True)  # a run that is ended at once does not wait for a film
        self._order = desk.model, sim[:VIDEO_STEPS], fps, stem
        self.made: list[Path] | str | None = None
        """None while it is in the making."""
        self.start()

    def run(self) -> None:
        """Make it."""
        try:
            self.made = render_videos(*self._order)
        except Exception as error:  # the thread's end: whatever it was is told by the run
            self.made = f"No video was made: {error!r}"
