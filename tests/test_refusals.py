"""One test behind each line that tells what cannot be used: what was given, what is allowed, what to do."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rl_teacher import session
from tests import misfits
from tests.commands import refused, summary, teach

SYNTH = "-p synth -l 4 -e Reacher-v1 -n x -V"


@pytest.fixture(autouse=True)
def as_they_were() -> Iterator[None]:
    yield
    misfits.state = misfits.State()


def told(words: str, says: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, in which these texts follow each other, and no run was begun."""
    line = refused(words, capsys)
    at = 0
    for text in says:
        assert text in line[at:], f"'{text}' is not where it should be in: {line}"
        at = line.index(text, at) + len(text)
    assert not Path("runs/x/config.json").exists()
    assert not Path("runs/feedback.db").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--queries best", ("Unknown query strategy 'best'", "coverage, disagreement, entropy, information, random")),
        ("--queries random+best", ("Unknown query strategy 'best'", "Choose one")),
        (
            "--label_schedule soon",
            ("Unknown label schedule 'soon'", "clock, constant, exponential, hyperbolic, linear"),
        ),
        ("--preset best", ("Unknown preset 'best'", "Allowed: default, original, paper", "Choose one")),
        ("--teacher orakel", ("'orakel'. Did you mean oracle?", "equal, mistake, myopic, oracle, rational, skip")),
        ("--fixed_horizon soon -e gym:CartPole-v1", ("horizon 'soon'", "Allowed: absorbing, never-done", "Choose one")),
    ],
)
def test_an_unknown_name_gets_the_names_there_are(words, says, capsys):
    told(f"{SYNTH} {words}", says, capsys)


def test_an_unknown_behavior_gets_the_names_there_are(capsys):
    says = ("Unknown behavior 'backflip'. Did you mean hopper-backflip?", "MODULE:FUNCTION", "walker-ballet", "Choose")
    told("-p synth -l 4 -n x --behavior backflip", says, capsys)


@pytest.mark.parametrize(
    ("given", "allowed", "advice"),
    [
        *(
            (f"--teacher {name}:{value}", f"'{name}:{value}' given; allowed is a number from 0 to 1", f"{name}:0.")
            for name in ("mistake", "skip", "equal", "myopic")
            for value in ("-0.1", "1.5", "2", "nan")
        ),
        *(
            (f"--set reward.{name}={value}", f"{name} {value} given; allowed is a number from 0 to 1", "--set reward.")
            for name in ("error_rate", "smoothing", "enough_accuracy", "doubt")
            for value in ("-0.1", "1.5", "nan")
        ),
        ("--set reward.dropout=1.5", "reward.dropout 1.5 given; allowed is a number from 0 to 0.9", "--set reward."),
        ("--set ppo.gamma=-0.1", "ppo.gamma -0.1 given; allowed is a number from 0 to 1", "--set ppo.gamma="),
        ("--labels_by 1.5", "--labels_by 1.5 given; allowed is a share above 0 to 1", "--labels_by 0.5"),
        ("--labels_by -0.1", "--labels_by -0.1 given; allowed is a share above 0 to 1", "--labels_by 0.5"),
        ("-p human --repeat_rate 1.5", "1.5 given; allowed is a share from 0 to 0.5", "--repeat_rate 0.05"),
        ("-p human --gold_rate -0.1", "-0.1 given; allowed is a share from 0 to 0.5", "--gold_rate 0.05"),
        ("--set reward.members=0", "reward.members 0 given; allowed is a number above 0", "--set reward.members="),
        ("--set reward.members=-2", "reward.members -2 given; allowed is a number above 0", "--set reward.members="),
    ],
)
def test_a_rate_outside_its_bounds_or_an_ensemble_of_nobody_gets_the_bounds(given, allowed, advice, capsys):
    told(f"{SYNTH} {given}", (allowed, advice), capsys)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--label_schedule tests.misfits:falling", ("falls from 1 at 0 to 0.999", "from [0, 1] to [0, 1]", "mend it")),
        ("--label_schedule tests.misfits:never_a_number", ("gives nan at 0.501; allowed is 0 to 1", "mend it")),
        ("--behavior tests.misfits:nan_judge", ("returned nan for an observation; allowed is", "finite", "Mend it")),
        ("--behavior tests.misfits:wide_judge", ("returned shape (7, 10) for", "allowed is", "(…,), one for", "Mend")),
    ],
)
def test_a_schedule_or_a_judge_of_ones_own_that_gives_what_is_none(words, says, capsys):
    told(f"{SYNTH} {words}", says, capsys)


def test_a_run_does_not_go_on_with_segments_of_another_length(monkeypatch, capsys):
    record = session.Session.record

    def once(self, steps, info):
        record(self, steps, info)
        self.stop_asked = True

    words = "-p synth -l 40 -e tests.misfits:chooses -n x -t 30000 -V"
    with monkeypatch.context() as early:
        early.setattr(session.Session, "record", once)
        assert teach(words) == 0
    misfits.state.clip_steps = 15
    line = refused(words, capsys)
    assert "Segments of 'tests.misfits:chooses' have 15 steps, those answered so far 12" in line
    assert "allowed is one length in a run" in line
    assert "choose another name with -n" in line
    misfits.state.clip_steps = 12  # nothing was lost
    assert teach(words) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-e Reacher-v1 -a sb3:DQN", ("-a sb3:DQN given", "actions are continuous", "Choose one that can: ppo", "SAC")),
        ("-e tests.misfits:chooses -a sbx:SAC", ("-a sbx:SAC given", "one of 2 actions", "Choose", "ppo", "sb3:DQN")),
        ("-e tests.misfits:seen -a sb3:DQN", ("-a sb3:DQN given", "pictures", "only our own PPO", "Leave -a out")),
    ],
)
def test_an_agent_that_does_not_fit_the_environment_gets_those_that_do(words, says, capsys):
    told(f"-p rl -n x {words}", says, capsys)


@pytest.mark.parametrize(
    ("words", "missing", "extra"),
    [
        ("-e Reacher-v1 -a sb3:SAC", "stable_baselines3", "sb3"),
        ("-e Reacher-v1 -a sb3:TQC", "sb3_contrib", "sb3"),
        ("-e Reacher-v1 -a sbx:SAC", "sbx", "sbx"),
        ("-e dm:walker-walk", "dm_control", "dmc"),
        ("-e Reacher-v1 --store postgresql://u@h/db", "psycopg", "postgres"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(words, missing, extra, monkeypatch, capsys):
    for module in [name for name in sys.modules if name == missing or name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, missing, None)  # as Python has it where an import finds nothing
    monkeypatch.setattr("rl_teacher.agents.registry.find_spec", lambda name: None if name == missing else name)
    told(f"-p rl -n x {words}", (" given, but ", missing, f"pip install 'rl-teacher[{extra}]'"), capsys)


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        ("raises", ("raised RuntimeError: the robot is not plugged in (", "misfits.py:", "Mend it", "error.log")),
        ("returns", ("returned a str; wanted is", "that returns a new gymnasium.Env with each call", "Mend it")),
        ("text", ("the observation space Text(", "Allowed: a Box", "Choose another environment, or wrap this one")),
        ("many", ("the observation space Sequence(", "Allowed: a Box", "or wrap this one")),
        ("parts", ("the action space Tuple(", "Allowed: a bounded Box of floats", "or wrap this one")),
        ("camera", ("a picture in ['camera'], for which nobody chose a network", "Allowed: ", "or wrap this one")),
    ],
)
def test_an_environment_that_cannot_be_made_or_used_is_refused_before_anything_begins(factory, says, capsys):
    told(f"-p rl -n x -e tests.misfits:{factory}", (f"tests.misfits:{factory}", *says), capsys)


@pytest.mark.parametrize("obs", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "words",
    [
        "-p rl -e tests.misfits:chooses",
        "-p rl -e tests.misfits:moves",
        "-p synth -l 4 -e tests.misfits:moves",
        "-p rl -e tests.misfits:chooses -a sb3:DQN",
        "-p rl -e tests.misfits:moves -a sb3:PPO",
    ],
)
def test_observations_that_are_no_numbers_end_a_run_that_goes_on_once_they_are_mended(words, obs, capsys):
    if "-a" in words:
        pytest.importorskip("stable_baselines3", reason="not installed: pip install 'rl-teacher[sb3]'")
    words = f"{words} -n x -t 3000 -V"
    misfits.state.obs = obs
    line = refused(words, capsys)
    assert "The environment gave an observation that is not finite" in line
    assert "Mend the environment" in line
    misfits.state.obs = None
    assert teach(words) == 0
    assert summary("x")["finished"]


def test_what_cannot_be_drawn_is_refused_to_people_with_the_reason(capsys):
    line = refused("-p human -n x --no_serve -e tests.misfits:chooses", capsys)
    assert "'tests.misfits:chooses' given with -p human, but people cannot see it: " in line
    assert "raised NotImplementedError (" in line
    assert "Allowed is what draws itself (render_mode 'rgb_array') or is on MuJoCo. Install" in line
    assert "or teach it with -p synth" in line
    assert ".." not in line.replace("/..", "")
    assert not Path("runs/x/config.json").exists()
    assert teach("-p synth -l 4 -n x -t 3000 -e tests.misfits:chooses") == 0  # the name is still free
    assert ".. " not in capsys.readouterr().out
