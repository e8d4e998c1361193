"""Clips as poses: the shapes of a body once (the scene), and where each shape is in each frame (the poses).

The browser draws them, so that nothing here needs OpenGL, and a clip is a few kilobytes.
"""

from __future__ import annotations

import json
from typing import Any

import mujoco
import numpy as np

from rl_teacher.clips.camera import camera, follows, tracked
from rl_teacher.furniture import Furniture

VERSION = 1
"""Of the scene's format."""

_mj: Any = mujoco  # a C extension without type stubs
_SHAPES = {
    _mj.mjtGeom.mjGEOM_PLANE: "plane",
    _mj.mjtGeom.mjGEOM_SPHERE: "sphere",
    _mj.mjtGeom.mjGEOM_CAPSULE: "capsule",
    _mj.mjtGeom.mjGEOM_ELLIPSOID: "ellipsoid",
    _mj.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    _mj.mjtGeom.mjGEOM_BOX: "box",
    _mj.mjtGeom.mjGEOM_MESH: "mesh",
}
_FIRST_HIDDEN_GROUP = 3  # MuJoCo's own viewer shows groups 0 to 2
_NO_COLOUR = np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32)  # the default: then the material's counts


def drawable(model: Any | None) -> bool:
    """Whether there is a MuJoCo model that the page can draw from poses with nothing missing.

    This is the one place that decides between poses and video. `Stage.model` gives what to ask about.
    """
    return isinstance(model, _mj.MjModel) and len(visible(model)) > 0 and not beyond_poses(model)


def beyond_poses(model: Any) -> list[str]:
    """What can be seen of a model in MuJoCo's own viewer and is not drawn from poses, in words; mostly nothing."""
    geoms = _seen(model)
    spatial = [_mj.mjtWrap(kind) != _mj.mjtWrap.mjWRAP_JOINT for kind in model.wrap_type[model.tendon_adr]]
    tendons = (model.tendon_rgba[:, 3] > 0.0) & (model.tendon_group < _FIRST_HIDDEN_GROUP) & np.array(spatial, bool)
    found = {
        "height fields": (model.geom_type[geoms] == _mj.mjtGeom.mjGEOM_HFIELD).any(),
        "signed distance fields": (model.geom_type[geoms] == _mj.mjtGeom.mjGEOM_SDF).any(),
        "tendons": tendons.any(),
        "skins": (model.skin_group < _FIRST_HIDDEN_GROUP).any(),
        "deformable bodies": (model.flex_group < _FIRST_HIDDEN_GROUP).any(),
    }
    return [what for what, is_there in found.items() if is_there]


def scene(model: Any, env_id: str) -> bytes:
    """The shapes, colours and point of view of an environment, as JSON; the same model gives the same bytes.

    Left out are invisible shapes: alpha 0, or in a group the MuJoCo viewer hides. What the page cannot draw at all
    makes a model not `drawable`.

    Args:
        model: mujoco.MjModel.
        env_id: Told to the page.
    """
    geoms = visible(model)
    content = {
        "version": VERSION,
        "env_id": env_id,
        "geoms": [_shape(model, g) for g in geoms],
        "floor": bool((model.geom_type[geoms] == _mj.mjtGeom.mjGEOM_PLANE).any()),
        "follow": {"axis": follows(model)},
        "track": np.flatnonzero(np.isin(geoms, tracked(model))).tolist(),
        "camera": camera(model),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def poses(model: Any, sim: np.ndarray) -> bytes:
    """Where each shape of the scene is, frame by frame.

    Args:
        model: mujoco.MjModel that is simulated no further: its furniture is put where it stood.
        sim: (F, S) simulator states as in `Segment.sim`: qpos, qvel, and where the furniture stood, if that was kept.

    Returns:
        Little-endian float32 (F, G, 7) in C order: x y z, metres, z up, then the quaternion w x y z.

    Raises:
        ValueError: If S is not that of the model.
    """
    n, furniture = model.nq + model.nv, Furniture(model)
    if sim.ndim != 2 or sim.shape[1] not in (n, n + furniture.size):
        raise ValueError(f"sim has the shape {sim.shape} where (F, {n}) or (F, {n + furniture.size}) is needed")
    geoms = visible(model)
    bodies = model.geom_bodyid[geoms]
    place = np.empty((len(sim), len(geoms), 3))
    turn = np.empty((len(sim), len(geoms), 4))
    data = _mj.MjData(model)
    for frame, state in enumerate(sim):
        data.qpos[:] = state[: model.nq]
        furniture.put(model, data, state[n:])
        _mj.mj_kinematics(model, data)
        place[frame] = data.geom_xpos[geoms]
        turn[frame] = data.xquat[bodies]
    turn = _quaternion_product(turn, model.geom_quat[geoms])
    return np.concatenate([place, turn], axis=-1).astype("<f4").tobytes()


def visible(model: Any) -> np.ndarray:
    """Indices of the shapes that are drawn."""
    geoms = _seen(model)
    return geoms[np.isin(model.geom_type[geoms], [int(kind) for kind in _SHAPES])]


def _seen(model: Any) -> np.ndarray:
    """Indices of the geoms that MuJoCo's viewer shows, of whatever kind."""
    return np.flatnonzero((_colours(model)[:, 3] > 0.0) & (model.geom_group < _FIRST_HIDDEN_GROUP))


def _colours(model: Any) -> np.ndarray:
    """Red, green, blue, alpha of every geom, (ngeom, 4); its own, or its material's."""
    colour = model.geom_rgba.copy()
    from_material = (model.geom_matid >= 0) & (colour == _NO_COLOUR).all(axis=1)
    colour[from_material] = model.mat_rgba[model.geom_matid[from_material]]
    return colour


def _shape(model: Any, geom: int) -> dict[str, Any]:
    shape = _SHAPES[_mj.mjtGeom(model.geom_type[geom])]
    return {
        "type": shape,
        "size": _rounded(model.geom_size[geom]),
        "rgba": _rounded(_colours(model)[geom]),
        "body": int(model.geom_bodyid[geom]),
        "name": model.geom(geom).name or f"geom{geom}",
        "mesh": _mesh(model, int(model.geom_dataid[geom])) if shape == "mesh" else None,
    }


def _mesh(model: Any, mesh: int) -> dict[str, Any]:
    """Vertices x y z x y z … in the geom's frame, and faces as triples of their indices."""
    first, n = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    first_face, n_faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
    return {
        "vertices": _rounded(model.mesh_vert[first : first + n].reshape(-1)),
        "faces": model.mesh_face[first_face : first_face + n_faces].reshape(-1).tolist(),
    }


def _rounded(numbers: np.ndarray) -> list[float]:
    return [round(float(number), 6) for number in numbers]


def _quaternion_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation b, then a; quaternions w x y z in the last axis."""
    aw, av = a[..., :1], a[..., 1:]
    bw, bv = b[..., :1], b[..., 1:]
    real = aw * bw - (av * bv).sum(axis=-1, keepdims=True)
    return np.concatenate([real, aw * bv + bw * av + np.cross(av, bv)], axis=-1)
