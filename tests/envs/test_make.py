import numpy as np
import pytest

from rl_teacher.envs.make import EnvPoolVec, GymnasiumVec, has_envpool, make_vec
from rl_teacher.envs.nine import TASKS
from rl_teacher.envs.stage import random_actions
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError
from rl_teacher.protocols import VecEnv, VecStep

BACKENDS = [
    pytest.param("envpool", marks=pytest.mark.skipif(not has_envpool(), reason="EnvPool is not installed here")),
    "gymnasium",
]


def play(env: VecEnv, n_steps: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray], list[VecStep]]:
    rng = np.random.default_rng(seed)
    seen, acts, steps = [env.reset()], [], []
    for _ in range(n_steps):
        acts.append(random_actions(env.act_space, env.n_envs, rng))
        steps.append(env.step(acts[-1]))
        seen.append(steps[-1].obs)
    env.close()
    return seen, acts, steps


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_step_after_the_end_is_the_reset_and_earns_nothing(backend: str) -> None:
    spec = resolve("ShortReacher-v1")  # 20 steps
    seen, _, steps = play(make_vec(spec, 3, seed=1, backend=backend), 45)
    ends = [t for t, step in enumerate(steps) if step.truncated.all()]
    assert ends == [19, 40]
    assert [t for t, step in enumerate(steps) if step.truncated.any()] == ends
    for t in (20, 41):
        assert (steps[t].env_rew == 0.0).all()
        # at an episode's first observation the arm lies along x, within 0.1 rad
        assert (seen[t + 1][:, :2] > 0.99).all()
        assert (np.abs(seen[t + 1][:, 4:6] - seen[t][:, 4:6]) > 1e-6).any()  # another target
    for t in (18, 19, 21):
        assert (steps[t].env_rew < 0.0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_action_of_the_resetting_step_is_ignored(backend: str) -> None:
    spec = resolve("pendulum")  # 25 steps
    first = []
    for sign in (-3.0, 3.0):
        env = make_vec(spec, 2, seed=5, backend=backend)
        env.reset()
        for _ in range(25):
            step = env.step(np.zeros((2, 1), dtype=np.float32))
        assert step.truncated.all()
        first.append(env.step(np.full((2, 1), sign, dtype=np.float32)).obs)
        env.close()
    assert (first[0] == first[1]).all()


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_but_the_clock_ends_an_episode(backend: str, name: str) -> None:
    env = make_vec(resolve(name), 4, seed=2, backend=backend)
    env.reset()
    strong = np.broadcast_to(env.act_space.high, (4, *env.act_space.shape))  # type: ignore[attr-defined]
    for t in range(min(TASKS[name].episode_steps - 1, 120)):
        step = env.step(strong if t % 30 < 15 else -strong)
        assert not step.terminated.any()
        assert not step.truncated.any()
        assert np.isfinite(step.env_rew).all()
        assert step.env_rew.dtype == np.float64
        assert step.obs.dtype == np.float32
        assert step.obs.shape == (4, *env.obs_space.shape)
    env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_clock_ends_every_episode_at_the_tasks_length(backend: str) -> None:
    env = make_vec(resolve("ShortHopper-v3"), 2, seed=0, backend=backend)
    env.reset()
    for t in range(1, 301):
        step = env.step(np.zeros((2, 3), dtype=np.float32))
        assert step.truncated.tolist() == [t == 300] * 2
    env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_staggered_copies_end_at_different_times_for_ever_and_are_otherwise_as_before(backend: str) -> None:
    spec = resolve("ShortReacher-v1")  # 20 steps
    together, _, _ = play(make_vec(spec, 4, seed=1, backend=backend), 90)
    seen, _, steps = play(make_vec(spec, 4, seed=1, backend=backend, staggered=True), 90)
    ends = [[t for t, step in enumerate(steps) if step.truncated[i]] for i in range(4)]
    assert sorted(first for first, *_ in ends) == [0, 6, 12, 19]
    for i, (first, *later) in enumerate(ends):
        assert np.diff([first, *later]).tolist() == [21] * len(later)  # 20 steps and the reset
        assert len(later) >= 3
        np.testing.assert_array_equal([obs[i] for obs in seen[: first + 2]], [obs[i] for obs in together[: first + 2]])
        for end in ends[i][:3]:
            assert steps[end].env_rew[i] < 0.0
            assert steps[end + 1].env_rew[i] == 0.0
            assert (seen[end + 2][i, :2] > 0.99).all()  # the arm lies along x again, within 0.1 rad


@pytest.mark.parametrize("backend", BACKENDS)
def test_same_seed_same_trajectories_and_each_copy_goes_its_own_way(backend: str) -> None:
    spec = resolve("ShortReacher-v1")
    runs = [play(make_vec(spec, 4, seed=seed, backend=backend), 45) for seed in (7, 7, 8)]
    (a, _, a_steps), (b, _, b_steps), (c, _, _) = runs
    assert all((x == y).all() for x, y in zip(a, b, strict=True))
    assert all((x.env_rew == y.env_rew).all() for x, y in zip(a_steps, b_steps, strict=True))
    assert len(np.unique(np.concatenate([a[0], c[0], a[21]])[:, 4])) == 12  # twelve different targets


@pytest.mark.parametrize("backend", BACKENDS)
def test_seeds_that_are_neighbours_share_no_environment(backend: str) -> None:
    targets = [play(make_vec(resolve("reacher"), 8, seed, backend=backend), 1)[0][0][:, 4] for seed in (0, 1, 2)]
    assert len(np.unique(np.concatenate(targets))) == 24


def test_arrays_that_were_handed_out_do_not_change_later() -> None:
    env = make_vec(resolve("ShortReacher-v1"), 3, seed=0)
    env.reset()
    rng = np.random.default_rng(0)
    steps, copies = [], []
    for _ in range(45):
        step = env.step(random_actions(env.act_space, 3, rng))
        steps.append(step)
        copies.append([x.copy() for x in (step.obs, step.env_rew, step.terminated, step.truncated)])
    for step, copy in zip(steps, copies, strict=True):
        for then, now in zip(copy, (step.obs, step.env_rew, step.terminated, step.truncated), strict=True):
            assert (then == now).all()


def test_the_fast_simulator_serves_our_tasks_and_gymnasium_the_rest() -> None:
    stock = make_vec(resolve("gym:CartPole-v1"), 1, seed=0)
    assert isinstance(stock, GymnasiumVec)
    ours = make_vec(resolve("reacher"), 2, seed=0, n_threads=8)
    assert isinstance(ours, EnvPoolVec if has_envpool() else GymnasiumVec)
    for env in (stock, ours):
        env.close()
        env.close()


def test_what_cannot_be_made_is_refused() -> None:
    spec = resolve("reacher")
    with pytest.raises(UserError, match="0 environments given"):
        make_vec(spec, 0, seed=0)
    with pytest.raises(UserError, match="-1 simulator threads given"):
        make_vec(spec, 1, seed=0, n_threads=-1)
    with pytest.raises(UserError, match=r"back end 'envpol'. Did you mean envpool"):
        make_vec(spec, 1, seed=0, backend="envpol")
    with pytest.raises(UserError, match="which it does not serve"):
        make_vec(resolve("gym:CartPole-v1"), 1, seed=0, backend="envpool")
