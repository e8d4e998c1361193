"""What people see of the agent's own play: a replay on the page, and video files beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rl_teacher.clips.making import Maker
from rl_teacher.desk import Desk
from rl_teacher.trajectory import Trajectory

VIDEO_STEPS = 400
"""Frames of a video file: 10 to 40 s."""
VIDEO_EVERY_SECONDS = 60.0
"""One of them takes some 4 s of a core: on the way no more often than this."""


@dataclass
class Replays:
    """Shows how the agent plays now, whenever it is looked at and at the end."""

    desk: Desk
    play: Callable[[], Trajectory]
    """One episode of the present policy without exploration. Asked where it can be shown."""
    folder: Path | None
    """Where video files go; None: none are made."""
    why_not: str | None
    """What to tell where no film can be made; None as long as nothing is known against it."""
    say: Callable[[str], None]
    """Tells a line."""
    _last: tuple[int, Trajectory] | None = None
    _making: _Film | None = None
    _begun_at: float | None = None

    def show(self, step: int, true_return: float | None) -> None:
        """Put a replay of the policy at this step of the run before people, and now and then film it."""
        if not self.desk.can_show:
            return
        played = self._episode(step)
        self.desk.show(played, step, true_return)
        due = self._begun_at is None or time.monotonic() - self._begun_at > VIDEO_EVERY_SECONDS
        if self.folder is not None and self.why_not is None and due and self._making is None:
            self._begun_at = time.monotonic()
            self._making = _Film(self.desk.maker, played, self.folder / f"step-{step:09d}")

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
            self._making = _Film(self.desk.maker, self._episode(step), self.folder / "agent")
            self._making.join()
            self.attend()

    def _episode(self, step: int) -> Trajectory:
        if self._last is None or self._last[0] != step:
            self._last = step, self.play()
        return self._last[1]


class _Film(threading.Thread):
    """Video files in the making: a process of its own does it, at low priority; this thread waits for that."""

    def __init__(self, maker: Maker | None, played: Trajectory, stem: Path):
        super().__init__(daemon=True)  # a run that is ended at once does not wait for a film
        self._maker, self._played, self._stem = maker, played, stem
        self.made: list[Path] | str | None = None
        """None while it is in the making."""
        self.start()

    def run(self) -> None:
        """Make it."""
        try:
            if self._maker is not None:
                self.made = self._maker.films(self._played, VIDEO_STEPS, self._stem)
        except Exception as error:  # the thread's end: whatever it was is told by the run
            self.made = f"No video was made: {error!r}"
