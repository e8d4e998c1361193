from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from rl_teacher import load_policy, load_reward
from rl_teacher.agents.making import make_agent
from rl_teacher.agents.ppo import PPO
from rl_teacher.checkpoints import PARTS
from rl_teacher.cli import main
from rl_teacher.config import read_config
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.labels import Verdict
from rl_teacher.plug.wrappers import PredictedReward
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.runs import newest_checkpoint
from tests.commands import teach

RUNS = {
    "reacher": "-e Reacher-v1",
    "actions": "-e Reacher-v1 --set reward.use_act=true --set reward.wide=false",
    "discrete": "-e gym:CartPole-v1 --set reward.use_act=true",
    "several": "-e tests.several:Several --set reward.use_act=true",
    "paper": "-e gym:Pendulum-v1 --preset original --set reward.pretrain_iters=50",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Some finished runs, and what was exported of them."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        for name, words in RUNS.items():
            assert teach(f"-p synth -l 8 -n {name} -t 1500 -V -w 1 {words}") == 0
            assert main(["export", "reward", name]) == 0
            assert main(["export", "policy", name]) == 0
        assert teach("-p rl -e Reacher-v1 -n true -t 1500 -V -w 1") == 0
    return folder


def steps(obs_shape, act_space: gym.Space, n: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    """More than fit into one forward pass, some far outside of what was seen."""
    rng = np.random.default_rng(0)
    obs = (rng.normal(size=(n, *obs_shape)) * rng.choice([0.1, 1, 100], size=(n, 1))).astype(np.float32)
    act_space.seed(0)
    return obs, np.stack([act_space.sample() for _ in range(n)])


def reopened(runs: Path, name: str) -> tuple[RewardEnsemble, PPO]:
    """What the run itself has."""
    settings, checkpoint = newest_checkpoint(runs / "runs", name, PARTS["synth"])
    config = read_config(settings)
    env = make_vec(resolve(config.env_id), 1, 0)
    reward, agent = RewardEnsemble(env.obs_space, env.act_space, config.reward, 0), PPO(env, config.ppo, 0)
    reward.load(checkpoint)
    agent.load(checkpoint)
    return reward, agent


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_loaded_reward_is_the_runs_own_to_the_last_bit(runs, name):
    mine, _ = reopened(runs, name)
    reward = load_reward(runs / f"{name}-reward")
    obs, act = steps(reward.obs_shape, reward_space(runs, name))
    assert np.array_equal(reward(obs, act), mine.predict(obs, act))
    assert reward(obs[:6].reshape(2, 3, -1), act[:6].reshape(2, 3, *act.shape[1:])).shape == (2, 3)
    assert reward(obs[0], act[0]) == pytest.approx(reward(obs[:1], act[:1])[0], abs=1e-6)
    assert reward(obs[:0], act[:0]).shape == (0,)
    assert reward.about["run"] == name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reacher", "discrete", "several"])
def test_a_loaded_policy_is_the_runs_own_to_the_last_bit(runs, name):
    _, agent = reopened(runs, name)
    policy = load_policy(runs / f"{name}-policy")
    obs, _ = steps(policy.obs_shape, policy.act_space)
    act = policy(obs)
    assert np.array_equal(act, agent.act(obs, explore=False))
    assert all(policy.act_space.contains(one) for one in act[:50])
    assert policy(obs[0]).shape == act.shape[1:]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_the_torch_form_is_the_same_to_the_last_bit_for_any_number_of_rows(runs, name):
    reward, policy = load_reward(runs / f"{name}-reward"), load_policy(runs / f"{name}-policy")
    obs, act = steps(reward.obs_shape, reward_space(runs, name), n=33)
    files = runs / f"{name}-reward" / "reward.pt2", runs / f"{name}-policy" / "policy.pt2"
    program, acting = (torch.export.load(file).module() for file in files)
    for n in (33, 1, 0):
        seen, done = torch.from_numpy(obs[:n]), torch.from_numpy(act[:n])
        assert np.array_equal(program(seen, done), reward(obs[:n], act[:n]))
        assert np.array_equal(acting(seen), policy(obs[:n]))
    assert sum(file.stat().st_size for file in files) < 400_000


@pytest.mark.slow
def test_the_policy_of_another_librarys_agent_is_exported_too(monkeypatch, tmp_path, capsys):
    small = "--set learner.hidden=16 --set learner.random_steps=64 --set learner.minibatch=16"
    monkeypatch.chdir(tmp_path)
    assert teach(f"-p rl -e Reacher-v1 -n sac -a sb3:SAC -t 600 -V -w 1 {small}") == 0
    assert main(["export", "policy", "sac"]) == 0
    policy = load_policy("sac-policy")
    settings, checkpoint = newest_checkpoint(Path("runs"), "sac", PARTS["rl"])
    agent = make_agent(read_config(settings), make_vec(resolve("Reacher-v1"), 1, 0), 0, only_plays=True)
    agent.load(checkpoint)
    obs, _ = steps(policy.obs_shape, policy.act_space)
    np.testing.assert_allclose(policy(obs), agent.act(obs, explore=False), atol=1e-5)
    assert all(policy.act_space.contains(one) for one in policy(obs)[:50])
    if not importlib.util.find_spec("onnx"):
        return
    from onnx.reference import ReferenceEvaluator

    (best,) = ReferenceEvaluator("sac-policy/policy.onnx").run(None, {"obs": obs})
    np.testing.assert_allclose(best, policy(obs), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_an_export_of_an_earlier_version_is_still_a_policy(runs, tmp_path):
    """It says how large its layers are and nothing else."""
    folder = tmp_path / "old"
    shutil.copytree(runs / "reacher-policy", folder)
    edit(settings={"hidden": [64, 64]})(folder)
    obs, _ = steps((10,), gym.spaces.Box(-1, 1, (2,)), n=9)
    assert np.array_equal(load_policy(folder)(obs), load_policy(runs / "reacher-policy")(obs))
    edit(settings={"hidden": [64, 64], "squash": "square"})(folder)
    with pytest.raises(UserError, match=r"damaged: .*square"):
        load_policy(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_the_onnx_form_says_the_same_without_torch(runs, name):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'rl-teacher[onnx]'")
    from onnx.reference import ReferenceEvaluator

    onnx.checker.check_model(runs / f"{name}-reward" / "reward.onnx", full_check=True)
    reward, policy = load_reward(runs / f"{name}-reward"), load_policy(runs / f"{name}-policy")
    obs, act = steps(reward.obs_shape, reward_space(runs, name), n=33)
    graph = ReferenceEvaluator(str(runs / f"{name}-reward" / "reward.onnx"))
    (rew,) = graph.run(None, {"obs": obs, "act": act})
    np.testing.assert_allclose(rew, reward(obs, act), rtol=1e-4, atol=1e-5)
    (best,) = ReferenceEvaluator(str(runs / f"{name}-policy" / "policy.onnx")).run(None, {"obs": obs})
    np.testing.assert_allclose(best, policy(obs), rtol=1e-4, atol=1e-5)


def reward_space(runs: Path, name: str) -> gym.Space:
    return load_policy(runs / f"{name}-policy").act_space


@pytest.mark.slow
def test_what_it_cannot_use_is_named(runs):
    reward, chosen = load_reward(runs / "reacher-reward"), load_reward(runs / "discrete-reward")
    with pytest.raises(UserError, match=r"Observations of shape \(7, 12\) given; allowed is \(…, 10\)"):
        reward(np.zeros((7, 12)), np.zeros((7, 2)))
    bad = np.zeros((2, 10))
    bad[1, 4:6] = 1e300  # too large for a float32
    with pytest.raises(NotFiniteError, match=r"2 of 20 numbers .* first is inf at \[1, 4\]"):
        reward(bad, np.zeros((2, 2)))
    with pytest.raises(NotFiniteError, match="r̂ is not finite in 1 of 2 steps"):
        load_reward(runs / "actions-reward")(np.zeros((2, 10)), np.array([[0.0, np.nan], [0.0, 0.0]]))
    with pytest.raises(UserError, match="Actions from 0 to 2 given; allowed is 0 to 1"):
        chosen(np.zeros((3, 4)), np.arange(3))
    with pytest.raises(NotFiniteError, match="1 of 4 numbers"):
        load_policy(runs / "discrete-policy")(np.array([0, 0, np.nan, 0]))
    with pytest.raises(UserError, match=r"observations have shape \(3,\), the reward was learned from \(10,\)"):
        PredictedReward(gym.make("Pendulum-v1"), reward)
    wrapped = PredictedReward(gym.make("CartPole-v1"), chosen)
    obs, _ = wrapped.reset(seed=0)
    assert wrapped.step(1)[1] == pytest.approx(float(chosen(obs, 1)))


def spoil_tensors(folder: Path) -> None:
    file = folder / "reward.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def edit(**changes: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        said = json.loads((folder / "export.json").read_text())
        (folder / "export.json").write_text(json.dumps({**said, **changes}))

    return spoil


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_tensors, "damaged: reward.safetensors is not what was exported"),
        (lambda folder: (folder / "reward.safetensors").unlink(), "damaged: .*No such file"),
        (lambda folder: (folder / "export.json").unlink(), "which is no export"),
        (lambda folder: (folder / "export.json").write_text("{"), "holds no JSON"),
        (lambda folder: (folder / "export.json").write_text("[]"), "holds no JSON object"),
        (lambda folder: shutil.rmtree(folder), "which is no export"),
        (edit(version=9), "in version 9"),
        (edit(kind="policy"), "holds a policy .* wanted is a reward"),
        (edit(files={}), "holds no hash of reward.safetensors"),
        (edit(files={"reward.safetensors": "0", "../reacher-policy/export.json": "0"}), "damaged"),
        (edit(settings={}), "damaged"),
        (edit(obs={"shape": [11]}), "damaged"),
        (edit(settings={"members": -1, "hidden": [64, 64]}), "damaged"),
    ],
)
def test_what_is_no_whole_export_is_refused_in_one_line(runs, tmp_path, spoil, says):
    folder = tmp_path / "copy"
    shutil.copytree(runs / "reacher-reward", folder)
    load_reward(folder)
    spoil(folder)
    with pytest.raises(UserError, match=says) as caught:
        load_reward(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("reward nobody", "Runs there: actions, discrete, paper, reacher, several, true."),
        ("reward true", "has no r̂"),
        ("reward reacher", "reacher-reward is there already"),
        ("reward ../x", "Run name"),
        ("reward reacher --format csv", "--format given with 'export reward'; it is for labels"),
        ("policy reacher --store sqlite:///x.db", "it is for labels"),
        ("rewards reacher", "Unknown thing to export 'rewards'. Did you mean reward"),
        ("reward reacher --out /proc/no/such", "cannot be written"),
    ],
)
def test_what_cannot_be_exported_gets_one_line(runs, monkeypatch, capsys, words, says):
    monkeypatch.chdir(runs)
    capsys.readouterr()
    assert main(["export", *words.split()]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_run_in_which_nothing_was_answered_has_no_reward_yet(monkeypatch, capsys):
    monkeypatch.setattr("rl_teacher.build.make_judge", lambda *_: lambda query: Verdict.ABSTAIN)
    assert teach("-p synth -l 4 -e Reacher-v1 -n mute -t 3000 -V -w 1") == 0
    assert main(["export", "reward", "mute"]) == 2
    assert "nothing was answered" in capsys.readouterr().err


@pytest.mark.slow
def test_without_onnx_it_says_so_and_exports_the_rest(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    monkeypatch.setattr("rl_teacher.learned.can_write", lambda: False)
    assert main(["export", "reward", "reacher", "--out", str(tmp_path / "plain")]) == 0
    assert "pip install 'rl-teacher[onnx]'" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "plain").iterdir()} == {"export.json", "reward.pt2", "reward.safetensors"}
    load_reward(tmp_path / "plain")
