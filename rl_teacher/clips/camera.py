"""From where a body is best seen, read off its MuJoCo model."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from rl_teacher.viewpoint import viewpoint

_mj: Any = mujoco  # a C extension without type stubs
_FREE, _SLIDE, _HINGE = (_mj.mjtJoint.mjJNT_FREE, _mj.mjtJoint.mjJNT_SLIDE, _mj.mjtJoint.mjJNT_HINGE)
_FIELD_OF_VIEW = np.radians(45.0)  # MuJoCo's default
_ROOM_TO_MOVE = 1.8
_ROOM_AROUND = 1.1


def view(model: Any) -> str:
    """The plane in which all joints move: "side" (x and z), "top" (x and y), else "corner"."""
    if not len(model.jnt_type):
        return "corner"
    for name, normal in (("side", 1), ("top", 2)):
        along = np.abs(model.jnt_axis[:, normal])
        slides, hinges = model.jnt_type == _SLIDE, model.jnt_type == _HINGE
        if np.all((slides & (along < 1e-3)) | (hinges & (along > 1.0 - 1e-3))):
            return name
    return "corner"


def follows(model: Any) -> str:
    """Along which axes the camera goes with the body: "x", "xy" or "none"; the latter where it cannot get away.

    Nor does the camera move where the model says itself from where it is to be seen.
    """
    if not model.njnt or viewpoint(model) is not None:
        return "none"
    kind, bounded = model.jnt_type[0], bool(model.jnt_limited[0])
    if kind != _FREE and (kind != _SLIDE or bounded):
        return "none"
    return "x" if view(model) == "side" else "xy"


def tracked(model: Any) -> np.ndarray:
    """Indices of the geoms whose mean position the camera follows; none where it stands still."""
    if follows(model) == "none":
        return np.empty(0, dtype=np.int64)
    root = model.body_rootid[model.jnt_bodyid[0]]
    return np.flatnonzero(model.body_rootid[model.geom_bodyid] == root)


def camera(model: Any) -> dict[str, Any]:
    """Distance (m), azimuth and elevation (degrees, as MuJoCo counts them) and what it looks at (m).

    Where the camera follows, the tracked geoms' mean takes the place of `lookat` along the followed axes. +x is to the
    right in every view, so that "to the right" in instructions is true on the screen; unless the model says itself
    from where it is to be seen.
    """
    if (said := viewpoint(model)) is not None:
        return said
    low, high = _extent(model)
    room = _ROOM_TO_MOVE if follows(model) != "none" else _ROOM_AROUND
    azimuth, elevation = {"side": (90.0, -8.0), "top": (90.0, -90.0), "corner": (115.0, -20.0)}[view(model)]
    return {
        "distance": round(room * float(np.max(high - low)) / 2.0 / float(np.tan(_FIELD_OF_VIEW / 2.0)), 3),
        "azimuth": azimuth,
        "elevation": elevation,
        "lookat": [round(float(x), 3) for x in (low + high) / 2.0],
    }


def _extent(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the box around what has to be seen.

    A followed body as it lies at rest; where the camera stands still, everything but planes, wherever it may get.
    """
    geoms = tracked(model)
    follow = len(geoms) > 0
    if not follow:
        geoms = np.flatnonzero(model.geom_rbound > 0.0)  # planes have none
    if not len(geoms):
        return -np.ones(3), np.ones(3)
    data = _mj.MjData(model)
    poses = [data.qpos.copy()] if follow else _reachable(model, data.qpos)
    lows, highs = [], []
    for qpos in poses:
        data.qpos[:] = qpos
        _mj.mj_kinematics(model, data)
        half = _half_sizes(model, data, geoms)
        lows.append((data.geom_xpos[geoms] - half).min(axis=0))
        highs.append((data.geom_xpos[geoms] + half).max(axis=0))
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _reachable(model: Any, rest: np.ndarray, n: int = 64) -> list[np.ndarray]:
    """Joint positions all over the hinges' ranges, the same ones every time."""
    rng = np.random.default_rng(0)
    hinges = np.flatnonzero(model.jnt_type == _HINGE)
    bounded = model.jnt_limited[hinges].astype(bool)[:, None]
    low, high = np.where(bounded, model.jnt_range[hinges], [-np.pi, np.pi]).T
    found = [rest.copy() for _ in range(n)]
    for qpos in found[1:]:
        qpos[model.jnt_qposadr[hinges]] = rng.uniform(low, high)
    return found


def _half_sizes(model: Any, data: Any, geoms: np.ndarray) -> np.ndarray:
    """Half the extent along x, y and z of each geom's own box, turned as it lies, (G, 3)."""
    centre, half = np.moveaxis(model.geom_aabb[geoms].reshape(-1, 2, 3), 1, 0)
    turn = np.abs(data.geom_xmat[geoms].reshape(-1, 3, 3))
    return np.einsum("gij,gj->gi", turn, half + np.abs(centre))
