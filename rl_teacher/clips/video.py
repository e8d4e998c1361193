"""Clips as video files, webm (VP9) and mp4 (H.264), where this machine can render.

Rendering runs in a process of its own, because a missing or broken OpenGL may end the whole process instead of
raising. `render_videos` starts it; `python -m rl_teacher.clips.video FOLDER` is that process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PLATFORMS = {"darwin": ("cgl",), "win32": ("wgl",)}.get(sys.platform, ("egl", "osmesa"))
"""Ways of drawing without a display, in the order in which they are tried."""
INSTALL = (
    "No video was made: OpenGL without a display is not available here. "
    "On Debian or Ubuntu install it with: apt-get install libegl1 libopengl0 libgl1-mesa-dri"
)
SIZE = 400
"""Width and height of a video, pixels."""
_ENDINGS = (".webm", ".mp4")
_SECONDS_TO_PROBE = 60.0
_LOG = logging.getLogger(__name__)


def render_videos(model: Any, sim: np.ndarray, fps: float, out_stem: Path) -> list[Path] | str:
    """Draw simulator states as `<out_stem>.webm` and `<out_stem>.mp4`.

    Args:
        model: mujoco.MjModel.
        sim: (F, S) simulator states, qpos then qvel.
        fps: Frames per second.
        out_stem: Where to, without the ending; its folder is made if missing.

    Returns:
        The files, the one that plays everywhere first; or one line that says what to install.
    """
    out_stem.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rl-teacher-video-") as name:
        folder = Path(name)
        _write_order(folder, model, sim, fps)
        for platform in _platforms():
            reason = _run(folder, platform, seconds=_SECONDS_TO_PROBE + 0.5 * len(sim))
            if reason is None:
                return [_move(folder / f"clip{end}", out_stem.with_name(out_stem.name + end)) for end in _ENDINGS]
            _LOG.debug("rendering with %s failed: %s", platform, reason)
    return INSTALL


def _platforms() -> Sequence[str]:
    """What the user set in MUJOCO_GL is taken at its word."""
    chosen = os.environ.get("MUJOCO_GL")
    return (chosen,) if chosen else PLATFORMS


def _write_order(folder: Path, model: Any, sim: np.ndarray, fps: float) -> None:
    import mujoco

    mj: Any = mujoco  # a C extension without type stubs
    mj.mj_saveModel(model, str(folder / "model.mjb"), None)
    np.savez(folder / "order.npz", sim=sim, fps=np.float64(fps))


def _run(folder: Path, platform: str, seconds: float) -> str | None:
    """Render in a process of its own; what went wrong, or None."""
    # LP_NUM_THREADS=0: Mesa's software renderer must not take the cores that the simulator works on.
    env = {**os.environ, "MUJOCO_GL": platform, "LP_NUM_THREADS": "0"}
    env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    command = [sys.executable, "-m", "rl_teacher.clips.video", str(folder)]
    try:  # in that folder, because MuJoCo writes its warnings to a file where it stands
        done = subprocess.run(
            command,
            env=env,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            start_new_session=True,  # a Ctrl-C is for the run, which may want to end in good order and be filmed
        )
    except subprocess.TimeoutExpired:
        return f"took more than {seconds:.0f} s"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return f"exit code {done.returncode}: {lines[-1] if lines else 'no message'}"


def _move(made: Path, wanted: Path) -> Path:
    """Into place in one step, across file systems too."""
    beside = wanted.with_name(f".{wanted.name}.part")
    beside.write_bytes(made.read_bytes())
    return beside.replace(wanted)


# From here on: what the other process does.


def main(folder: Path) -> None:
    """Render the order that lies in `folder` and leave clip.webm and clip.mp4 there."""
    if hasattr(os, "nice"):
        os.nice(10)  # training goes on beside it and comes first
    import mujoco

    mj: Any = mujoco
    model = mj.MjModel.from_binary_path(str(folder / "model.mjb"))
    with np.load(folder / "order.npz", allow_pickle=False) as order:
        sim, fps = order["sim"], float(order["fps"])
    with contextlib.ExitStack() as stack:
        films = [stack.enter_context(_Film(folder / f"clip{end}", fps)) for end in _ENDINGS]
        for frame in _frames(mj, model, sim):
            for film in films:
                film.add(frame)


def _frames(mj: Any, model: Any, sim: np.ndarray) -> Iterator[np.ndarray]:
    """Pictures (SIZE, SIZE, 3) uint8, in quick quality: no shadows, reflections or multisampling."""
    from rl_teacher.clips.camera import camera, follows, tracked

    model.vis.quality.offsamples = 0
    model.vis.quality.shadowsize = 0
    model.vis.global_.offwidth = max(model.vis.global_.offwidth, SIZE)
    model.vis.global_.offheight = max(model.vis.global_.offheight, SIZE)
    view, axes, geoms = camera(model), follows(model), tracked(model)
    eye = mj.MjvCamera()
    eye.distance, eye.azimuth, eye.elevation = view["distance"], view["azimuth"], view["elevation"]
    data = mj.MjData(model)
    with mj.Renderer(model, SIZE, SIZE) as renderer:
        for state in sim:
            data.qpos[:], data.qvel[:] = state[: model.nq], state[model.nq :]
            mj.mj_forward(model, data)
            eye.lookat = view["lookat"]
            for axis in range(len(axes) if axes != "none" else 0):
                eye.lookat[axis] = data.geom_xpos[geoms, axis].mean()
            renderer.update_scene(data, eye)
            renderer.scene.flags[mj.mjtRndFlag.mjRND_SHADOW] = 0
            renderer.scene.flags[mj.mjtRndFlag.mjRND_REFLECTION] = 0
            yield renderer.render()


class _Film:
    """One video file in the making."""

    _CODECS = {  # noqa: RUF012
        ".webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "33", "b": "0"}, {}),
        ".mp4": ("libx264", {"preset": "veryfast", "crf": "23"}, {"movflags": "faststart"}),
    }

    def __init__(self, path: Path, fps: float) -> None:
        from fractions import Fraction

        import av

        codec, options, container_options = self._CODECS[path.suffix]
        self._container = av.open(str(path), "w", options=container_options)
        self._stream: Any = self._container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        self._stream.options = options
        self._stream.width = self._stream.height = SIZE
        self._stream.pix_fmt = "yuv420p"

    def add(self, picture: np.ndarray) -> None:
        import av

        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> _Film:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
