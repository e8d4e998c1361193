"""Any environment as N copies that step together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher.envs.fast import Fast
from rl_teacher.envs.games import GameVec, is_game
from rl_teacher.envs.nine import Task
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError, unknown
from rl_teacher.protocols import VecEnv, VecStep

BACKENDS = ("auto", "envpool", "gymnasium")


def make_vec(
    spec: EnvSpec, n_envs: int, seed: int, n_threads: int = 1, backend: str = "auto", *, staggered: bool = False
) -> VecEnv:
    """N copies of an environment for a learner: fast and blind.

    Args:
        spec: What `envs.tasks.resolve` found.
        n_envs: N.
        seed: The same seed and the same actions give the same trajectories; the copies differ from each other.
        n_threads: Simulator threads; EnvPool only, Gymnasium steps one copy after the other.
        backend: "envpool", "gymnasium", or "auto": EnvPool where it is installed and gives the same numbers.
        staggered: Whether the first episode of each copy is cut at another length. Else all copies with a clock begin
            and end together for ever, and a learner sees beginnings only, then middles only, then ends only.

    Raises:
        UserError: If the back end is unknown, cannot do this environment, or a count is below one.
    """
    if backend not in BACKENDS:
        raise unknown("simulator back end", backend, BACKENDS)
    for name, count in (("environments", n_envs), ("simulator threads", n_threads)):
        if count < 1:
            raise UserError(f"{count} {name} given, at least 1 needed; give a positive number.")
    if is_game(spec):
        return GameVec(spec, n_envs, seed, n_threads)
    form = spec.task or spec.fast
    if backend == "gymnasium" or (backend == "auto" and not (form and has_envpool())):
        return GymnasiumVec(spec, n_envs, seed, staggered)
    if form is None:
        raise UserError(f"EnvPool asked for with '{spec.env_id}', which it does not serve; use 'gymnasium'.")
    if not has_envpool():
        raise UserError("EnvPool asked for, but it is not installed here; install 'envpool', or use 'gymnasium'.")
    return EnvPoolVec(spec, form, n_envs, seed, n_threads, staggered)


def has_envpool() -> bool:
    """Whether EnvPool can be imported; it exists for Linux only."""
    try:
        import envpool  # noqa: F401
    except ImportError:
        return False
    return True


def _envpool(gym_id: str, options: Mapping[str, Any]) -> Any:
    import envpool

    return envpool.make(gym_id, env_type="gymnasium", **options)


def _space(act: gym.Space) -> gym.Space:
    """EnvPool's action space as it is everywhere else here."""
    if isinstance(act, gym.spaces.Discrete):
        return gym.spaces.Discrete(int(act.n))
    if not isinstance(act, gym.spaces.Box):
        raise TypeError(f"actions must be a Box or Discrete, not {act}")
    return gym.spaces.Box(act.low.astype(np.float32), act.high.astype(np.float32))


class _FirstEpisodes:
    """Says when the first episode of each of N copies is cut: evenly over the length of an episode, in random order."""

    def __init__(self, spec: EnvSpec, n_envs: int, seed: int, staggered: bool) -> None:
        self._step = 0
        self._cut_at = np.zeros(n_envs, dtype=int)  # never
        if staggered and spec.episode_steps is not None:
            evenly = np.linspace(1, spec.episode_steps, n_envs).astype(int)
            self._cut_at = np.random.default_rng(seed).permutation(evenly)

    def cut(self, over: np.ndarray) -> np.ndarray:
        """Which copies (N,) are cut at this step of theirs, unless it is over already."""
        self._step += 1
        return (self._cut_at == self._step) & ~over


class EnvPoolVec:
    """N copies in EnvPool's C++ threads; it resets on the step after an end, as `protocols.VecEnv` wants."""

    def __init__(
        self, spec: EnvSpec, form: Task | Fast, n_envs: int, seed: int, n_threads: int, staggered: bool = False
    ) -> None:
        self.n_envs = n_envs
        self._spec, self._form, self._staggered = spec, form, staggered
        self._n_threads = min(n_threads, n_envs)
        self._env: Any = self._make(seed)
        seen = self._env.observation_space
        shape = (form.n_obs(seen),) if isinstance(form, Fast) else seen.shape
        self.obs_space: gym.spaces.Box = gym.spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.act_space: gym.Space = _space(self._env.action_space)
        self._over = np.zeros(n_envs, dtype=bool)
        self._first = _FirstEpisodes(spec, n_envs, seed, staggered)
        self._cut = np.zeros(n_envs, dtype=bool)
        """Cut by us at the last step: EnvPool does not know, so they are reset by hand."""

    def _make(self, seed: int) -> Any:
        options = {
            "num_envs": self.n_envs,
            "seed": int(np.random.default_rng(seed).integers(2**31 - self.n_envs)),
            "max_episode_steps": self._spec.episode_steps,
            "num_threads": self._n_threads,
        }
        if isinstance(self._form, Fast):
            return _envpool(self._form.name, options)
        return _envpool(self._form.gym_id, {**options, **self._form.envpool_options})

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Start all episodes afresh; returns obs (N, D) float32."""
        if seed is not None:  # EnvPool takes a seed only when it is made, in a tenth of a second
            self.close()
            self._env = self._make(seed)
            self._first = _FirstEpisodes(self._spec, self.n_envs, seed, self._staggered)
        self._over, self._cut = np.zeros((2, self.n_envs), dtype=bool)
        obs, _ = self._env.reset()
        return self._seen(self._row(obs))

    def step(self, act: np.ndarray) -> VecStep:
        """Take one step in each; act is (N, *act), within bounds."""
        if self._cut.any():
            obs, env_rew, terminated, truncated = self._step_or_reset(act)
        else:
            obs, env_rew, terminated, truncated = self._read(self._env.step(act))
        env_rew[self._over] = 0.0  # a reset belongs to no episode
        self._cut = self._first.cut(terminated | truncated)
        truncated = truncated | self._cut
        self._over = terminated | truncated
        return VecStep(self._seen(obs), env_rew, terminated, truncated)

    def renew(self) -> np.ndarray:
        """Begin the next episode now wherever one is over; returns their first obs (n, D) float32."""
        obs, _ = self._env.reset(np.flatnonzero(self._over).astype(np.int32))
        self._over, self._cut = np.zeros((2, self.n_envs), dtype=bool)
        return self._seen(self._row(obs))

    def _step_or_reset(self, act: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the simulator would give if it knew of the copies that were cut."""
        cut, others = (np.flatnonzero(which).astype(np.int32) for which in (self._cut, ~self._cut))
        started = self._row(self._env.reset(cut)[0])
        obs = np.zeros((self.n_envs, *started.shape[1:]), dtype=started.dtype)
        env_rew = np.zeros(self.n_envs)
        terminated, truncated = np.zeros((2, self.n_envs), dtype=bool)
        obs[cut] = started
        if len(others):
            went = self._read(self._env.step(act[others], others))
            obs[others], env_rew[others], terminated[others], truncated[others] = went
        return obs, env_rew, terminated, truncated

    def _read(self, step: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows (n, D), true rewards (n,) and ends (n,), (n,) out of what EnvPool answered."""
        given, rew, terminated, truncated, info = step
        obs, judge = self._row(given), self._spec.judge
        if not isinstance(self._form, Fast):
            rew = self._form.reward(obs, info)
        elif judge is not None:
            rew = judge(obs, {})
        return obs, np.asarray(rew, dtype=np.float64), terminated, truncated & ~terminated

    def _row(self, obs: Any) -> np.ndarray:
        return self._form.row(obs) if isinstance(self._form, Fast) else obs

    def _seen(self, obs: np.ndarray) -> np.ndarray:
        see = None if isinstance(self._form, Fast) else self._form.see
        return (see(obs) if see else obs).astype(np.float32)

    def close(self) -> None:
        """Free the simulator. Closing twice is harmless."""
        if self._env is not None:
            self._env.close()
            self._env = None


class GymnasiumVec:
    """N ordinary Gymnasium environments, stepped one after the other, with the same rule of resetting."""

    def __init__(self, spec: EnvSpec, n_envs: int, seed: int, staggered: bool = False) -> None:
        self.n_envs = n_envs
        self._spec, self._staggered = spec, staggered
        self._simulators = [Simulator(spec) for _ in range(n_envs)]
        self._seed(seed)
        self.obs_space = self._simulators[0].obs_space
        self.act_space = self._simulators[0].act_space
        self._over = np.zeros(n_envs, dtype=bool)

    def _seed(self, seed: int) -> None:
        self._seeds: list[int | None] = [int(s) for s in np.random.SeedSequence(seed).generate_state(self.n_envs)]
        self._first = _FirstEpisodes(self._spec, self.n_envs, seed, self._staggered)

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Start all episodes afresh; returns obs (N, D) float32, or pictures (N, *obs) uint8."""
        if seed is not None:
            self._seed(seed)
        self._over = np.zeros(self.n_envs, dtype=bool)
        started = [sim.reset(seed) for sim, seed in zip(self._simulators, self._seeds, strict=True)]
        self._seeds = [None] * self.n_envs  # the generators go on from here
        return np.stack(started).astype(self.obs_space.dtype)

    def step(self, act: np.ndarray) -> VecStep:
        """Take one step in each; act is (N, *act), within bounds."""
        obs = np.empty((self.n_envs, *self.obs_space.shape), dtype=self.obs_space.dtype)
        env_rew = np.zeros(self.n_envs)
        terminated, truncated = np.zeros((2, self.n_envs), dtype=bool)
        for i, sim in enumerate(self._simulators):
            if self._over[i]:
                obs[i] = sim.reset()
            else:
                obs[i], env_rew[i], terminated[i], truncated[i] = sim.step(act[i])
        truncated |= self._first.cut(terminated | truncated)
        self._over = terminated | truncated
        return VecStep(obs, env_rew, terminated, truncated)

    def renew(self) -> np.ndarray:
        """Begin the next episode now wherever one is over; returns their first obs (n, D) float32, or pictures."""
        started = [sim.reset() for sim, over in zip(self._simulators, self._over, strict=True) if over]
        self._over = np.zeros(self.n_envs, dtype=bool)
        return np.stack(started).astype(self.obs_space.dtype)

    @property
    def succeeded(self) -> np.ndarray:
        """Which episodes (N,) have so far been a success: 1 or 0, NaN where the environment says nothing of it."""
        said = [np.nan if sim.succeeded is None else float(sim.succeeded) for sim in self._simulators]
        return np.array(said)

    def close(self) -> None:
        """Free the simulators. Closing twice is harmless."""
        for sim in self._simulators:
            sim.close()
        self._simulators = []
