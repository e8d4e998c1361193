from itertools import pairwise

import gymnasium as gym
import mujoco
import numpy as np
import pytest

from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.stage import Stage, random_actions
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError


class Recorder:
    """Pushes with the same force and keeps what it was shown."""

    def __init__(self, force: float = 0.5) -> None:
        self.force = force
        self.seen: list[np.ndarray] = []
        self.explored: list[bool] = []

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        self.seen.append(obs.copy())
        self.explored.append(explore)
        return np.full((len(obs), 2), self.force, dtype=np.float32)


def reacher(**kwargs: int) -> Stage:
    return Stage(resolve("ShortReacher-v1"), **{"seed": 0, "run": "mine", **kwargs})  # type: ignore[arg-type]


def test_episodes_go_on_from_call_to_call() -> None:
    stage = reacher(n_envs=1)
    pieces = [trajectory for _ in range(6) for trajectory in stage.play(None, 7)]
    # episodes of 20 steps, cut wherever a call ended
    assert [(t.source.episode, t.source.start, len(t)) for t in pieces] == [
        (0, 0, 7), (0, 7, 7), (0, 14, 6), (1, 0, 1), (1, 1, 7), (1, 8, 7), (1, 15, 5), (2, 0, 2),
    ]  # fmt: skip
    assert [t.truncated for t in pieces] == [False, False, True, False, False, False, True, False]
    assert not any(t.terminated for t in pieces)
    for before, after in pairwise(pieces):
        same = before.source.episode == after.source.episode
        assert (before.obs[-1] == after.obs[0]).all() == same
        assert (before.sim[-1] == after.sim[0]).all() == same  # type: ignore[index]


def test_a_trajectory_holds_what_happened() -> None:
    stage, actor = reacher(), Recorder()
    stage.now = 12_345
    found = stage.play(actor, 30)
    assert len(found) == 2
    assert actor.explored == [True] * 15
    for i, trajectory in enumerate(found):
        assert len(trajectory) == 15
        assert trajectory.obs.dtype == np.float32
        assert trajectory.act.dtype == np.float32
        assert trajectory.sim is not None
        assert trajectory.sim.shape == (16, 8)
        assert trajectory.sim.dtype == np.float64
        assert (trajectory.obs[:-1] == np.stack(actor.seen)[:, i]).all()
        assert (trajectory.act == 0.5).all()
        assert (trajectory.source.run, trajectory.source.step, trajectory.source.episode) == ("mine", 12_345, i)
        # the state is that of the observation: target and angles agree
        assert np.allclose(trajectory.sim[:, 2:4], trajectory.obs[:, 4:6])
        assert np.allclose(np.cos(trajectory.sim[:, :2]), trajectory.obs[:, :2], atol=1e-6)


def test_rewards_and_states_are_those_of_the_simulator() -> None:
    spec = resolve("cheetah")
    stage = Stage(spec, seed=3, n_envs=1)
    trajectory = stage.play(None, 25)[0]
    assert trajectory.sim is not None
    sim = Simulator(spec)
    sim.reset(seed=0)
    behind = sim.mujoco
    assert behind is not None
    mujoco.mj_resetData(behind.model, behind.data)
    behind.data.qpos[:], behind.data.qvel[:] = trajectory.sim[0, :9], trajectory.sim[0, 9:]
    mujoco.mj_forward(behind.model, behind.data)
    for t in range(25):
        step = sim.step(trajectory.act[t])
        assert step.env_rew == pytest.approx(float(trajectory.env_rew[t]), abs=1e-9)
        assert np.allclose(step.obs, trajectory.obs[t + 1], atol=1e-5)
    speed = (trajectory.sim[1:, 0] - trajectory.sim[:-1, 0]) / 0.05
    assert np.allclose(speed, trajectory.env_rew)


def test_segments_lie_within_what_was_played() -> None:
    stage = reacher()
    played = stage.play(None, 200)
    assert sum(len(t) for t in played) == 200
    assert sum(len(t) == 20 for t in played) == 10
    segment = played[0].segment(5, 15)
    assert segment.source.start == 5
    assert segment.sim is not None
    assert len(segment.sim) == 15


def test_at_least_as_many_steps_as_asked_for() -> None:
    stage = reacher(n_envs=3)
    assert sum(len(t) for t in stage.play(None, 10)) == 12
    assert stage.play(None, 0) == []


def test_same_seed_same_play_and_another_seed_another() -> None:
    first, again, other = (Stage(resolve("reacher"), seed=s).play(None, 120) for s in (1, 1, 2))
    assert all((a.obs == b.obs).all() and (a.act == b.act).all() for a, b in zip(first, again, strict=True))
    assert (first[0].act != other[0].act).any()
    assert (first[0].obs[0] != other[0].obs[0]).any()
    assert (first[0].obs[0] != first[1].obs[0]).any()


def test_later_play_leaves_earlier_trajectories_alone() -> None:
    stage = reacher()
    first = stage.play(None, 50)
    copies = [(t.obs.copy(), t.act.copy(), t.env_rew.copy(), None if t.sim is None else t.sim.copy()) for t in first]
    stage.play(None, 50)
    for trajectory, (obs, act, env_rew, sim) in zip(first, copies, strict=True):
        assert (trajectory.obs == obs).all()
        assert (trajectory.act == act).all()
        assert (trajectory.env_rew == env_rew).all()
        assert sim is not None
        assert (trajectory.sim == sim).all()


def test_a_stock_environment_without_mujoco_plays_too() -> None:
    stage = Stage(resolve("gym:CartPole-v1"), seed=0)
    played = stage.play(None, 300)
    assert stage.model is None
    assert all(t.sim is None and t.act.dtype == np.int64 and t.act.shape == (len(t),) for t in played)
    assert [t.terminated for t in played[:-2]] == [True] * (len(played) - 2)
    assert all(set(t.act.tolist()) <= {0, 1} for t in played)
    assert len({t.source.episode for t in played}) == len(played)
    stage.close()
    stage.close()


def test_the_model_is_within_reach() -> None:
    stage = Stage(resolve("hopper"), seed=0)
    assert isinstance(stage.model, mujoco.MjModel)
    assert stage.model.nq + stage.model.nv == 12
    assert stage.obs_space.shape == (11,)
    assert stage.act_space == gym.spaces.Box(-1.0, 1.0, (3,), np.float32)


def test_a_stage_needs_an_environment() -> None:
    with pytest.raises(UserError, match="0 environments given"):
        reacher(n_envs=0)


def test_random_actions_fill_the_space() -> None:
    rng = np.random.default_rng(0)
    box = gym.spaces.Box(np.array([-1.0, 2.0], np.float32), np.array([1.0, 6.0], np.float32))
    drawn = random_actions(box, 4000, rng)
    assert drawn.dtype == np.float32
    assert np.allclose(drawn.mean(axis=0), [0.0, 4.0], atol=0.1)
    assert np.allclose(drawn.min(axis=0), [-1.0, 2.0], atol=0.01)
    assert np.bincount(random_actions(gym.spaces.Discrete(3), 300, rng)).min() > 70
