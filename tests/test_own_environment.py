"""The environments of examples/own_environment.py: of no help from us, of no reward, and taught all the same."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rl_teacher.clips.poses import drawable
from rl_teacher.envs.behaviors import resolve
from rl_teacher.envs.stage import Stage
from rl_teacher.options import parse
from tests.commands import summary, teach

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES, PAGE = ROOT / "examples", ROOT / "docs" / "own-environment.md"
NAME = "own_environment"
TAUGHT = {"lamp": "look_up", "firefly": "top_right"}
QUICK = "--set ppo.n_envs=4 --set ppo.n_steps=32 --set ppo.shortest=8 --set ppo.epochs=1 --set reward.members=1 -i 4 -V"


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, found as in its own folder."""
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield __import__(NAME)
    sys.modules.pop(NAME, None)


def test_it_needs_nothing_of_ours_nor_of_anybodys_models() -> None:
    program, model = ((EXAMPLES / name).read_text() for name in (f"{NAME}.py", "lamp.xml"))
    assert "import rl_teacher" not in program
    assert "from rl_teacher" not in program
    assert "file=" not in model
    assert "<include" not in model


@pytest.mark.parametrize("name", TAUGHT)
def test_it_pays_nothing_and_ends_by_the_clock_only(name: str) -> None:
    spec = resolve(f"{NAME}:{name}")
    assert spec.episode_steps is not None
    assert spec.clip_steps < spec.episode_steps
    assert spec.pixels == (name == "firefly")
    with closing(Stage(spec, 0, pictures=True)) as stage:
        played = stage.play(None, 5 * spec.episode_steps)
        assert drawable(stage.model) == (name == "lamp")  # the other gives pictures of itself
        assert name == "lamp" or all(p.frames for p in played)
    assert not any(p.env_rew.any() or p.terminated for p in played)
    assert any(p.truncated for p in played)


def test_people_are_told_what_the_environment_says() -> None:
    assert resolve(f"{NAME}:lamp").instructions == "Stand up straight and shine at the ceiling."
    config, _ = parse(shlex.split(f"-p human -e {NAME}:firefly -n x"))
    assert "corner" in (config.instructions or resolve(config.env_id).instructions)


def limbs(*angles: float, speed: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """The observation of a lamp whose limbs stand at these angles to the vertical."""
    return np.array([*np.sin(angles), *np.cos(angles), *speed])


def test_the_lamp_observes_its_limbs_angles_to_the_vertical(own) -> None:
    env = own.lamp()
    env.reset(seed=0)
    env.unwrapped.set_state(np.array([0.3, 0.4, -1.0]), np.array([1.0, 2.0, -3.5]))
    np.testing.assert_allclose(env.unwrapped._obs(), limbs(0.3, 0.7, -0.3, speed=(1.0, 3.0, -0.5)))
    above = [env.unwrapped.data.body(name).xpos for name in ("lower arm", "upper arm", "head")]
    assert above[1][0] - above[0][0] == pytest.approx(0.34 * np.sin(0.3))  # positive is to the right
    assert above[2][2] - above[1][2] == pytest.approx(0.32 * np.cos(0.7))
    env.close()


def test_a_lamp_is_judged_as_a_person_would(own) -> None:
    best_first = [
        limbs(0, 0, 0),
        limbs(0, 0, 0, speed=(1, 1, 1)),
        limbs(0, 0, 1.5),
        limbs(0, 1.5, 1.5),
        limbs(-1.2, 1.2, 2.4),
        limbs(-1.2, 1.2, 2.4, speed=(5, 5, 5)),
    ]
    rewards = own.look_up(np.stack(best_first))
    assert (np.diff(rewards) < 0).all(), rewards
    assert rewards[0] == 1.0
    assert own.look_up(limbs(np.pi, np.pi, np.pi, speed=(99, 99, 99))) == pytest.approx(-1.2)


def test_a_firefly_is_judged_by_how_near_the_corner_it_is(own) -> None:
    env = own.Firefly()
    env.reset(seed=0)
    for action in [2, 3] * 20:  # to the bottom left
        env.step(action)
    way = [env.step(action)[0] for action in [1, 4] * 4]  # and from there to the top right
    rewards = own.top_right(np.stack([way[:4], way[4:]]))
    assert rewards.shape == (2, 4)
    assert (np.diff(rewards.ravel()) > 0).all()
    assert rewards[-1, -1] == 1.0
    assert 0 < rewards[0, 0] < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(("name", "judge"), TAUGHT.items())
def test_it_can_be_taught(name: str, judge: str) -> None:
    words = f"-p synth -l 6 -e {NAME}:{name} --behavior {NAME}:{judge} -n x -t 600 {QUICK}"
    assert teach(words + " --set reward.minibatch=4 --set reward.iters=2") == 0
    done = summary("x")
    assert done["finished"]
    assert done["labels"]["answered"] == 6
    assert done["behavior_return"]["episodes"] == 20


def test_without_a_judge_the_run_says_what_is_missing(capsys) -> None:
    assert teach(f"-p synth -l 6 -e {NAME}:lamp -n x -t 600 {QUICK} --set reward.iters=2") == 0
    said = capsys.readouterr().out
    assert "only ties so far" in said
    assert "The return was 0 in each of 20 episodes. If nothing is ever paid, give a judge" in said
    assert "True return" not in said


def test_every_command_of_the_tutorial_is_one() -> None:
    given = re.findall(r"^ *rl-teacher teach (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(given) >= 4
    for words in given:
        config, _ = parse(shlex.split(words, comments=True))
        assert config.env_id == "mine:robot" or resolve(config.env_id, config.behavior).instructions
