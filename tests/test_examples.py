"""The examples run, and each takes five lines of ours at most. An environment of one's own takes none."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path
from types import ModuleType

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher import load_reward
from rl_teacher.config import RewardConfig
from rl_teacher.plug.packing import Export, write_export
from rl_teacher.reward.frozen import FrozenReward, settings_of
from tests.commands import summary
from tests.system import required

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
ALL = sorted(path.stem for path in EXAMPLES.glob("*.py"))
MARK = "# <- RL-Teacher"
WITHOUT_US = {"own_environment"}
"""What needs no line of ours: tests/test_own_environment.py."""


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries say when they are imported
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def reward_for_pendulum(tmp_path) -> str:
    """An export as `rl-teacher export reward` writes it."""
    act = gym.spaces.Box(-2.0, 2.0, (1,), np.float32)
    module = FrozenReward(RewardConfig(members=2, hidden=(8,)), 3, act)
    write_export(
        tmp_path / "reward",
        Export("reward", (3,), act, settings_of(module.config), {}, module.state_dict()),
        lambda draft: None,
    )
    return str(tmp_path / "reward")


@pytest.mark.parametrize("name", ALL)
def test_it_takes_five_lines_of_ours(name):
    text = (EXAMPLES / f"{name}.py").read_text()
    assert text.count(MARK) <= 5
    assert (MARK in text) == (name not in WITHOUT_US)
    assert f"`{name}.py`" in (EXAMPLES / "README.md").read_text()


@pytest.mark.slow
def test_a_ppo_in_one_file():
    one = example("single_file_ppo")
    one.main(one.Settings(n_steps=4_096, n_labels=8, name="one", epochs=2))
    assert summary("one")["finished"]
    assert summary("one")["labels"]["answered"] == 8


@pytest.mark.slow
def test_stable_baselines():
    pytest.importorskip("stable_baselines3", reason="not installed: pip install 'rl-teacher[sb3]'")
    example("sb3_teaching").main(n_steps=2_048, n_labels=8, name="sb3")
    assert summary("sb3")["finished"]
    assert summary("sb3")["labels"]["answered"] == 8


@pytest.mark.slow
def test_the_two_calls_of_the_original():
    example("two_calls").main(n_steps=4_000, n_labels=8, name="two")
    assert summary("two")["finished"]
    assert summary("two")["labels"]["answered"] == 8


@pytest.mark.slow
def test_torchrl_pays_what_the_export_says(reward_for_pendulum):
    pytest.importorskip("torchrl", reason="TorchRL is not installed: pip install torchrl", exc_type=ImportError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        played = example("torchrl_reward").main(reward_for_pendulum, n_steps=30)
    wanted = load_reward(reward_for_pendulum)(played["observation"].numpy(), played["action"].numpy())
    np.testing.assert_allclose(played["next", "reward"].squeeze(-1).numpy(), wanted, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def python_with_rllib(tmp_path_factory) -> str:
    """RLlib wants an older Gymnasium than ours: it gets an environment of its own, which borrows all the rest."""
    if importlib.util.find_spec("ray"):
        return sys.executable
    if not required():
        pytest.skip("NOT TESTED: RLlib is not installed, 300 MB: pip install 'ray[rllib]'")
    folder = tmp_path_factory.mktemp("rllib")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (borrowing,) = folder.glob("lib/*/site-packages")
    (borrowing / "borrowed.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})")
    python = str(folder / "bin/python")
    wanted = ["-m", "pip", "install", "-q", "-c", str(EXAMPLES.parent / "constraints.txt"), "ray[rllib]"]
    ended = subprocess.run([python, *wanted], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return python


TRAIN_ONCE = """
import sys
from rllib_reward import main

told = main(sys.argv[1], n_iters=1)["env_runners"]
print(told["num_env_steps_sampled"], told["episode_return_mean"])
"""


@pytest.mark.slow
def test_rllib_trains_on_the_export(reward_for_pendulum, python_with_rllib):
    command = [python_with_rllib, "-c", TRAIN_ONCE, reward_for_pendulum]
    paths = os.pathsep.join(map(str, (EXAMPLES, EXAMPLES.parent)))
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert ended.returncode == 0, ended.stderr
    n_steps, mean_return = map(float, ended.stdout.splitlines()[-1].split())
    assert n_steps >= 1_000
    assert math.isfinite(mean_return)
