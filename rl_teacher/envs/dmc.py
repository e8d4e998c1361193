"""DeepMind Control by name, `-e dm:walker-walk`: the `dm_control` package as a Gymnasium environment.

The learner's copies are EnvPool's own wherever a test shows that both give the same numbers (`fast_form`).
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher.envs.fast import Fast
from rl_teacher.errors import UserError, unknown

PREFIX = "dm:"
EPISODE_STEPS = 1_000
CLIP_STEPS = 50
"""As in B-Pref (Lee et al. 2021)."""
LONGEST_NAME = 60
"""Letters shown of a name that is not known."""

_JOINTS = ("position", "velocity")
_WALKER = ("orientations", "height", "velocity")
_ACROBOT = ("orientations", "velocity")
_HOPPER = ("position", "velocity", "touch")
_REACHER = ("position", "to_target", "velocity")
SAME_IN_ENVPOOL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("walker-stand", "walker-walk", "walker-run"), _WALKER),
    **dict.fromkeys(("hopper-stand", "hopper-hop"), _HOPPER),
    **dict.fromkeys(("acrobot-swingup", "acrobot-swingup_sparse"), _ACROBOT),
    **dict.fromkeys(("reacher-easy", "reacher-hard"), _REACHER),
    **dict.fromkeys(("cartpole-balance", "cartpole-balance_sparse", "cartpole-swingup"), _JOINTS),
    **dict.fromkeys(("cartpole-swingup_sparse", "cartpole-two_poles", "cartpole-three_poles"), _JOINTS),
    **dict.fromkeys(("ball_in_cup-catch", "cheetah-run", "point_mass-easy"), _JOINTS),
    "pendulum-swingup": ("orientation", "velocity"),
}
"""Tasks of which tests/envs/test_dmc.py shows that EnvPool has the same numbers, and the parts of their observations in
the package's order. None of them ends early: a fixed horizon changes nothing. Of the others no state can be carried
over to compare, or EnvPool's differ (point_mass-hard)."""

_SAYS: Mapping[str, str] = {
    "acrobot-swingup": "Swing both links up and keep them upright.",
    "ball_in_cup-catch": "Catch the ball with the cup.",
    "cartpole-balance": "Keep the pole upright and the cart in the middle.",
    "cartpole-swingup": "Swing the pole up and keep it upright, the cart in the middle.",
    "cheetah-run": "Run to the right as fast as possible.",
    "dog-walk": "Walk forward on all four legs.",
    "finger-spin": "Spin the body with the finger.",
    "fish-swim": "Swim to the target.",
    "fish-upright": "Stay upright in the water.",
    "hopper-hop": "Hop to the right, upright.",
    "hopper-stand": "Stand upright on the foot.",
    "humanoid-run": "Run upright as fast as possible.",
    "humanoid-stand": "Stand upright and still.",
    "humanoid-walk": "Walk upright.",
    "pendulum-swingup": "Swing the pole up and keep it upright.",
    "point_mass-easy": "Move the point to the target in the middle and stay there.",
    "quadruped-run": "Run forward on all four legs, the body upright.",
    "quadruped-walk": "Walk forward on all four legs, the body upright.",
    "reacher-easy": "Touch the target with the tip of the arm.",
    "reacher-hard": "Touch the small target with the tip of the arm.",
    "walker-run": "Run to the right, upright.",
    "walker-stand": "Stand upright and still.",
    "walker-walk": "Walk to the right, upright.",
}


def fast_form(env_id: str) -> Fast | None:
    """EnvPool's form of a task, if it gives the same numbers."""
    name = env_id.removeprefix(PREFIX)
    if name not in SAME_IN_ENVPOOL:
        return None
    words = name.replace("-", "_").split("_")
    return Fast("".join(word.capitalize() for word in words) + "-v1", SAME_IN_ENVPOOL[name])


def make_dmc(env_id: str) -> gym.Env:
    """The task with its clock of 1,000 steps; nothing else ends an episode of most.

    Args:
        env_id: "dm:DOMAIN-TASK".

    Raises:
        UserError: If the package is not installed, or has no such task.
    """
    suite = _suite(env_id)
    name = env_id.removeprefix(PREFIX)
    names = {f"{domain}-{task}": (domain, task) for domain, task in suite.ALL_TASKS}
    if name not in names:
        raise unknown(
            "task of DeepMind Control",
            name[:LONGEST_NAME],
            names,
            'Wanted is dm:DOMAIN-TASK; all: python -c "from dm_control.suite import ALL_TASKS; print(ALL_TASKS)".',
        )
    random = np.random.RandomState(0)  # what the package draws from; seeded anew by `reset`
    return gym.wrappers.TimeLimit(
        Control(suite.load(*names[name], task_kwargs={"random": random}), random, _SAYS.get(name)), EPISODE_STEPS
    )


def _suite(env_id: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no display, which nobody needs
            return importlib.import_module("dm_control.suite")
    except ImportError as error:
        raise UserError(
            f"-e {env_id} given, but dm_control cannot be imported ({error}). Install it: "
            "pip install 'rl-teacher[dmc]'."
        ) from error


class Control(gym.Env):
    """A `dm_control.rl.control.Environment`, its MuJoCo model and data within reach.

    Args:
        control: It.
        random: What its task draws from.
        says: What people are told of it; None: nothing.
    """

    def __init__(self, control: Any, random: np.random.RandomState, says: str | None) -> None:
        self._control, self._random = control, random
        self._ended = control.task.get_termination
        control.task.get_termination = _never  # a step after an end would begin a new episode: see `step`
        self.dt = float(control.control_timestep())
        self.metadata = {"render_modes": [], "render_fps": 1.0 / self.dt, "clip_steps": CLIP_STEPS}
        if says is not None:
            self.metadata["instructions"] = says
        parts = control.observation_spec().items()
        self.observation_space = gym.spaces.Dict(
            [(name, gym.spaces.Box(-np.inf, np.inf, spec.shape, np.float64)) for name, spec in parts]
        )
        act = control.action_spec()
        low, high = (np.broadcast_to(bound, act.shape).astype(np.float32) for bound in (act.minimum, act.maximum))
        self.action_space = gym.spaces.Box(low, high, dtype=np.float32)

    @property
    def model(self) -> Any:
        """mujoco.MjModel."""
        return self._control.physics.model.ptr

    @property
    def data(self) -> Any:
        """mujoco.MjData."""
        return self._control.physics.data.ptr

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        if seed is not None:
            self._random.seed(seed)
        return self._control.reset().observation, {}

    def step(self, action: np.ndarray) -> tuple[Mapping[str, Any], float, bool, bool, dict[str, Any]]:
        """Take a step. After an end it goes on, if nobody resets it (`horizon.NEVER_DONE`)."""
        took = self._control.step(action)
        discount = self._ended(self._control.physics)  # None: it goes on
        terminated = discount == 0.0
        truncated = not terminated and (took.last() or discount is not None)
        return took.observation, float(took.reward or 0.0), terminated, truncated, {}

    def close(self) -> None:
        """Free the simulator."""
        self._control.close()


def _never(physics: Any) -> None:
    """As a task of theirs says that an episode goes on."""
    del physics
