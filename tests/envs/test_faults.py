"""Whom the line names: the environment's own code, wherever in a stack of wrappers and helpers it gave up."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.envs.faults import Blame
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import BrokenEnvironmentError, UserError
from tests.moody import Moody, in_a_mood

SPEC = "gym:tests.moody:Moody-v0"
HERE = re.escape(str(Path(__file__).parent.parent / "moody.py"))


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(resolve(SPEC))


def fault(does: Callable[[], Any]) -> BrokenEnvironmentError:
    with pytest.raises(BrokenEnvironmentError) as caught:
        does()
    assert "\n" not in str(caught.value)
    return caught.value


def test_it_is_told_where_it_was_raised_and_the_cause_is_kept(simulator):
    with in_a_mood(fails_in="reset"):
        error = fault(simulator.reset)
    assert re.search(rf"raised ValueError: the motor is too hot to reset \({HERE}:\d+\)\.", str(error))
    assert isinstance(error.__cause__, ValueError)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((np.zeros(3), 1.0, True, {}), "ValueError: not enough values to unpack"),
        ((np.zeros(2), 1.0, True, False, {}), "ValueError: 2 numbers in an observation; its observation space has 3"),
        ((None, 1.0, True, False, {}), "ValueError: 1 numbers in an observation"),
        ((np.zeros(3), None, True, False, {}), "TypeError"),
    ],
)
def test_an_answer_that_cannot_be_used_names_the_file_of_the_environment(answer, says, simulator, monkeypatch):
    monkeypatch.setattr(Moody, "step", lambda self, action: answer)
    simulator.reset(0)
    error = fault(lambda: simulator.step(np.zeros(2, np.float32)))
    assert says in str(error)
    assert re.search(rf"\({HERE}\)\.", str(error))


def test_in_a_helper_the_environments_own_line_is_named(simulator, monkeypatch):
    monkeypatch.setattr(Moody, "_obs", lambda self: np.linalg.inv(np.zeros((2, 2))))
    error = fault(simulator.reset)
    assert "LinAlgError" in str(error)
    assert re.search(rf"\({HERE}:\d+\)", str(error))


def test_in_a_wrapper_its_line_is_named():
    class Wrapper(gym.Wrapper):
        def reset(self, **_: Any) -> Any:
            raise RuntimeError

    env = Wrapper(gym.make("tests.moody:Moody-v0", disable_env_checker=True))
    with (
        pytest.raises(BrokenEnvironmentError, match=r"'x' raised RuntimeError \(.*test_faults\.py:\d+\)"),
        Blame("x", env),
    ):
        env.reset()


def test_a_users_mistake_and_ctrl_c_pass_as_they_are():
    with pytest.raises(UserError, match=r"^mine$"), Blame("x"):
        raise UserError("mine")
    with pytest.raises(KeyboardInterrupt), Blame("x"):
        raise KeyboardInterrupt


def test_an_environment_without_spaces_is_named():
    gym.register("Spaceless-v0", type("Spaceless", (gym.Env,), {}))
    try:
        error = fault(lambda: resolve("gym:Spaceless-v0"))
    finally:
        del gym.registry["Spaceless-v0"]
    assert "'gym:Spaceless-v0' raised" in str(error)


def test_our_own_tasks_are_told_the_same_way(monkeypatch):
    simulator = Simulator(resolve("Reacher-v1"))
    simulator.reset(0)
    monkeypatch.setattr(simulator._env, "do_simulation", lambda *_: 1 / 0)
    error = fault(lambda: simulator.step(np.zeros(2, np.float32)))
    assert re.search(r"'Reacher-v1' raised ZeroDivisionError.*reacher_v5\.py:\d+", str(error))
