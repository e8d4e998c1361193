"""Films of a MuJoCo body, drawn by MuJoCo itself, where this machine can draw.

Drawing runs in a process of its own, because a missing or broken OpenGL may end the whole process instead of raising.
`Studio` starts it and keeps it; `clips/darkroom.py` is what it runs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rl_teacher.clips.film import ENDINGS, Films
from rl_teacher.errors import UserError

PLATFORMS = {"darwin": ("cgl",), "win32": ("wgl",)}.get(sys.platform, ("egl", "osmesa"))
"""Ways of drawing without a display, in the order in which they are tried."""
INSTALL = (
    "No video was made: OpenGL without a display is not available here. "
    "On Debian or Ubuntu install it with: apt-get install libegl1 libopengl0 libgl1-mesa-dri"
)
SIZE = 400
"""Width and height of a run's video files, pixels."""
_SECONDS_TO_START = 60.0
_LOG = logging.getLogger(__name__)


class NoStudioError(UserError):
    """This machine cannot draw; the message is one line that says what to install."""


def render_videos(model: Any, sim: np.ndarray, fps: float, out_stem: Path) -> list[Path] | str:
    """Draw simulator states as `<out_stem>.webm` and `<out_stem>.mp4`.

    Args:
        model: mujoco.MjModel.
        sim: (F, S) simulator states, as in `Segment.sim`.
        fps: Frames per second.
        out_stem: Where to, without the ending; its folder is made if missing.

    Returns:
        The files, the one that plays everywhere first; or one line that says what to install.
    """
    with contextlib.closing(Studio(model, SIZE, SIZE)) as studio:
        try:
            return write_films(studio.film(fps, sim=sim), out_stem)
        except NoStudioError as error:
            return str(error)


def write_films(films: Films, out_stem: Path) -> list[Path]:
    """Films as files `<out_stem>.webm` and `<out_stem>.mp4`, each put in place in one step."""
    out_stem.parent.mkdir(parents=True, exist_ok=True)
    made = []
    for media_type, data in films.items():
        wanted = out_stem.with_name(out_stem.name + ENDINGS[media_type])
        beside = wanted.with_name(f".{wanted.name}.part")
        beside.write_bytes(data)
        made.append(beside.replace(wanted))
    return made


class Studio:
    """A process that draws one body, started by the first film and kept for the next.

    Args:
        model: mujoco.MjModel.
        width: Of the pictures, pixels.
        height: Of the pictures, pixels.
    """

    def __init__(self, model: Any, width: int, height: int) -> None:
        self._model = model
        self._size = (width, height)
        self._process: _Process | None = None

    def open(self) -> None:
        """Start now, to know whether anything can be drawn here.

        Raises:
            NoStudioError: If not.
        """
        self._process = self._process or self._start()

    def film(self, fps: float, **states: np.ndarray) -> Films:
        """Films of these states.

        Args:
            fps: Frames per second.
            states: Either `sim`, (F, S) simulator states as in `Segment.sim`; or `poses`, (F, G, 7) as `poses.poses`
                has them.

        Raises:
            NoStudioError: If nothing can be drawn here.
        """
        self.open()
        process = self._process
        if process is None:
            raise NoStudioError(INSTALL)
        n_frames = len(next(iter(states.values())))
        reason = process.order(fps, states, seconds=_SECONDS_TO_START + 0.5 * n_frames)
        if reason is not None:
            self.close()
            _LOG.warning("drawing failed: %s", reason)
            raise NoStudioError(INSTALL)
        return process.films()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.close()
        self._process = None

    def _start(self) -> _Process:
        for platform in _platforms():
            process = _Process(self._model, platform, *self._size)
            reason = process.heard(_SECONDS_TO_START)
            if reason is None:
                return process
            process.close()
            _LOG.debug("drawing with %s failed: %s", platform, reason)
        raise NoStudioError(INSTALL)


def _platforms() -> Sequence[str]:
    """What the user set in MUJOCO_GL is taken at its word."""
    chosen = os.environ.get("MUJOCO_GL")
    return (chosen,) if chosen else PLATFORMS


class _Process:
    """The darkroom: gets a line for each film and says one when it is done."""

    def __init__(self, model: Any, platform: str, width: int, height: int) -> None:
        import mujoco

        mj: Any = mujoco  # a C extension without type stubs
        self._home = tempfile.TemporaryDirectory(prefix="rl-teacher-video-")
        self._folder = Path(self._home.name)
        mj.mj_saveModel(model, str(self._folder / "model.mjb"), None)
        # LP_NUM_THREADS=0: Mesa's software renderer must not take the cores that the simulator works on.
        env = {**os.environ, "MUJOCO_GL": platform, "LP_NUM_THREADS": "0"}
        env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        with (self._folder / "errors").open("w") as errors:
            self._child = subprocess.Popen(  # noqa: S603 - our own module, numbers and a folder of ours
                [sys.executable, "-m", "rl_teacher.clips.darkroom", str(self._folder), str(width), str(height)],
                env=env,
                cwd=self._folder,  # MuJoCo writes its warnings to a file where it stands
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # a Ctrl-C is for the run, which may want to end in good order and be filmed
            )
        self._lines: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def order(self, fps: float, states: dict[str, np.ndarray], seconds: float) -> str | None:
        """Have a film made; what went wrong, or None."""
        arrays: dict[str, Any] = {"fps": np.float64(fps), **states}
        np.savez(self._folder / "order.npz", **arrays)
        if self._child.stdin is None:
            return "it has no ear"
        try:
            self._child.stdin.write("film\n")
            self._child.stdin.flush()
        except OSError as error:
            return f"it is gone ({error})"
        return self.heard(seconds)

    def films(self) -> Films:
        """What was made."""
        return {media_type: (self._folder / f"clip{end}").read_bytes() for media_type, end in ENDINGS.items()}

    def heard(self, seconds: float) -> str | None:
        """Wait for its word; what went wrong, or None."""
        try:
            if self._lines.get(timeout=seconds):
                return None
        except queue.Empty:
            return f"took more than {seconds:.0f} s"
        lines = (self._folder / "errors").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with exit code {self._child.wait()}"

    def close(self) -> None:
        """End it and remove its folder."""
        self._child.kill()
        self._child.wait()
        self._listener.join()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was written to it last is of no interest any more
                    pipe.close()
        self._home.cleanup()

    def _listen(self) -> None:
        for line in self._child.stdout or ():
            self._lines.put(line)
        self._lines.put("")  # it is gone
