"""One ordinary Gymnasium environment with the task's own reward and clock, its simulator state within reach.

The stage plays in these, and so does the learner where EnvPool does not know the environment.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, NamedTuple, Protocol, runtime_checkable

import gymnasium as gym
import numpy as np
from gymnasium.envs.mujoco.inverted_double_pendulum_v5 import InvertedDoublePendulumEnv

from rl_teacher.choices import choices
from rl_teacher.envs.faults import MEND, Blame
from rl_teacher.envs.layout import given
from rl_teacher.envs.sources import make_env
from rl_teacher.envs.stock import route_warnings
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError
from rl_teacher.furniture import Furniture
from rl_teacher.pictures import Picture, pack
from rl_teacher.stacks import is_picture


@runtime_checkable
class Mujoco(Protocol):
    """What an environment on MuJoCo keeps within reach."""

    model: Any
    """mujoco.MjModel"""
    data: Any
    """mujoco.MjData"""


class Step(NamedTuple):
    """What the environment answered to one action."""

    obs: np.ndarray
    """(D,) in the simulator's own precision; the caller copies it."""
    env_rew: float
    terminated: bool
    truncated: bool


def _is_verdict(success: Any) -> bool:
    """Whether it is one truth value or number; several of them, one per part of the task say, or a NaN are none."""
    return isinstance(success, (bool, np.bool_, int, float, np.number)) and success == success


class Simulator:
    """One environment. The caller resets it once an episode has ended.

    Args:
        spec: Which.
        pictures: Whether it is to draw itself; one on MuJoCo never does, for its state says more.

    Raises:
        BrokenEnvironmentError: Here and in every method, if the environment's own code raises something.
        UserError: Here and in every method, for what the environment does and may not.
    """

    def __init__(self, spec: EnvSpec, pictures: bool = False) -> None:
        self._task = spec.task
        self._judge = spec.judge
        self._env = _build(spec)
        self.has_pictures = pictures and not isinstance(self._env.unwrapped, Mujoco)
        """Whether `picture` can be asked for."""
        if self.has_pictures:
            self._env.close()
            self._env = make_env(spec.env_id, "rgb_array", spec.fixed_horizon)
        self._blame = Blame(spec.env_id, self._env)
        self.succeeded: bool | None = None
        """Whether the environment called this episode a success (`info["success"]`); None: it says nothing of it."""
        self._limit = spec.episode_steps if spec.task else None  # a stock environment counts by itself
        self._elapsed = 0
        self.obs_space, self.act_space = spaces(self._env)
        bare = self._env.unwrapped
        self.mujoco: Mujoco | None = bare if isinstance(bare, Mujoco) else None
        """The MuJoCo model and data behind it, or None."""
        self._furniture = None if self.mujoco is None or spec.task else Furniture(self.mujoco.model)
        """What may stand elsewhere in each episode; in our tasks nothing does."""

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Start an episode and return its first observation, (D,); a seed makes this and all later ones repeatable."""
        self._elapsed, self.succeeded = 0, None
        with self._blame:
            obs, _ = self._env.reset(seed=seed)
            return self._seen(self._row(obs))

    def step(self, act: np.ndarray) -> Step:
        """Take one step; act is () or (*act,), within bounds."""
        if self._task is None:
            return self._stock_step(act)
        with self._blame:
            obs, _, _, _, info = self._env.step(act)
        self._elapsed += 1
        env_rew = float(self._task.reward(obs, info))
        return Step(self._seen(obs), env_rew, False, self._elapsed == self._limit)

    def _stock_step(self, act: np.ndarray) -> Step:
        with self._blame:
            obs, rew, terminated, truncated, info = self._env.step(given(self._env.action_space, act))
            if _is_verdict(success := info.get("success")):
                self.succeeded = bool(self.succeeded or success)
            step = Step(self._row(obs), float(rew), bool(terminated), bool(truncated and not terminated))
        return step if self._judge is None else step._replace(env_rew=float(self._judge(step.obs, {})))

    @property
    def state_size(self) -> int:
        """S of `Trajectory.sim`."""
        if self.mujoco is None:
            return 0
        model = self.mujoco.model
        return model.nq + model.nv + (self._furniture.size if self._furniture else 0)

    def read_state(self, row: np.ndarray) -> None:
        """Write MuJoCo's state now into a row (S,): positions, velocities, and where the furniture stands."""
        if self.mujoco is None:
            return
        model, data = self.mujoco.model, self.mujoco.data
        row[: model.nq], row[model.nq : model.nq + model.nv] = data.qpos, data.qvel
        if self._furniture is not None:
            row[model.nq + model.nv :] = self._furniture.read(model, data)

    def picture(self) -> Picture:
        """What it looks like now.

        Raises:
            UserError: If it gives no picture.
        """
        with self._blame:
            try:
                drawn = self._env.render()
                if drawn is None:
                    raise ValueError('render() returned None; a factory that takes render_mode gets "rgb_array"')
                return pack(np.asarray(drawn))
            except (gym.error.Error, ImportError, ValueError) as error:
                reason = " ".join(str(error).split()).rstrip(".")
                raise UserError(f"it gives no pictures ({reason})") from error

    def _row(self, obs: np.ndarray) -> np.ndarray:
        """An observation laid out in a row; a picture stays one."""
        row = np.asarray(obs)
        if is_picture(self.obs_space):
            if row.dtype != np.uint8:
                raise ValueError(f"a picture of {row.dtype}; its observation space has uint8")
        else:
            row = row.reshape(-1)
        if row.shape != self.obs_space.shape:
            raise ValueError(
                f"{row.size} numbers in an observation; its observation space has {np.prod(self.obs_space.shape)}"
            )
        return row

    def _seen(self, obs: np.ndarray) -> np.ndarray:
        return self._task.see(obs) if self._task and self._task.see else obs

    def close(self) -> None:
        """Free the simulator."""
        with self._blame:
            self._env.close()


def why_no_pictures(spec: EnvSpec) -> str | None:
    """Why an environment cannot draw itself, in words; None if it can, or is on MuJoCo and need not."""
    try:
        with closing(Simulator(spec, pictures=True)) as simulator:
            if simulator.has_pictures:
                simulator.reset(0)
                simulator.picture()
    except UserError as error:
        return str(error).removesuffix(MEND).strip().rstrip(".")  # a part of a sentence: what to do stands after it
    return None


def spaces(env: gym.Env) -> tuple[gym.spaces.Box, gym.Space]:
    """The spaces of one observation, a row of float32 or a picture of uint8, and of one action, counted from zero.

    Several choices at once, on or off among them, are a MultiDiscrete in one dimension.
    """
    obs, sizes = env.observation_space, choices(env.action_space)
    if not isinstance(obs, gym.spaces.Box):
        raise TypeError(f"observations must be a Box, not {obs}")
    low, high = (bound.reshape(-1).astype(np.float32) for bound in (obs.low, obs.high))
    seen = obs if is_picture(obs) else gym.spaces.Box(low, high, dtype=np.float32)
    if isinstance(env.action_space, gym.spaces.Discrete):
        return seen, gym.spaces.Discrete(sizes[0])
    return seen, gym.spaces.MultiDiscrete(list(sizes)) if sizes else env.action_space


def _build(spec: EnvSpec) -> gym.Env:
    if spec.task is None:
        return make_env(spec.env_id, horizon=spec.fixed_horizon)
    route_warnings()
    if spec.task.name == "doublependulum":
        return UnclippedDoublePendulum()
    return gym.make(spec.gym_id, disable_env_checker=True, **spec.task.gym_options).unwrapped


class UnclippedDoublePendulum(InvertedDoublePendulumEnv):
    """The stock double pendulum, whose observation clips joint velocities at ±10, without that clipping.

    Its true reward takes the square of the velocities as they are, so that a clipped observation would hide from a
    learned reward what the true one sees. The rail's force, the last entry, stays clipped: it can be thousands.
    """

    def _get_obs(self) -> np.ndarray:
        obs = super()._get_obs()
        obs[5:8] = self.data.qvel
        return obs
