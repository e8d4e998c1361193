"""Limbs are where MuJoCo has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rl_teacher.envs.bodies import cheetah_feet, hopper_heights, walker_feet
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.tasks import resolve


def ends(behind: Any, geom: str) -> list[float]:
    """Heights of the two ends of a capsule's middle line, the one along its axis first."""
    half = behind.model.geom(geom).size[1] * behind.data.geom(geom).xmat[8]
    return [behind.data.geom(geom).xpos[2] + half, behind.data.geom(geom).xpos[2] - half]


def of_hopper(behind: Any) -> list[float]:
    head, hip = ends(behind, "torso_geom")
    return [head, hip, ends(behind, "thigh_geom")[1], *ends(behind, "foot_geom")]


@pytest.mark.parametrize(
    ("env_id", "heights", "truly"),
    [
        ("hopper", hopper_heights, of_hopper),
        ("walker", walker_feet, lambda behind: [ends(behind, "foot_geom"), ends(behind, "foot_left_geom")]),
        ("cheetah", cheetah_feet, lambda behind: [ends(behind, "bfoot"), ends(behind, "ffoot")]),
    ],
)
def test_limbs_are_where_mujoco_has_them(env_id: str, heights: Callable[..., Any], truly: Callable[..., Any]) -> None:
    sim, rng = Simulator(resolve(env_id)), np.random.default_rng(0)
    behind: Any = sim.mujoco
    seen, wanted = [], []
    for _ in range(50):
        sim.reset(seed=0)
        behind.set_state(rng.uniform(-3.0, 3.0, behind.model.nq), rng.normal(size=behind.model.nv))
        seen.append(behind._get_obs())
        wanted.append(truly(behind))
    many = np.stack(seen).reshape(5, 10, -1)
    found = np.asarray(heights(many))
    found = found if env_id == "hopper" else np.moveaxis(found, 0, -2)  # feet first, and side by side with heel and toe
    np.testing.assert_allclose(found.reshape(np.shape(wanted)), wanted, rtol=0, atol=1e-6)
