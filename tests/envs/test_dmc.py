"""DeepMind Control: the package plays on the stage, EnvPool's own form in the learner, and both are the same task."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import mujoco
import numpy as np
import pytest

from rl_teacher.clips.making import FromPoses
from rl_teacher.clips.poses import poses
from rl_teacher.envs.dmc import SAME_IN_ENVPOOL, _suite
from rl_teacher.envs.make import EnvPoolVec, GymnasiumVec, has_envpool, make_vec
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.sources import fast_form
from rl_teacher.envs.stage import Stage, random_actions
from rl_teacher.envs.tasks import resolve
from rl_teacher.sight import make_maker
from tests.commands import refused, summary, teach

pytest.importorskip("dm_control.suite", reason="dm_control is not installed here: pip install 'rl-teacher[dmc]'")
N_STEPS = 10
BOUND = 1e-12
"""Greatest difference of an observation within ten steps, absolute below 1 and relative above."""
BOUND_REW = 1e-7
"""The same of a reward: EnvPool's are float32."""


def angle(cos_sin: np.ndarray) -> np.ndarray:
    """Angles (n,) of (cos, sin) pairs (n, 2)."""
    return np.arctan2(cos_sin[:, 1], cos_sin[:, 0])


def rebuilt(domain: str, obs: Mapping[str, np.ndarray], model: Any) -> tuple[np.ndarray, np.ndarray]:
    """(qpos, qvel) from an observation; where something moves along and does not matter, it is at 0."""
    if domain in ("cheetah", "hopper"):
        return np.r_[0.0, obs["position"]], obs["velocity"]
    if domain == "cartpole":  # each pole's angle to the world
        position = obs["position"]
        return np.r_[position[0], np.diff(angle(position[1:].reshape(-1, 2)), prepend=0.0)], obs["velocity"]
    if domain == "pendulum":
        return angle(obs["orientation"][None]), obs["velocity"]
    if domain == "acrobot":  # sines of both links, then cosines
        return np.diff(angle(obs["orientations"].reshape(2, 2).T[:, ::-1]), prepend=0.0), obs["velocity"]
    if domain == "walker":  # each limb's angle about y to the world
        limbs = angle(obs["orientations"].reshape(-1, 2))
        above = model.body_parentid[2:] - 1
        turns = (limbs[1:] - limbs[above] + np.pi) % (2.0 * np.pi) - np.pi  # joints have limits
        turns *= model.jnt_axis[3:, 1]
        return np.r_[obs["height"] - model.body_pos[1, 2], 0.0, limbs[0], turns], obs["velocity"]
    return obs["position"], obs["velocity"]


def put(sim: Simulator, domain: str, obs: Mapping[str, np.ndarray]) -> None:
    """Bring the package's simulator into the state of which EnvPool gave this observation."""
    sim.reset(seed=0)
    control: Any = sim._env.unwrapped
    physics = control._control.physics
    qpos, qvel = rebuilt(domain, obs, control.model)
    with physics.reset_context():
        physics.data.qpos[:], physics.data.qvel[:] = qpos, qvel
    if domain == "reacher":
        physics.named.model.geom_pos["target", :2] = physics.named.data.geom_xpos["finger", :2] + obs["to_target"]
        physics.forward()


@pytest.mark.skipif(not has_envpool(), reason="EnvPool is not installed here")
@pytest.mark.parametrize("name", SAME_IN_ENVPOOL)
def test_both_simulators_give_the_same_observations_and_rewards(name: str) -> None:
    spec = resolve(f"dm:{name}")
    assert spec.fast is not None
    highest, moved = 0.0, 0.0
    with closing(EnvPoolVec(spec, spec.fast, 3, 5, n_threads=1)) as fast:
        raw: Any = fast._env
        obs, _ = raw.reset()
        sims = [Simulator(spec) for _ in range(3)]
        assert fast.act_space == sims[0].act_space
        assert fast.obs_space.shape == sims[0].obs_space.shape
        for i, sim in enumerate(sims):
            put(sim, name.split("-")[0], {part: values[i] for part, values in obs.items()})
        first = spec.fast.row(obs)
        rng = np.random.default_rng(1)
        for _ in range(N_STEPS):
            act = random_actions(fast.act_space, 3, rng)
            obs, rew, terminated, truncated, _ = raw.step(act)
            steps = [sim.step(act[i]) for i, sim in enumerate(sims)]
            theirs = np.stack([step.obs for step in steps])
            np.testing.assert_allclose(spec.fast.row(obs), theirs, rtol=BOUND, atol=BOUND)
            np.testing.assert_allclose(rew, [step.env_rew for step in steps], rtol=0, atol=BOUND_REW)
            assert not (terminated | truncated).any()
            highest, moved = max(highest, rew.max()), max(moved, np.abs(theirs - first).max())
            assert rew.min() >= 0.0
            assert rew.max() <= 1.0
    assert moved > 1e-3


def test_episodes_last_a_thousand_steps_in_both_and_clips_are_those_of_b_pref() -> None:
    spec = resolve("dm:cheetah-run")
    assert (spec.episode_steps, spec.clip_steps, spec.dt, spec.fps) == (1000, 50, 0.01, 50.0)
    assert spec.instructions == "Run to the right as fast as possible."
    for kind in (EnvPoolVec, GymnasiumVec) if has_envpool() else (GymnasiumVec,):
        with closing(make_vec(spec, 2, 0, 1, {EnvPoolVec: "envpool"}.get(kind, "gymnasium"))) as env:
            assert isinstance(env, kind)
            env.reset()
            act = np.zeros((2, 6), dtype=np.float32)
            steps = [env.step(act) for _ in range(1_000)]
        ends = np.array([[step.terminated, step.truncated] for step in steps])
        assert not ends[:, 0].any()
        assert not ends[:-1].any()
        assert ends[-1, 1].all()


def test_what_no_test_compares_is_played_by_the_package_in_both() -> None:
    assert fast_form("dm:quadruped-walk") is None
    assert fast_form("dm:point_mass-hard") is None
    with closing(make_vec(resolve("dm:point_mass-hard"), 1, 0)) as env:
        assert isinstance(env, GymnasiumVec)


def test_the_same_seed_gives_the_same_play() -> None:
    def played(seed: int) -> np.ndarray:
        with closing(Stage(resolve("dm:reacher-easy"), seed, n_envs=1)) as stage:
            return stage.play(None, 20)[0].obs

    assert (played(3) == played(3)).all()
    assert (played(3) != played(4)).any()


def test_poses_show_the_target_where_it_was_in_that_episode() -> None:
    spec = resolve("dm:reacher-easy")
    with closing(Stage(spec, 0, n_envs=2)) as stage:
        maker = make_maker(spec, stage.model, None, for_people=True)
        assert isinstance(maker, FromPoses)
        here, there = stage.play(None, 40)
        model: Any = stage.model
        before = model.geom_pos.copy()
        target = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, "target")
        for played in (here, there):
            drawn = np.frombuffer(maker.clip(played).data, "<f4").reshape(21, -1, 7)
            finger = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, "finger")
            to_target = drawn[:, _drawn_at(model, target), :2] - drawn[:, _drawn_at(model, finger), :2]
            np.testing.assert_allclose(to_target, played.obs[:, 2:4], atol=1e-6)
        assert (model.geom_pos == before).all()  # the stage goes on as if nobody had drawn anything
        assert here.sim is not None
        assert poses(maker._model, here.sim[:, : model.nq + model.nv])  # of a record without furniture


def _drawn_at(model: Any, geom: int) -> int:
    from rl_teacher.clips.poses import visible

    return int(np.flatnonzero(visible(model) == geom)[0])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("dm:walker-wlak", "Did you mean walker-walk"),
        ("dm:", "Wanted is dm:DOMAIN-TASK"),
        (f"dm:{'x' * 900}", "Wanted is dm:DOMAIN-TASK"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(given: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(f"-p rl -n x -e {given}", capsys)
    assert says in error
    assert len(error) < 800


def test_the_package_is_imported_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _suite("dm:walker-walk").ALL_TASKS


def test_a_run_is_taught(capsys: pytest.CaptureFixture[str]) -> None:
    assert teach("-p synth -l 10 -e dm:cartpole-balance -n cart -t 6000 -V -w 1") == 0
    assert "ends episodes early" not in capsys.readouterr().out
    assert 0.0 < summary("cart")["true_return"]["mean"] <= 1000.0
