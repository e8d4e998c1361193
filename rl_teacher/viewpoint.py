"""From where a MuJoCo model wants to be seen, if it says so itself."""

from __future__ import annotations

from typing import Any

from rl_teacher.errors import UserError

FIELD = "rl-teacher-view"
"""Custom field of a model (`<numeric>` in MJCF): distance, azimuth and elevation (degrees), and x, y, z looked at."""
SIZE = 6


def viewpoint(model: Any) -> dict[str, Any] | None:
    """The field as `clips.camera.camera` gives it; None where a model has none.

    Args:
        model: mujoco.MjModel.

    Raises:
        UserError: If it is not six numbers, or looks from no distance.
    """
    import mujoco  # late: the command line names this field's module without a simulator

    mj: Any = mujoco  # a C extension without type stubs
    field = mj.mj_name2id(model, mj.mjtObj.mjOBJ_NUMERIC, FIELD)
    if field < 0:
        return None
    first, size = model.numeric_adr[field], model.numeric_size[field]
    said = [float(x) for x in model.numeric_data[first : first + size]]
    if size != SIZE or not said[0] > 0.0:
        raise UserError(
            f'The model\'s <numeric name="{FIELD}"> is {said[: SIZE + 1]}; six numbers are wanted: a distance above 0, '
            "azimuth, elevation, and the x, y, z looked at. Mend it, or leave it out."
        )
    distance, azimuth, elevation, *lookat = said
    return {"distance": distance, "azimuth": azimuth, "elevation": elevation, "lookat": lookat}
