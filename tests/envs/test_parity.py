"""EnvPool and Gymnasium must be the same task: a policy learns in one and is shown in the other."""

from typing import Any

import mujoco
import numpy as np
import pytest

from rl_teacher.envs.make import EnvPoolVec, has_envpool
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.stage import random_actions
from rl_teacher.envs.tasks import TASKS, resolve

pytestmark = pytest.mark.skipif(not has_envpool(), reason="EnvPool is not installed here")

N_ENVS, N_STEPS = 4, 10
SIMULATED = dict.fromkeys(TASKS, 1e-09) | {"humanoid": 2e-5}
"""Greatest difference in float64. The humanoid's solver stops at a tolerance, and feet on the ground amplify it."""


def rebuilt(name: str, obs: np.ndarray, x: list[float], n_qpos: int, n_qvel: int) -> tuple[np.ndarray, np.ndarray]:
    """(qpos, qvel) from one of EnvPool's observations and the position it leaves out."""
    if name == "reacher":
        angles = np.arctan2(obs[2:4], obs[0:2])
        return np.concatenate([angles, obs[4:6]]), np.concatenate([obs[6:8], [0.0, 0.0]])
    if name == "doublependulum":
        return np.concatenate([obs[:1], np.arctan2(obs[1:3], obs[3:5])]), obs[5:8]
    n_seen = n_qpos - len(x)
    return np.concatenate([x, obs[:n_seen]]), obs[n_seen : n_seen + n_qvel]


def put(sim: Simulator, name: str, obs: np.ndarray, info: dict[str, Any], i: int) -> None:
    """Bring the Gymnasium environment into the state of EnvPool's environment `i`."""
    sim.reset(seed=0)
    behind: Any = sim.mujoco
    left_out = {"pendulum": 0, "swimmer": 2, "ant": 2, "humanoid": 2}.get(name, 1)
    x = [float(info[key][i]) for key in ("x_position", "y_position")[:left_out] if key in info]
    mujoco.mj_resetData(behind.model, behind.data)
    behind.set_state(*rebuilt(name, obs, x, behind.model.nq, behind.model.nv))


@pytest.mark.parametrize("name", TASKS)
def test_both_simulators_give_the_same_observations_and_rewards(name: str) -> None:
    spec = resolve(name)
    fast = EnvPoolVec(spec, TASKS[name], N_ENVS, seed=3, n_threads=1)
    raw: Any = fast._env
    obs, info = raw.reset()
    sims = [Simulator(spec) for _ in range(N_ENVS)]
    for i, sim in enumerate(sims):
        put(sim, name, obs[i], info, i)
    assert fast.act_space == sims[0].act_space
    assert fast.obs_space.shape == sims[0].obs_space.shape
    rng = np.random.default_rng(0)
    farthest = 0.0
    for _ in range(N_STEPS):
        act = random_actions(fast.act_space, N_ENVS, rng)
        obs, _, _, _, info = raw.step(act)
        env_rew = TASKS[name].reward(obs, info)
        compared = obs[:, :8] if name == "doublependulum" else obs  # the rail's force is clipped by `EnvPoolVec`
        for i, sim in enumerate(sims):
            step = sim.step(act[i])
            np.testing.assert_allclose(compared[i], step.obs[: compared.shape[1]], rtol=1e-9, atol=SIMULATED[name])
            assert env_rew[i] == pytest.approx(step.env_rew, abs=1e-7)
            farthest = max(farthest, abs(step.env_rew))
    assert farthest > 0.01  # it did move
    fast.close()


@pytest.mark.parametrize("name", TASKS)
def test_what_a_learner_sees_is_what_the_stage_sees(name: str) -> None:
    spec = resolve(name)
    fast = EnvPoolVec(spec, TASKS[name], 1, seed=4, n_threads=1)
    obs, info = fast._env.reset()
    sim = Simulator(spec)
    put(sim, name, obs[0], info, 0)
    rng = np.random.default_rng(1)
    for _ in range(N_STEPS):
        act = random_actions(fast.act_space, 1, rng)
        ours, theirs = fast.step(act), sim.step(act[0])
        np.testing.assert_allclose(ours.obs[0], theirs.obs.astype(np.float32), rtol=1e-5, atol=1e-5)
        assert ours.env_rew[0] == pytest.approx(theirs.env_rew, abs=1e-6)
    fast.close()


def test_fast_joints_are_seen_unclipped_by_both() -> None:
    """Else the double pendulum's true reward would depend on what a learned one cannot see."""
    spec = resolve("doublependulum")
    fast = EnvPoolVec(spec, TASKS["doublependulum"], 8, seed=0, n_threads=1)
    sim = Simulator(spec)
    fast.reset()
    sim.reset(seed=0)
    fastest, hardest = np.zeros(2), 0.0
    for t in range(49):
        push = np.full((8, 1), 1.0 if t % 20 < 10 else -1.0, dtype=np.float32)
        ours, theirs = fast.step(push).obs, sim.step(push[0]).obs
        fastest = np.maximum(fastest, [np.abs(ours[:, 5:8]).max(), np.abs(theirs[5:8]).max()])
        hardest = max(hardest, np.abs(ours[:, 8]).max(), np.abs(theirs[8]).max())
    assert (fastest > 10.0).all()
    assert hardest == 10.0  # the rail's force stays clipped
    fast.close()
