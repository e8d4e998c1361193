"""What stands around in a MuJoCo scene, without joints, and may stand elsewhere in the next episode.

Some environments put a target or a drawer somewhere else by writing into the model at each reset. Joint positions say
nothing of that, so the place of such things goes into the simulator state too, after positions and velocities.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_PLANE = 0
"""mujoco.mjtGeom.mjGEOM_PLANE: floors stay."""


class Furniture:
    """The things of one model that have no joints: bodies directly in the world, and the world's own shapes.

    Args:
        model: mujoco.MjModel.
    """

    def __init__(self, model: Any) -> None:
        in_world = (model.body_parentid == 0) & (model.body_jntnum == 0)
        in_world[0] = False  # the world itself
        self._bodies = np.flatnonzero(in_world)
        self._led = np.flatnonzero(in_world & (model.body_mocapid >= 0))
        """Those that the environment moves by hand, by `mocap_pos` of the data."""
        self._geoms = np.flatnonzero((model.geom_bodyid == 0) & (model.geom_type != _PLANE))
        self.size = 7 * len(self._bodies) + 3 * len(self._geoms)
        """Numbers that say where they stand."""

    def read(self, model: Any, data: Any) -> np.ndarray:
        """Where they stand, (size,)."""
        place, turn = model.body_pos.copy(), model.body_quat.copy()
        led = model.body_mocapid[self._led]
        place[self._led], turn[self._led] = data.mocap_pos[led], data.mocap_quat[led]
        parts = (place[self._bodies], turn[self._bodies], model.geom_pos[self._geoms])
        return np.concatenate([part.reshape(-1) for part in parts])

    def put(self, model: Any, data: Any, stands: np.ndarray) -> None:
        """Put them there; changes both.

        Args:
            model: One that is simulated no further.
            data: Of it.
            stands: (size,), as `read` gave it; (0,), of a record without them: everything stays where it is.
        """
        if not len(stands):
            return
        n = len(self._bodies)
        place, turn, geoms = np.split(stands, [3 * n, 7 * n])
        model.body_pos[self._bodies], model.body_quat[self._bodies] = place.reshape(n, 3), turn.reshape(n, 4)
        model.geom_pos[self._geoms] = geoms.reshape(-1, 3)
        led = model.body_mocapid[self._led]
        data.mocap_pos[led], data.mocap_quat[led] = model.body_pos[self._led], model.body_quat[self._led]
