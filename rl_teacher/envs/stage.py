"""Where the present policy plays in full view, its simulator state kept, so that what it does can be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher.choices import choices
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.pictures import Picture
from rl_teacher.protocols import Actor
from rl_teacher.trajectory import Source, Trajectory

ENDS_EARLY = (
    "'{env_id}' ends episodes early. That tells the agent something that nobody has said; to have them last until the "
    "clock, {first}begin a run with --fixed_horizon absorbing, or never-done."
)
NO_CLOCK = "of which it has none, wrap it in gymnasium.wrappers.TimeLimit and "


class Stage:
    """A few ordinary environments. Episodes go on from one call of `play` to the next, under the policy of the day.

    Args:
        spec: Which.
        seed: Of the environments, and of random actions.
        n_envs: How many.
        run: Name of the run, for the provenance of what is played.
        pictures: Keep what the environments draw of themselves, where they are not MuJoCo's.
        warn: Is told, once, that an episode ended before the clock.
    """

    now: int
    """Environment steps of the run, set by whoever runs the loop; goes into the provenance of what is played."""

    def __init__(
        self,
        spec: EnvSpec,
        seed: int,
        n_envs: int = 2,
        run: str = "",
        pictures: bool = False,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        if n_envs < 1:
            raise UserError(f"{n_envs} environments given for the stage, at least 1 needed; give a positive number.")
        self.now = 0
        self.n_envs = n_envs
        self._run = run
        self._env_id, self._clock, self._warn = spec.env_id, spec.episode_steps, warn
        self._simulators = [Simulator(spec, pictures) for _ in range(n_envs)]
        self.obs_space: gym.spaces.Box = self._simulators[0].obs_space
        self.act_space: gym.Space = self._simulators[0].act_space
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Begin new episodes, as a new stage with this seed would."""
        choices, resets = np.random.SeedSequence(seed).spawn(2)
        self._rng = np.random.default_rng(choices)
        starts = resets.generate_state(self.n_envs)
        begun = [sim.reset(int(start)) for sim, start in zip(self._simulators, starts, strict=True)]
        self._obs = np.array(begun, dtype=self.obs_space.dtype)
        self._episode = np.arange(self.n_envs)
        self._elapsed = np.zeros(self.n_envs, dtype=np.int64)
        self._n_episodes = self.n_envs

    @property
    def model(self) -> Any | None:
        """The MuJoCo model (`mujoco.MjModel`) that `sim` of the trajectories belongs to; None if there is none."""
        behind = self._simulators[0].mujoco
        return None if behind is None else behind.model

    def play(self, actor: Actor | None, n_steps: int) -> list[Trajectory]:
        """At least `n_steps` steps of present behaviour, rounded up to the same number in each environment.

        Args:
            actor: Whose behaviour; None plays uniformly random actions.
            n_steps: In all environments together. A call gives one trajectory per environment, and one more for every
                episode that began during it, so ask for many times a segment's length.
        """
        n_rounds = -(-n_steps // self.n_envs)
        records = [_Record(sim, n_rounds, self._obs[i]) for i, sim in enumerate(self._simulators)]
        done: list[Trajectory] = []
        for _ in range(n_rounds):
            act = random_actions(self.act_space, self.n_envs, self._rng) if actor is None else None
            if actor is not None:
                act = actor.act(self._obs, explore=True)
            for i, record in enumerate(records):
                if record.step(np.asarray(act)[i]):
                    done.append(self._cut(i, record))
                    self._begin(i, record)
                self._obs[i] = record.latest
        done.extend(self._cut(i, record) for i, record in enumerate(records) if record.n_steps)
        return done

    def _cut(self, i: int, record: _Record) -> Trajectory:
        record.check()
        source = Source(self._run, self.now, int(self._episode[i]), int(self._elapsed[i]))
        self._elapsed[i] += record.n_steps
        if record.terminated and self._warn is not None and self._elapsed[i] != self._clock:
            self._warn(ENDS_EARLY.format(env_id=self._env_id, first="" if self._clock else NO_CLOCK))
            self._warn = None
        return record.trajectory(source)

    def _begin(self, i: int, record: _Record) -> None:
        record.begin(self._simulators[i].reset())
        self._episode[i], self._elapsed[i] = self._n_episodes, 0
        self._n_episodes += 1

    def close(self) -> None:
        """Free the simulators. Closing twice is harmless."""
        for sim in self._simulators:
            sim.close()


def random_actions(space: gym.Space, n: int, rng: np.random.Generator) -> np.ndarray:
    """Uniformly random actions (n, *act) in the space's own type."""
    if sizes := choices(space):
        shape = space.shape or ()
        return rng.integers(np.reshape(sizes, shape), size=(n, *shape))
    if not isinstance(space, gym.spaces.Box):
        raise TypeError(f"actions must be a Box or chosen, not {space}")
    return rng.uniform(space.low, space.high, (n, *space.shape)).astype(space.dtype)


class _Record:
    """What one environment does during one call, in arrays made once."""

    def __init__(self, sim: Simulator, n_rounds: int, obs: np.ndarray) -> None:
        self._sim = sim
        self._obs = np.empty((n_rounds + 1, *sim.obs_space.shape), dtype=sim.obs_space.dtype)
        self._act = np.empty((n_rounds, *(sim.act_space.shape or ())), dtype=sim.act_space.dtype)
        self._env_rew = np.empty(n_rounds)
        self._frames: list[Picture] | None = [] if sim.has_pictures else None
        self._state = None
        if sim.mujoco is not None:
            self._state = np.empty((n_rounds + 1, sim.state_size))
        self.begin(obs)

    def begin(self, obs: np.ndarray) -> None:
        """Forget what is written and start from here."""
        self.n_steps = 0
        if self._frames is not None:
            self._frames.clear()
        self.terminated = self._truncated = False
        self._write(obs)

    def _write(self, obs: np.ndarray) -> None:
        self._obs[self.n_steps] = obs
        if self._state is not None:
            self._sim.read_state(self._state[self.n_steps])
        if self._frames is not None:
            self._frames.append(self._sim.picture())

    @property
    def latest(self) -> np.ndarray:
        return self._obs[self.n_steps]

    def step(self, act: np.ndarray) -> bool:
        """Take a step and write it down; whether the episode ended with it."""
        obs, env_rew, self.terminated, self._truncated = self._sim.step(act)
        self._act[self.n_steps] = act
        self._env_rew[self.n_steps] = env_rew
        self.n_steps += 1
        self._write(obs)
        return self.terminated or self._truncated

    def check(self) -> None:
        """Nothing that is not a number may become a question: r̂ would be spoilt by its answer for ever.

        Raises:
            NotFiniteError: If an observation is NaN or infinite.
        """
        if self._obs.dtype == np.uint8:
            return
        seen = self._obs[: self.n_steps + 1].reshape(self.n_steps + 1, -1)
        if not np.isfinite(seen).all():
            t = int(np.argwhere(~np.isfinite(seen).all(1))[0, 0])
            raise NotFiniteError(
                f"The environment gave an observation that is not finite on the stage (step {t} of {self.n_steps} just "
                "played). Nothing of it was asked or learned. Mend the environment and start the same command again."
            )

    def trajectory(self, source: Source) -> Trajectory:
        """What is written, as arrays of its own."""
        n = self.n_steps
        return Trajectory(
            self._obs[: n + 1].copy(),
            self._act[:n].copy(),
            self._env_rew[:n].copy(),
            None if self._state is None else self._state[: n + 1].copy(),
            self.terminated,
            self._truncated,
            source,
            None if self._frames is None else tuple(self._frames),
        )
