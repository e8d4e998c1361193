"""The process that draws a MuJoCo body: `python -m rl_teacher.clips.darkroom FOLDER WIDTH HEIGHT`.

`FOLDER` holds the model. For each line on standard input the order that lies there is drawn, the films are left beside
it, and a line is said on standard output. `clips/video.py` is the other side.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from rl_teacher.clips.camera import camera, follows, tracked
from rl_teacher.clips.film import ENDINGS, encode
from rl_teacher.clips.poses import visible
from rl_teacher.furniture import Furniture

_mj: Any = mujoco


class Darkroom:
    """Draws in quick quality: no shadows, reflections or multisampling.

    Args:
        model: mujoco.MjModel.
        width: Of the pictures, pixels.
        height: Of the pictures, pixels.
    """

    def __init__(self, model: Any, width: int, height: int) -> None:
        model.vis.quality.offsamples = 0
        model.vis.quality.shadowsize = 0
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, height)
        self.renderer: Any = _mj.Renderer(model, height, width)
        self._model = model
        self._data = _mj.MjData(model)
        self._furniture = Furniture(model)
        self._view, self._axes, self._followed = camera(model), follows(model), tracked(model)
        self._eye = _mj.MjvCamera()
        for name in ("distance", "azimuth", "elevation"):
            setattr(self._eye, name, self._view[name])

    def of_states(self, sim: np.ndarray) -> Iterator[np.ndarray]:
        """Pictures (H, W, 3) uint8 of simulator states (F, S), as in `Segment.sim`."""
        return (self._picture(lambda state=state: self._put_state(state)) for state in sim)

    def of_poses(self, poses: np.ndarray) -> Iterator[np.ndarray]:
        """The same of poses (F, G, 7): only the shapes that the page draws are where they should be."""
        shapes = visible(self._model)
        self._put_state(np.concatenate([self._data.qpos, self._data.qvel]))
        hidden = np.setdiff1d(np.arange(self._model.ngeom), shapes)
        self._model.geom_rgba[hidden, 3] = 0.0
        self._model.site_rgba[:, 3] = 0.0
        return (self._picture(lambda frame=frame: self._put_poses(shapes, frame)) for frame in poses)

    def _put_state(self, state: np.ndarray) -> None:
        qpos, qvel, stands = np.split(state, [self._model.nq, self._model.nq + self._model.nv])
        self._data.qpos[:], self._data.qvel[:] = qpos, qvel
        self._furniture.put(self._model, self._data, stands)
        _mj.mj_forward(self._model, self._data)

    def _put_poses(self, shapes: np.ndarray, frame: np.ndarray) -> None:
        self._data.geom_xpos[shapes] = frame[:, :3]
        turn = np.empty(9)
        for shape, quaternion in zip(shapes, frame[:, 3:].astype(np.float64), strict=True):
            _mj.mju_quat2Mat(turn, quaternion)
            self._data.geom_xmat[shape] = turn

    def _picture(self, put: Callable[[], None]) -> np.ndarray:
        put()
        self._eye.lookat = self._view["lookat"]
        for axis in range(len(self._axes) if self._axes != "none" else 0):
            self._eye.lookat[axis] = self._data.geom_xpos[self._followed, axis].mean()
        self.renderer.update_scene(self._data, self._eye)
        self.renderer.scene.flags[_mj.mjtRndFlag.mjRND_SHADOW] = 0
        self.renderer.scene.flags[_mj.mjtRndFlag.mjRND_REFLECTION] = 0
        return self.renderer.render()


def main(folder: Path, width: int, height: int) -> None:
    """Draw one order after the other until nobody asks any more."""
    if hasattr(os, "nice"):
        os.nice(10)  # training goes on beside it and comes first
    room = Darkroom(_mj.MjModel.from_binary_path(str(folder / "model.mjb")), width, height)
    with room.renderer:
        _say("ready")
        for _ in sys.stdin:
            with np.load(folder / "order.npz", allow_pickle=False) as order:
                fps = float(order["fps"])
                pictures = room.of_states(order["sim"]) if "sim" in order else room.of_poses(order["poses"])
                for media_type, film in encode(pictures, fps).items():
                    (folder / f"clip{ENDINGS[media_type]}").write_bytes(film)
            _say("done")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
