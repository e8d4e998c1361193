"""Teaching around Stable-Baselines3: its environments rewarded by r̂, and the loop as a callback of `model.learn()`."""

from __future__ import annotations

from typing import Any, cast

import gymnasium as gym
import numpy as np

from rl_teacher.choices import first
from rl_teacher.errors import UserError
from rl_teacher.plug.adapting import Adapter
from rl_teacher.plug.lessons import Lessons
from rl_teacher.plug.wrappers import TRUE_REWARD, PredictedReward
from rl_teacher.protocols import RewardFn
from rl_teacher.stacks import is_picture

try:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
    from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecNormalize
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn
except ImportError as error:
    raise UserError(
        f"Stable-Baselines3 is needed here and cannot be imported ({error}). Install it with "
        "pip install 'rl-teacher[sb3]'."
    ) from error

RELABELLED = 65_536
"""Rows of a replay that r̂ sees at once."""


class PredictedVecEnv(VecEnvWrapper):
    """Environments of Stable-Baselines3 whose rewards are r̂; their own are in each `infos[i]["env_rew"]`.

    `predicted` may be changed at any time: False gives the environments' own rewards again.

    Args:
        venv: N environments whose observations are a Box, not normalised: r̂ normalises by itself. Put `VecNormalize`
            around this wrapper.
        reward: r̂, `teaching.reward` or one of `load_reward` for example.
        predicted: Whether it begins with r̂.

    Raises:
        UserError: If environments and reward do not fit each other; later also a NotFiniteError for an observation that
            is NaN or infinite.
    """

    def __init__(self, venv: VecEnv, reward: RewardFn, *, predicted: bool = True) -> None:
        inner: Any = venv
        while isinstance(inner, VecEnvWrapper):
            if isinstance(inner, VecNormalize):
                raise UserError(
                    "VecNormalize given inside PredictedVecEnv, where r̂ would see numbers that change their meaning; "
                    "it must be outside. Write VecNormalize(PredictedVecEnv(venv, reward))."
                )
            inner = inner.venv
        super().__init__(venv)
        self._ask = Adapter(reward, venv.observation_space, venv.action_space)
        self._obs = self._act = np.zeros(())
        self.predicted = predicted

    def reset(self) -> VecEnvObs:
        """Start all episodes."""
        obs = self.venv.reset()
        self._obs = np.array(obs)
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        """Take a step in each."""
        self._act = np.array(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """What came of it; the rewards (N,) are r̂ of the observations before it and the actions."""
        before = self._obs
        obs, env_rew, dones, infos = self.venv.step_wait()
        self._obs = np.array(obs)
        for info, true in zip(infos, env_rew, strict=True):
            info[TRUE_REWARD] = float(true)
        rew = self._ask(before, self._act).astype(np.float32) if self.predicted else env_rew
        return obs, rew, dones, infos


class TeachingCallback(BaseCallback):
    """Teaches while `model.learn()` runs: `model.learn(n, callback=TeachingCallback(teaching))`.

    After each rollout it tells how far the model has come; questions about what the model does now are asked, answers
    are learned from. Where a model learns from a replay, the whole replay is rewarded anew after every fit.

    Args:
        lessons: `Teaching`, whose `reward` the environments of the model pay.
    """

    def __init__(self, lessons: Lessons) -> None:
        super().__init__()
        self._lessons = lessons
        self._told = 0
        """Of the model's steps."""

    def _on_training_start(self) -> None:
        if not _is_predicted(self.training_env):
            raise UserError(
                "The environments of this model pay their own reward; those of a model that is taught pay r̂. Make it "
                "with PredictedVecEnv(venv, teaching.reward)."
            )
        self._told = self.model.num_timesteps
        self._actor = Model(self.model)

    def _on_step(self) -> bool:
        return not self._lessons.stop_asked

    def _on_rollout_end(self) -> None:
        n_fits = self._lessons.n_fits
        n_steps, self._told = self.model.num_timesteps - self._told, self.model.num_timesteps
        self._lessons.tick(n_steps, self._actor)
        if self._lessons.n_fits > n_fits and isinstance(self.model, OffPolicyAlgorithm):
            relabel(self.model, self._lessons.reward)


class Model:
    """A model of Stable-Baselines3 as the stage wants it: raw observations in, actions counted from zero out.

    Args:
        model: Whose actions.
    """

    def __init__(self, model: BaseAlgorithm) -> None:
        self._model = model

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs)."""
        space = cast(gym.spaces.Box, self._model.observation_space)
        # pictures are left as they are: SB3 moves channels itself
        seen = obs if is_picture(space) else obs.reshape(-1, *space.shape).astype(space.dtype)
        around = self._model.get_vec_normalize_env()
        act, _ = self._model.predict(
            cast(np.ndarray, seen if around is None else around.normalize_obs(seen)), deterministic=not explore
        )
        return act - first(self._model.action_space)


def relabel(model: OffPolicyAlgorithm, reward: RewardFn) -> None:
    """Reward all that a replay holds anew, also where it has begun to overwrite the oldest.

    Args:
        model: Whose replay.
        reward: r̂ as it is now.

    Raises:
        UserError: For a replay of another kind than Stable-Baselines3's own of plain observations.
    """
    buffer = model.replay_buffer
    if not isinstance(buffer, ReplayBuffer) or isinstance(buffer, DictReplayBuffer):
        raise UserError(
            f"A replay of the kind {type(buffer).__name__} given; only Stable-Baselines3's ReplayBuffer can be "
            "rewarded anew. Use it."
        )
    ask, n_envs = Adapter(reward, model.observation_space, model.action_space), buffer.n_envs
    n, discrete = buffer.size(), isinstance(model.action_space, gym.spaces.Discrete)
    rows = max(1, RELABELLED // n_envs)
    for start in range(0, n, rows):
        part = slice(start, min(n, start + rows))
        obs, act = buffer.observations[part], buffer.actions[part]
        done = act[..., 0] if discrete else model.policy.unscale_action(act).reshape(*act.shape[:2], *_shape(model))
        buffer.rewards[part] = ask(obs, done)


def _is_predicted(env: VecEnv) -> bool:
    inner: Any = env
    while isinstance(inner, VecEnvWrapper):
        if isinstance(inner, PredictedVecEnv):
            return True
        inner = inner.venv
    return all(env.env_is_wrapped(PredictedReward))


def _shape(model: BaseAlgorithm) -> tuple[int, ...]:
    return model.action_space.shape or ()
