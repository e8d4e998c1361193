from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from rl_teacher.agents.registry import KINDS, check_fit, resolve_agent
from rl_teacher.config import read_config
from rl_teacher.errors import UserError
from rl_teacher.learners import ReplayConfig, TRPOConfig, learner_for
from rl_teacher.options import parse
from rl_teacher.settings import ppo_for
from rl_teacher.teach import main


def test_the_originals_name_means_todays_ppo():
    assert resolve_agent("pposgd_mpi") == resolve_agent("ppo") == "ppo"


def test_the_originals_trpo_has_the_originals_settings():
    assert resolve_agent("parallel_trpo") == resolve_agent("trpo") == "trpo"
    settings = learner_for("trpo", "hopper")
    assert isinstance(settings, TRPOConfig)
    assert (settings.n_envs * settings.n_steps, settings.kl, settings.gamma, settings.hidden) == (
        8_000,
        0.001,
        0.995,
        (64,),
    )


def test_sac_has_b_prefs_settings_on_deepmind_control_and_the_usual_ones_elsewhere():
    for agent in ("sb3:SAC", "sbx:SAC"):
        walker, quadruped = (learner_for(agent, f"dm:{task}") for task in ("walker-walk", "quadruped-walk"))
        assert isinstance(walker, ReplayConfig)
        assert isinstance(quadruped, ReplayConfig)
        assert (walker.updates, walker.lr, walker.random_steps) == (1.0, 5e-4, 1_000)
        assert (quadruped.updates, quadruped.lr) == (1.0, 1e-4)
        assert learner_for(agent, "gym:Pendulum-v1") == learner_for(agent, "cheetah") == ReplayConfig()
    assert learner_for("sbx:TD3", "dm:walker-walk") == learner_for("sbx:TD3", None)


def test_sac_has_pebbles_settings_on_meta_world():
    for agent in ("sb3:SAC", "sbx:SAC"):
        door = learner_for(agent, "metaworld:door-open")
        assert isinstance(door, ReplayConfig)
        assert (door.updates, door.lr, door.minibatch, door.hidden) == (1.0, 3e-4, 512, (256, 256, 256))
    assert ppo_for("metaworld:door-open") == ppo_for("metaworld:hammer") != ppo_for("dm:walker-walk") == ppo_for(None)


def test_the_command_finds_them_by_the_environments_name():
    config, _ = parse(["-p", "synth", "-l", "100", "-e", "dm:walker-walk", "-a", "sbx:SAC", "-t", "5e5", "-n", "walk"])
    assert config.learner == learner_for("sbx:SAC", "dm:walker-walk")


def test_names_are_understood_in_whichever_case():
    assert resolve_agent("SB3:sac") == "sb3:SAC"


@pytest.mark.parametrize("name", ["sac", "PPO2", "sb3:DDPG"])
def test_other_names_are_refused_with_those_there_are(name):
    with pytest.raises(UserError, match=rf"Unknown agent '{name}'.*ppo, pposgd_mpi.*sb3:TQC.*sbx:DQN.*trpo"):
        resolve_agent(name)


@pytest.mark.parametrize(("name", "extra"), [("sb3:SAC", "sb3"), ("trpo", "sb3"), ("sbx:CrossQ", "sbx")])
def test_an_extra_that_is_not_installed_is_named(name, extra, monkeypatch):
    monkeypatch.setattr("rl_teacher.agents.registry.find_spec", lambda module: None)
    with pytest.raises(UserError, match=rf"-a {name} given.*not installed.*pip install 'rl-teacher\[{extra}\]'"):
        resolve_agent(name)
    assert resolve_agent("ppo") == "ppo"


@pytest.mark.parametrize(
    ("name", "choices", "fits"),
    [
        ("sb3:DQN", (), "sb3:SAC"),
        ("sbx:DQN", (), "sb3:SAC"),
        ("sb3:SAC", (3,), "sb3:DQN"),
        ("sbx:TD3", (2,), "sb3:DQN"),
        ("sb3:DQN", (2, 3), "ppo, trpo, sb3:PPO, sb3:A2C, sb3:TRPO, sbx:PPO"),
    ],
)
def test_an_agent_that_does_not_fit_the_actions_is_refused_with_those_that_do(name, choices, fits):
    with pytest.raises(UserError, match=f"-a {name} given with 'E', where .*cannot do.*{fits}"):
        check_fit(name, "E", choices)


@pytest.mark.parametrize("name", KINDS)
def test_every_agent_fits_some_actions_and_has_settings(name):
    kind = KINDS[name]
    if kind.boxes:
        check_fit(name, "E", ())
    if kind.choices:
        check_fit(name, "E", (4,))
    assert (learner_for(name, None) is None) == (kind.algorithm == "PPO")


def test_a_command_tells_what_does_not_fit_in_one_line(capsys):
    assert main(["-p", "rl", "-n", "x", "-e", "Reacher-v1", "-a", "sb3:DQN"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "-a sb3:DQN given with 'Reacher-v1', where actions are continuous" in said


def test_settings_are_reached_by_set_and_kept_in_the_record():
    config, _ = parse(["-p", "rl", "-n", "x", "-e", "hopper", "-a", "sb3:SAC", "--set", "learner.updates=1"])
    assert isinstance(config.learner, ReplayConfig)
    assert (config.ppo, config.learner.updates, config.learner.gamma) == (None, 1.0, 0.995)
    assert read_config(json.loads(json.dumps(asdict(config)))) == config
    config, _ = parse(["-p", "rl", "-n", "x", "-e", "hopper", "-a", "sb3:PPO", "--set", "ppo.lr=1e-3"])
    assert config.ppo is not None
    assert (config.learner, config.ppo.lr, config.ppo.gamma) == (None, 1e-3, 0.995)
    with pytest.raises(UserError, match=r"allowed is reward.FIELD=VALUE, learner.FIELD=VALUE"):
        parse(["-p", "rl", "-n", "x", "-e", "hopper", "-a", "sb3:SAC", "--set", "ppo.lr=1"])
    with pytest.raises(UserError, match=r"learner.recent_share 2.0 given; allowed is a number from 0 to 1"):
        parse(["-p", "rl", "-n", "x", "-e", "hopper", "-a", "sb3:SAC", "--set", "learner.recent_share=2"])


def test_a_command_for_our_ppo_imports_nothing_of_theirs():
    code = "import sys, rl_teacher.build; print([m for m in ('stable_baselines3', 'sbx', 'jax') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
