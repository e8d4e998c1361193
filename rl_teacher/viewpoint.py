"""From where a MuJoCo model wants to be seen, if it says so itself."""

from __future__ import annotations

from typing import Any

FIELD = "rl-teacher-view"
"""Custom field of a model (`<numeric>` in MJCF): distance, azimuth and elevation (degrees), and x, y, z looked at."""
SIZE = 6


def viewpoint(model: Any) -> dict[str, Any] | None:
    """The field as `clips.camera.camera` gives it; None where a model has none, or one of another size.

    Args:
        model: mujoco.MjModel.
    """
    import mujoco  # late: the command line names this field's module without a simulator

    mj: Any = mujoco  # a C extension without type stubs
    field = mj.mj_name2id(model, mj.mjtObj.mjOBJ_NUMERIC, FIELD)
    if field < 0 or model.numeric_size[field] != SIZE:
        return None
    first = model.numeric_adr[field]
    distance, azimuth, elevation, *lookat = (float(x) for x in model.numeric_data[first : first + SIZE])
    return {"distance": distance, "azimuth": azimuth, "elevation": elevation, "lookat": lookat}
