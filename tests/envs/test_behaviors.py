"""Judges prefer what a person would, in both simulators alike, and measures count what a person would count."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rl_teacher.envs.behaviors import BEHAVIORS, resolve
from rl_teacher.envs.evaluate import evaluate
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.nine import TASKS
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.stage import Stage, random_actions
from rl_teacher.errors import BrokenEnvironmentError, NotFiniteError, UserError
from tests import screens
from tests.envs.test_evaluate import Still

N_OBS = {"hopper": 11, "walker": 17, "cheetah": 17, "reacher": 10}


def hopper(z: float = 1.25, pitch: float = 0.0, spin: float = 0.0) -> np.ndarray:
    """Straight as a stick."""
    return np.array([z, pitch, 0, 0, 0, 0, 0, spin, 0, 0, 0], dtype=np.float64)


def walker(
    z: float = 1.25, pitch: float = 0.0, left: tuple[float, float] = (0.0, 0.0), speed: float = 0.0
) -> np.ndarray:
    """The right leg straight, the left one bent at hip and knee."""
    return np.array([z, pitch, 0, 0, 0, *left, 0, speed, *[0.0] * 8], dtype=np.float64)


def cheetah(pitch: float = 0.0, speed: float = 0.0) -> np.ndarray:
    return np.array([-0.13, pitch, 0, 0, 0, 0, 0, 0, speed, *[0.0] * 8], dtype=np.float64)


def reacher(
    angle: float, elbow: float = 0.0, speed: float = 0.0, target: tuple[float, float] = (0.1, 0.0)
) -> np.ndarray:
    tip = 0.1 * np.array([np.cos(angle), np.sin(angle)])
    tip += 0.11 * np.array([np.cos(angle + elbow), np.sin(angle + elbow)])
    bent = np.array([np.cos(angle), np.cos(elbow), np.sin(angle), np.sin(elbow)])
    return np.concatenate([bent, target, [speed, 0.0], tip - target])


ORDERS = {  # best first: each must be judged better than the next
    "hopper-backflip": [
        hopper(z=1.6, pitch=-3.0, spin=-6.0),  # upside down, high in the air
        hopper(z=1.2, pitch=-1.0, spin=-3.0),  # slower
        hopper(z=0.65, pitch=-1.0, spin=-6.0),  # fast, but on its way over a foot on the floor
        hopper(),  # standing
        hopper(z=0.25, pitch=-3.0, spin=-6.0),  # over its head on the floor
        hopper(z=0.1, pitch=-1.5),  # lying on its back
        hopper(z=1.6, pitch=3.0, spin=6.0),  # a somersault forward
    ],
    "walker-ballet": [
        walker(left=(-1.5, -1.5)),
        walker(left=(-0.4, -0.4)),
        walker(left=(-0.4, -0.4), speed=3.0),
        walker(),  # on both feet
        walker(z=0.9, pitch=0.6),  # stooping
        walker(z=0.2, pitch=1.5),  # lying
    ],
    "cheetah-one-leg": [
        cheetah(pitch=-0.4, speed=4.0),
        cheetah(pitch=-0.4, speed=1.0),
        cheetah(pitch=-0.4),
        cheetah(pitch=0.05, speed=4.0),  # on both
        cheetah(pitch=-0.4, speed=-2.0),
    ],
    "reacher-spin": [
        reacher(1.0, speed=19.0),
        reacher(1.0, elbow=2.0, speed=19.0),  # folded
        reacher(1.0, speed=5.0),
        reacher(1.0),
        reacher(1.0, speed=-19.0),
    ],
    "reacher-opposite": [
        reacher(np.pi),
        reacher(np.pi - 0.3),
        reacher(np.pi - 1.0),
        reacher(0.0),  # over the target
    ],
}


@pytest.mark.parametrize("name", BEHAVIORS)
def test_a_judge_orders_poses_as_a_person_would(name: str) -> None:
    rewards = BEHAVIORS[name].judge(np.stack(ORDERS[name]), {})
    assert rewards.shape == (len(ORDERS[name]),)
    assert (np.diff(rewards) < 0).all(), rewards


@pytest.mark.parametrize("name", BEHAVIORS)
def test_a_judge_is_bounded_continuous_and_judges_many_as_one(name: str) -> None:
    behavior = BEHAVIORS[name]
    rng = np.random.default_rng(0)
    obs = rng.normal(0.0, 3.0, (5, 40, N_OBS[behavior.task]))
    if behavior.task == "reacher":
        obs[..., :4] = np.cos(obs[..., :4])  # they are cosines and sines
    many = behavior.judge(obs, {})
    assert many.shape == (5, 40)
    assert many.dtype == np.float64
    assert many[3, 7] == pytest.approx(float(behavior.judge(obs[3, 7], {})))
    if name != "reacher-opposite":  # a distance, which only the arm's length bounds
        assert np.abs(many).max() <= 2.0
    assert np.abs(behavior.judge(obs + 1e-7, {}) - many).max() < 1e-5


@pytest.mark.parametrize("z", [0.3, 1.25, 1.6])
def test_a_hopper_that_rocks_earns_no_more_than_one_that_stands_still(z: float) -> None:
    judge = BEHAVIORS["hopper-backflip"].judge
    to_and_fro = judge(np.stack([hopper(z=z, spin=-4.0), hopper(z=z, spin=4.0)]), {})
    assert to_and_fro.mean() <= float(judge(hopper(z=z), {}))


@pytest.mark.parametrize("name", BEHAVIORS)
def test_a_behavior_is_its_task_with_another_reward(name: str) -> None:
    spec, task = resolve(None, name), TASKS[BEHAVIORS[name].task]
    assert spec.task is not None
    assert (spec.behavior, spec.task.name, spec.clip_steps) == (name, task.name, task.clip_steps)
    assert spec.instructions == spec.task.instructions == BEHAVIORS[name].instructions != task.instructions
    assert "\n" not in spec.instructions


@pytest.mark.parametrize("name", BEHAVIORS)
def test_a_simulator_gives_the_judges_reward_and_what_the_hook_shows(name: str) -> None:
    """Parity of the two back ends: tests/envs/test_parity.py."""
    spec = resolve(None, name)
    sim, behavior, rng = Simulator(spec), BEHAVIORS[name], np.random.default_rng(0)
    sim.reset(seed=0)
    for _ in range(20):
        step = sim.step(random_actions(sim.act_space, 1, rng)[0])
        raw = sim.mujoco._get_obs()  # type: ignore[union-attr]
        assert step.env_rew == pytest.approx(float(behavior.judge(raw, {})))
        np.testing.assert_array_equal(step.obs, behavior.see(raw) if behavior.see else raw)


def test_after_a_turn_the_hopper_looks_as_before() -> None:
    spec = resolve(None, "hopper-backflip")
    sim = Simulator(spec)
    behind: Any = sim.mujoco
    seen = []
    for turns in (0, 1, -2):
        sim.reset(seed=0)
        qpos = np.array([0.0, 1.5, 0.3 + 2.0 * np.pi * turns, 0.0, 0.0, 0.0])
        behind.set_state(qpos, np.zeros(6))
        seen.append(sim.step(np.zeros(3, dtype=np.float32)))
    for step in seen[1:]:
        np.testing.assert_allclose(step.obs, seen[0].obs, atol=1e-9)
        assert step.env_rew == pytest.approx(seen[0].env_rew)
    assert all(-np.pi <= step.obs[1] < np.pi for step in seen)


# What measures count


def flip(turns: float = 1.0, z: float = 1.6) -> np.ndarray:
    """Stand, turn backward at a height, stand again."""
    pitch = -2.0 * np.pi * np.concatenate([np.zeros(20), np.linspace(0.0, turns, 60), np.full(20, turns)])
    high = np.where(np.cos(pitch) > 0.99, 1.25, z)
    seen = BEHAVIORS["hopper-backflip"].see
    assert seen is not None
    return seen(np.stack([hopper(height, angle) for height, angle in zip(high, pitch, strict=True)])).astype(np.float32)


@pytest.mark.parametrize(
    ("episode", "flips", "landed"),
    [
        (flip(), 1, 1),
        (np.concatenate([flip(), flip()]), 2, 2),
        (flip(turns=0.7), 0, 0),  # it never comes to its foot again
        (flip(turns=-1.0), 0, 0),  # forward
        (flip(z=0.2), 0, 0),  # rolled over its head on the floor
        (flip(turns=0.0), 0, 0),
    ],
)
def test_a_backflip_counts_if_it_is_full_in_the_air_and_landed(episode: np.ndarray, flips: int, landed: int) -> None:
    found = BEHAVIORS["hopper-backflip"].measure(episode)
    assert (found["flips"], found["landed"]) == (flips, landed)
    assert found["success"] == float(flips > 0)


def test_the_other_measures_are_shares_of_the_steps() -> None:
    half = {
        "walker-ballet": [walker(left=(-1.5, -1.5)), walker()],
        "cheetah-one-leg": [cheetah(pitch=-0.4, speed=3.0), cheetah(pitch=0.05, speed=3.0)],
        "reacher-spin": [reacher(1.0, speed=19.0), reacher(1.0)],
    }
    for name, (good, bad) in half.items():
        episode = np.stack([bad] + [good, bad] * 10).astype(np.float32)
        assert BEHAVIORS[name].measure(episode)["success"] == pytest.approx(0.5), name
    assert BEHAVIORS["reacher-spin"].measure(np.stack([reacher(1.0, speed=2.0 * np.pi)] * 9))["turns_per_second"] == (
        pytest.approx(1.0)
    )
    last = np.stack([reacher(0.0)] * 10 + [reacher(np.pi)] * 10)
    assert BEHAVIORS["reacher-opposite"].measure(last) == pytest.approx({"success": 1.0, "distance": 0.0}, abs=1e-9)


def test_an_evaluation_measures_a_behavior_and_nothing_else() -> None:
    found = evaluate(Still((2,)), resolve(None, "reacher-opposite"), n_episodes=3)
    assert set(found.measures) == {"success", "distance"}
    assert found.mean < 0
    assert evaluate(Still((2,)), resolve("Reacher-v1"), n_episodes=3).measures == {}


# Names


def test_a_variant_of_the_behaviors_task_is_allowed_and_another_is_not() -> None:
    assert resolve("ShortHopper-v1", "hopper-backflip").episode_steps == 300
    with pytest.raises(UserError, match=r"-e Reacher-v1 given with --behavior hopper-backflip.*-e hopper"):
        resolve("Reacher-v1", "hopper-backflip")
    with pytest.raises(UserError, match="-e gym:Hopper-v5 given with --behavior hopper-backflip"):
        resolve("gym:Hopper-v5", "hopper-backflip")


def test_an_unknown_behavior_is_told_the_names() -> None:
    with pytest.raises(UserError, match=r"Unknown behavior 'backflip'.*Did you mean hopper-backflip\?.*walker-ballet"):
        resolve(None, "backflip")


# Judges of the user's own


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Iterator[Any]:
    """Writes a module `my_judges` with these lines and gives the name of a function in it."""

    def write(body: str, name: str = "judge") -> str:
        (tmp_path / "my_judges.py").write_text(body)
        sys.modules.pop("my_judges", None)
        return f"my_judges:{name}"

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield write
    sys.modules.pop("my_judges", None)


LOW = "def judge(obs):\n    return -obs[..., 0]\n"


@pytest.mark.parametrize("env_id", ["hopper", "gym:CartPole-v1"])
def test_a_judge_of_ones_own_gives_the_reward_everywhere(mine, env_id: str) -> None:
    spec = resolve(env_id, mine(LOW))
    assert spec.behavior == "my_judges:judge"
    env = make_vec(spec, 3, seed=0)
    env.reset()
    act = np.zeros((3, *(env.act_space.shape or ())), dtype=env.act_space.dtype)
    step = env.step(act)
    np.testing.assert_allclose(step.env_rew, -step.obs[:, 0], rtol=1e-6)
    env.close()
    stage = Stage(spec, seed=0)
    for played in stage.play(None, 40):
        np.testing.assert_allclose(played.env_rew, -played.obs[1:, 0], rtol=1e-6)
    stage.close()


def test_a_judge_of_ones_own_sees_whole_pictures(mine) -> None:
    name = mine("def judge(obs):\n    return obs[..., :42, :].mean((-2, -1)) - obs[..., 42:, :].mean((-2, -1))\n")
    spec = resolve(f"gym:{screens.__name__}:Screen-v0", name)
    env = make_vec(spec, 3, seed=0)
    env.reset()
    step = env.step(np.ones(3, dtype=np.int64))
    halves = step.obs.astype(float).reshape(3, 2, 42 * 84).mean(-1)
    np.testing.assert_allclose(step.env_rew, halves[:, 0] - halves[:, 1])
    env.close()
    with pytest.raises(UserError, match=r"returned shape \(7, 84\) for observations \(7, 84, 84\)"):
        resolve(spec.env_id, mine("def judge(obs):\n    return obs[..., 0]\n"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("import nowhere_at_all", "importing it raised ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def other(obs):\n    return 0", "my_judges has no function 'judge'. Its functions: other"),
        ("judge = 3", "my_judges has no function 'judge'. Its functions: none"),
        ("def judge(obs):\n    raise ValueError('too\\nhot')", r"raised ValueError: too hot \(.*my_judges.py:2\)"),
        ("def judge(obs):\n    return obs[..., 99]", "raised IndexError"),
        ("def judge(obs):\n    return 'good'", "raised ValueError"),
        ("def judge(obs):\n    return obs[..., 0] * float('nan')", "returned nan for an observation"),
        ("def judge(obs):\n    return obs", r"returned shape \(7, 11\) for observations \(7, 11\)"),
        ("def judge(obs):\n    return obs[0]", r"returned shape \(11,\) for observations \(7, 11\)"),
        ("def judge(obs):\n    return obs[..., 0] - obs[..., 0].mean()", "together otherwise than one by one"),
    ],
)
def test_a_judge_that_cannot_be_used_is_refused_in_one_line(mine, body: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        resolve("hopper", mine(body))
    assert not isinstance(caught.value, (BrokenEnvironmentError, NotFiniteError))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [":judge", "my_judges:", "no_such_module:judge"])
def test_half_a_name_says_how_to_write_it(given: str) -> None:
    with pytest.raises(UserError, match=r"allowed is MODULE:FUNCTION, with MODULE on PYTHONPATH"):
        resolve("hopper", given)


def test_a_judge_of_ones_own_needs_an_environment(mine) -> None:
    with pytest.raises(UserError, match="Give -e/--env_id"):
        resolve(None, mine(LOW))


def test_a_judge_that_fails_later_is_told_as_what_it_is(mine) -> None:
    spec = resolve("hopper", mine("import numpy as np\nbad = 0.0\ndef judge(obs):\n    return obs[..., 0] + bad\n"))
    sim = Simulator(spec)
    sim.reset(seed=0)
    sys.modules["my_judges"].bad = float("inf")  # type: ignore[attr-defined]
    with pytest.raises(NotFiniteError, match=r"The judge 'my_judges:judge' returned inf"):
        sim.step(np.zeros(3, dtype=np.float32))
    sys.modules["my_judges"].bad = "x"  # type: ignore[attr-defined]
    with pytest.raises(BrokenEnvironmentError, match=r"The judge 'my_judges:judge' raised .*my_judges.py:4"):
        sim.step(np.zeros(3, dtype=np.float32))


def test_a_judge_that_writes_into_what_it_is_given_changes_nothing(mine) -> None:
    spec = resolve("hopper", mine("def judge(obs):\n    obs[..., 0] = 9.0\n    return obs[..., 0]\n"))
    sim = Simulator(spec)
    assert sim.reset(seed=0)[0] < 2.0
    assert sim.step(np.zeros(3, dtype=np.float32)).obs[0] < 2.0
