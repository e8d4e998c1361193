"""`-e package.module:factory`: environments that a user's own function returns."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rl_teacher.envs.behaviors import resolve
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError
from tests.commands import refused, summary, teach
from tests.trainer import SCRIPT

FACTORY = """
import gymnasium as gym
import numpy as np

class Falls(gym.Env):
    '''Observes the steps since the start and a light; falls with the seventh; pays 1 a step.'''

    metadata = {"render_fps": 10, "render_modes": ["rgb_array"]}
    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Dict({
        "steps": gym.spaces.Box(0.0, np.inf, (), np.float32), "light": gym.spaces.Discrete(3, start=1)})

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.n = 0
        return self._obs(), {}

    def step(self, action):
        self.n += 1
        return self._obs(), 1.0, self.n >= 7, False, {}

    def render(self):
        return np.full((30, 40, 3), 20 * self.n, np.uint8)

    def _obs(self):
        return {"light": 1 + self.n % 3, "steps": np.float32(self.n)}

def plain():
    return Falls()

def drawn(render_mode=None):
    return Falls(render_mode)

class Says(Falls):
    '''Says of its success what it is told to say.'''

    said = None

    def step(self, action):
        return *super().step(action)[:4], {"success": type(self).said}

def stacked():
    return gym.wrappers.FrameStackObservation(gym.make("Pendulum-v1"), 3)

def by_keywords(**options):
    return gym.make("CartPole-v1", **options)

def clocked():
    return gym.wrappers.TimeLimit(Falls(), 20)

class Inside:
    @staticmethod
    def factory():
        return Falls()

def broken():
    raise KeyError("no such\\nrobot")

def blind():
    return None

ONE = Falls()
def same():
    return ONE

NUMBER = 3
"""


@pytest.fixture(autouse=True)
def own_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`mine.py` in the present folder, which nobody put on the import path."""
    Path("mine.py").write_text(FACTORY)
    Path("broken_mine.py").write_text("import no_such_library\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in ("mine", "broken_mine"):
        sys.modules.pop(name, None)


def test_parts_of_an_observation_stand_in_a_row_in_the_order_of_the_space() -> None:
    spec = resolve("mine:plain")
    assert (spec.task, spec.episode_steps, spec.fps, spec.dt, spec.choices) == (None, None, 7.0, 0.1, (2,))
    assert spec.clip_steps == 7  # an untrained agent lives no longer
    env = make_vec(spec, 3, seed=0)
    first = list(env.reset()[0])
    assert first in ([0, 1, 0, 0], [1, 0, 0, 0])
    at = 0 if env.obs_space.high[0] == np.inf else 3  # Gymnasium sorts the keys of a plain dict
    expected = [[n, *np.eye(3)[n % 3]] if at == 0 else [*np.eye(3)[n % 3], n] for n in range(1, 8)]
    steps = [env.step(np.zeros(3, dtype=np.int64)) for _ in range(7)]
    assert [step.obs[1].tolist() for step in steps] == expected
    assert steps[-1].terminated.all()
    env.close()


@pytest.mark.parametrize("name", ["plain", "drawn", "by_keywords", "clocked", "Inside.factory", "Falls"])
def test_all_that_can_be_called_and_returns_an_environment_will_do(name: str) -> None:
    spec = resolve(f"mine:{name}")
    assert spec.episode_steps == {"clocked": 20, "by_keywords": 500}.get(name)
    with closing(Stage(spec, 0)) as stage:
        assert stage.play(None, 40)


@pytest.mark.parametrize("name", ["drawn", "Falls", "by_keywords"])
def test_a_factory_that_takes_a_render_mode_is_given_one_to_draw(name: str) -> None:
    if name == "by_keywords":
        pytest.importorskip("pygame")
    with closing(Simulator(resolve(f"mine:{name}"), pictures=True)) as sim:
        sim.reset(seed=0)
        assert sim.picture().array().shape[2] == 3


def test_wrapped_in_a_stack_of_frames_and_made_without_a_picture_it_plays_and_says_why_there_is_none() -> None:
    with closing(Simulator(resolve("mine:stacked"), pictures=True)) as sim:
        assert sim.reset(seed=0).shape == (9,)
        with pytest.raises(UserError, match=r"render\(\) returned None; a factory that takes render_mode"):
            sim.picture()


@pytest.mark.parametrize(
    ("said", "counted"),
    [(True, True), (0, False), (np.float64(1.0), True), (float("nan"), None), (np.zeros(2), None), ({"left": 0}, None)],
)
def test_a_success_is_one_truth_value_and_anything_else_is_none(said: Any, counted: bool | None, monkeypatch) -> None:
    with closing(Simulator(resolve("mine:Says"))) as sim:
        sim.reset(seed=0)
        monkeypatch.setattr(sys.modules["mine"].Says, "said", said)
        sim.step(np.int64(0))
        assert sim.succeeded is counted


def test_a_fixed_horizon_needs_a_clock_and_a_time_limit_is_one() -> None:
    spec = resolve("mine:clocked", None, "absorbing")
    assert spec.clip_steps == 15
    with closing(Simulator(spec)) as sim:
        sim.reset(seed=0)
        steps = [sim.step(np.int64(0)) for _ in range(20)]
    assert [step.env_rew for step in steps] == [1.0] * 7 + [0.0] * 13
    assert [step.truncated for step in steps] == [False] * 19 + [True]
    assert steps[-1].obs.tolist() == steps[6].obs.tolist()
    with pytest.raises(UserError, match="TimeLimit"):
        resolve("mine:plain", None, "absorbing")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("no_such:factory", "there is no module 'no_such' on PYTHONPATH or in this folder"),
        ("mine.deeper:factory", "there is no module 'mine.deeper'"),
        ("mine:nothing", "mine has no 'nothing'"),
        ("mine:Inside.nothing", "mine has no 'Inside.nothing'"),
        ("mine:NUMBER", "is no function but a int"),
        ("mine:blind", "which returned None"),
        ("mine:same", "returned the same environment twice"),
        ("mine:", "Give both"),
        (":plain", "Give both"),
        ("../mine:plain", "Give both"),
    ],
)
def test_what_is_no_factory_is_told_in_one_line(given: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(f"-p rl -n x -e {given}", capsys)
    assert says in error
    assert "wanted is MODULE:FACTORY" in error
    assert not Path("runs/x/config.json").exists()


@pytest.mark.parametrize(
    ("given", "raised", "line"),
    [
        ("mine:broken", "KeyError: 'no such\\nrobot'", "mine.py:"),
        ("broken_mine:factory", "ModuleNotFoundError: No module named 'no_such_library'", "broken_mine.py:1"),
    ],
)
def test_a_factory_that_raises_is_named_and_its_traceback_kept(given, raised, line, capsys) -> None:
    error = refused(f"-p rl -n x -e {given}", capsys)
    assert f"'{given}' raised {raised}" in error
    assert line in error
    assert line.split(":")[0] in Path("runs/x/error.log").read_text()


def test_a_run_is_taught_told_of_early_ends_goes_on_and_exports(capsys: pytest.CaptureFixture[str]) -> None:
    words = "-p synth -l 6 -e mine:plain -n own -t 2500 -V -w 1"
    assert teach(words) == 0
    assert "'mine:plain' ends episodes early" in capsys.readouterr().out
    assert summary("own")["true_return"]["mean"] == 7.0
    assert teach(words) == 0
    assert "finished" in capsys.readouterr().out
    assert json.loads(Path("runs/own/config.json").read_text())["settings"]["env_id"] == "mine:plain"


def test_the_present_folder_is_searched_by_the_command_itself() -> None:
    words = [sys.executable, str(SCRIPT), *shlex.split("-p rl -e mine:broken -n x")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{Path.cwd()}/mine.py:" in done.stderr


def test_people_see_what_a_factory_draws() -> None:
    from rl_teacher.sight import make_maker, why_blind

    spec: EnvSpec = resolve("mine:drawn")
    assert why_blind(spec, looked_at=True) is None
    with closing(Stage(spec, 0, n_envs=1, pictures=True)) as stage:
        maker = make_maker(spec, stage.model, None, for_people=True)
        assert maker is not None
        made = maker.clip(stage.play(None, 7)[0])
    assert (made.kind, made.n_frames) == ("video", 8)
    blind = why_blind(resolve("mine:plain"), looked_at=True)
    assert blind is None  # it draws itself without being told to
