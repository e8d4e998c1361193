from __future__ import annotations

import shlex

import pytest

from rl_teacher.errors import UserError
from rl_teacher.options import parse

BASE = ["-e", "Reacher-v1", "-p", "synth", "-n", "x"]


def test_the_originals_command_works():
    config, machine = parse(shlex.split("-p human --pretrain_labels 175 -e Reacher-v1 -n human-175"))
    assert (config.pretrain_labels, config.n_labels, config.endless) == (175, None, True)
    assert config.num_timesteps == 5_000_000
    assert machine.serve
    assert machine.port is None


def test_every_flag_of_the_original_long_and_short_underscore_and_dash():
    words = (
        "--env_id Reacher-v1 --predictor synth --name x --seed 3 --workers 2 --n_labels 40 --pretrain_labels 8 "
        "--num_timesteps 1000 --agent pposgd_mpi --pretrain_iters 9 --no_videos"
    )
    long = parse(shlex.split(words))
    dashed = parse([word.replace("_", "-") if word.startswith("--") else word for word in shlex.split(words)])
    short = parse(shlex.split("-e Reacher-v1 -p synth -n x -s 3 -w 2 -l 40 -L 8 -t 1e3 -a pposgd_mpi -i 9 -V"))
    assert long == dashed == short
    config, machine = long
    assert (config.seed, config.n_labels, config.pretrain_labels, config.num_timesteps) == (3, 40, 8, 1_000)
    assert (config.agent, config.reward.pretrain_iters, machine.workers, machine.videos) == ("ppo", 9, 2, False)


def test_a_quarter_of_the_labels_comes_before_training():
    assert parse([*BASE, "-l", "1400"])[0].pretrain_labels == 350
    assert parse([*BASE, "-l", "1"])[0].pretrain_labels == 1
    assert parse([*BASE, "-l", "10", "-L", "0"])[0].pretrain_labels == 0
    assert parse(BASE)[0].pretrain_labels == 0


def test_human_with_neither_l_nor_pretrain_is_endless():
    config, _ = parse(["-e", "Reacher-v1", "-p", "human", "-n", "x"])
    assert config.endless
    assert config.label_schedule == "constant"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["-e", "Reachr-v1"], "Unknown environment 'Reachr-v1'. Did you mean Reacher"),
        (["-p", "robot"], "Unknown predictor 'robot'.*human, rl, synth"),
        (["-a", "sac"], "Unknown agent 'sac'.*ppo"),
        (["-l", "0"], "-l/--n_labels 0 given; allowed is a whole number from 1 to 100000"),
        (["-l", "-5"], "-l/--n_labels -5 given"),
        (["-l", "100001"], "-l/--n_labels 100001 given; allowed is a whole number from 1 to 100000"),
        (["-s", "9" * 20], "-s/--seed 99999999999999999999 given; .*from 0 to 9007199254740992"),
        (["-l", "many"], "-l/--n_labels many given"),
        (["-l", "1.5"], "-l/--n_labels 1.5 given"),
        (["-l", "nan"], "-l/--n_labels nan given"),
        (["-l", "inf"], "-l/--n_labels inf given"),
        (["-L", "-1"], "-L/--pretrain_labels -1 given; allowed is a whole number from 0 to 100000"),
        (["-l", "-1e3"], "-l/--n_labels -1e3 given"),
        (["-t", "-.5e6"], "-t/--num_timesteps -.5e6 given; allowed is a whole number from 1 up"),
        (["-s", str(2**53 + 1)], "-s/--seed 9007199254740993 given; .*to 9007199254740992"),
        (["-t", "0"], "-t/--num_timesteps 0 given"),
        (["-w", "0"], "-w/--workers 0 given"),
        (["-i", "0"], "-i/--pretrain_iters 0 given"),
        (["-s", "x"], "-s/--seed x given"),
        (["-l", "5", "-L", "6"], "-L/--pretrain_labels 6 given with -l/--n_labels 5.*Give -L 5 or fewer"),
        (
            ["--queries", "best"],
            "Unknown query strategy 'best'.*coverage, disagreement, entropy, information, random, sort",
        ),
        (
            ["--label_schedule", "soon"],
            "Unknown label schedule 'soon'.*clock, constant, exponential, hyperbolic, linear",
        ),
        (["--label_schedule", "exponential"], "give -l"),
        (["--port", "70000"], "--port 70000 given; allowed is a whole number from 1 to 65535"),
        (["--instructions", "@nowhere.md"], "--instructions @nowhere.md given, but it cannot be read"),
        (["--frobnicate"], "Unrecognized arguments: --frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_clear_line(given, says):
    with pytest.raises(UserError, match=says) as caught:
        parse([*BASE, *given])
    assert "\n" not in str(caught.value)


def test_a_behavior_brings_its_task_and_its_instructions():
    config, _ = parse(shlex.split("-p synth -n x --behavior hopper-backflip"))
    assert config.behavior == "hopper-backflip"
    assert config.env_id == "ShortHopper-v1"
    assert config.ppo != parse(shlex.split("-p synth -n x -e hopper"))[0].ppo
    spin, _ = parse(shlex.split("-p synth -n x --behavior reacher-spin"))
    assert spin.ppo == parse(shlex.split("-p synth -n x -e reacher"))[0].ppo
    assert config.instructions.startswith("Do backflips")
    short, _ = parse(shlex.split("-p human -n x -e Hopper-v1 --behavior hopper-backflip --instructions Jump"))
    assert (short.env_id, short.instructions) == ("Hopper-v1", "Jump")
    assert parse(BASE)[0].behavior is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("-p rl -n x", "Give -e/--env_id"),
        ("-p rl -n x --behavior flip", "Unknown behavior 'flip'.*hopper-backflip"),
        ("-p rl -n x -e Reacher-v1 --behavior hopper-backflip", "-e Reacher-v1 given with --behavior hopper-backflip"),
        ("-p rl -n x --behavior nowhere:judge", "Give -e/--env_id"),
        ("-p rl -n x -e hopper --behavior nowhere:judge", "No module named 'nowhere'"),
    ],
)
def test_a_behavior_that_does_not_fit_is_refused_in_one_line(given, says):
    with pytest.raises(UserError, match=says) as caught:
        parse(shlex.split(given))
    assert "\n" not in str(caught.value)


def test_a_missing_flag_is_named():
    with pytest.raises(UserError, match=r"-n/--name"):
        parse(["-e", "Reacher-v1", "-p", "rl"])


def test_instructions_from_a_file(tmp_path):
    (tmp_path / "task.md").write_text("Do a **flip**.")
    assert parse([*BASE, "--instructions", f"@{tmp_path / 'task.md'}"])[0].instructions == "Do a **flip**."
    assert "target" in parse(BASE)[0].instructions


def test_how_people_are_asked_is_told_apart_from_what_was_not_given():
    words = "-p human -e Reacher-v1 -n x"
    assert parse(shlex.split(words))[1].people == {}
    more = "--answers-per-pair 3 --repeat_rate 0.05 --gold_rate 0 --trust"
    assert parse(shlex.split(f"{words} {more}"))[1].people == {
        "answers_per_pair": 3,
        "repeat_rate": 0.05,
        "gold_rate": 0.0,
        "trust": True,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-p human --answers_per_pair 0", "whole number from 1 to 100"),
        ("-p human --repeat_rate 0.6", "a share from 0 to 0.5"),
        ("-p human --gold_rate x", "a share from 0 to 0.5"),
        ("-p synth --trust", "where nobody is asked"),
    ],
)
def test_how_people_are_asked_has_bounds(words, said):
    with pytest.raises(UserError, match=said):
        parse(shlex.split(f"{words} -e Reacher-v1 -n x"))


def test_a_trick_is_no_sum_of_squares():
    assert parse(["-p", "synth", "--behavior", "walker-ballet", "-n", "a"])[0].reward.wide is False
    assert parse(["-p", "synth", "-e", "walker", "-n", "a"])[0].reward.wide is True
    asked_for = ["--set", "reward.wide=true"]
    assert parse(["-p", "synth", "--behavior", "walker-ballet", "-n", "a", *asked_for])[0].reward.wide is True


def test_the_default_r_hat_of_deepmind_control_is_its_own_and_the_published_ones_are_not_touched():
    base = ["-e", "dm:walker-walk", "-p", "synth", "-n", "x", "-l", "100"]
    default, paper, hopper = (
        parse(words)[0].reward for words in (base, [*base, "--preset", "paper"], [*base, "-e", "hopper"])
    )
    assert (default.wide, default.hidden, default.crops) == (False, (128, 128), 0)
    assert (paper.wide, paper.hidden, paper.crops) == (False, (64, 64), 0)
    assert (hopper.wide, hopper.hidden, hopper.crops) == (True, (64, 64), 8)
    assert parse([*base, "--set", "reward.crops=8"])[0].reward.crops == 8
