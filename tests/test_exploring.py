"""A run whose agent explores before it is taught, and runs that begin with what it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rl_teacher import session
from rl_teacher.exploring import ExploringLoop
from rl_teacher.queries.schedules import ConstantSchedule
from tests.commands import refused, teach
from tests.fakes import FakePerson, FakeWatch, human_pace, teaching
from tests.test_resume import course, ending

WORDS = "-p synth -l 12 -e Reacher-v1 -t 20000 -s 3 -w 1 -V"


def test_questions_wait_until_it_has_explored_and_are_about_what_it_does_then():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1))
    plain = teaching(person, watch, human_pace(5_000, 4), ConstantSchedule(4, 100))
    fields = ("agent", "pace", "watch", "stage", "pool", "reward", "teacher", "choose", "schedule")
    novelty = object()
    loop = ExploringLoop(
        **{name: getattr(plain, name) for name in fields}, novelty=novelty, explore_steps=250, explore_round=100
    )
    kept = []
    watch.has_explored = kept.append
    loop.prepare()
    assert loop.agent.rounds == [100, 100, 50]
    assert loop.agent.rewards == [novelty] * 3
    assert kept == [250]
    assert loop.stage.random, "the stage was played on"
    assert not any(loop.stage.random)
    assert min(query.left.source.step for query, _ in person.record) >= 250
    assert any("answers about its first behaviour" in line for line in watch.messages)
    again = ExploringLoop(
        **{name: getattr(plain, name) for name in fields}, novelty=novelty, explore_steps=250, explore_round=100
    )
    again.restore(loop.state())
    again.prepare()
    assert kept == [250], "it explores once"


def test_saved_is_reused_and_a_run_that_begins_with_it_is_as_one_that_did_it_itself(capsys):
    assert teach(f"{WORDS} --explore 6000 -n first") == 0
    assert teach(f"{WORDS} --explore_from first -n second") == 0
    assert "beginning with what 'first' explored in " in capsys.readouterr().out
    state = json.loads(next(Path("runs/first/explored").glob("*/state.json")).read_text())
    assert state["loop"]["explored"] == state["steps"] >= 6_000
    assert course("second") == [line for line in course("first") if line["step"] > state["steps"]]
    assert ending("second") == ending("first")
    assert teach(f"{WORDS} -s 4 --explore_from runs/first -n third") == 0  # by its folder
    said = refused(f"{WORDS} --set ppo.lr=1e-3 --explore_from first -n x", capsys)
    assert "whose ppo.lr is 0.0005 and not 0.001" in said
    assert "whose env_id is" in refused(f"{WORDS} -e ShortHopper-v1 --explore_from first -n x", capsys)
    assert "has not explored" in refused(f"{WORDS} --explore_from second -n x", capsys)


def test_stopped_while_it_explores_it_ends_as_one_that_was_never_stopped(monkeypatch, capsys):
    monkeypatch.setattr(session, "LEG_STEPS", 3_000)
    words = f"{WORDS} --explore 12000"
    assert teach(f"{words} -n whole") == 0
    record, stop_at = session.Session.record, [6_000, 12_000]

    def stopped_now_and_then(self, steps, info):
        record(self, steps, info)
        if stop_at and steps >= stop_at[0]:
            stop_at.pop(0)
            self.stop_asked = True

    monkeypatch.setattr(session.Session, "record", stopped_now_and_then)
    for _ in range(3):
        assert teach(f"{words} -n parts") == 0
    assert capsys.readouterr().out.count("going on from step") == 2
    assert course("parts") == course("whole")
    assert ending("parts") == ending("whole")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-p rl -e Reacher-v1 -n x --explore 9", "--explore given with -p rl"),
        ("-p rl -e Reacher-v1 -n x --explore_from y", "--explore_from given with -p rl"),
        ("-p synth -l 9 -e Reacher-v1 -n x --explore 9 --explore_from y", "Give one."),
        ("-p synth -l 9 -e Reacher-v1 -n x --explore many", "Give for example --explore 9000."),
        ("-p synth -l 9 -e Reacher-v1 -n x --explore 1e4 -t 1e4", "which it is a part of"),
        ("-p synth -l 9 -e Reacher-v1 -n x --explore_from nobody", "there is no such run"),
    ],
)
def test_what_cannot_be_explored_gets_one_line(words, says, capsys):
    assert says in refused(words, capsys)
    assert not Path("runs", "x", "config.json").exists()
