from __future__ import annotations

import time

from rl_teacher.insight import serve
from rl_teacher.insight.answers import ANSWERS
from rl_teacher.insight.serve import attend
from rl_teacher.labels import Verdict


def ask(desk, kind: str, **args) -> str:
    return desk.lesson.store.add_job(desk.lesson.experiment, kind, args, desk.lesson.run)


def test_every_question_is_answered_and_told_in_a_line(desk):
    query_id = desk.answered(2.0, 1.0, Verdict.LEFT)
    asked = [ask(desk, "agent_now"), ask(desk, "rewards", query_id=query_id), ask(desk, "forecast")]
    lines = attend(desk.subject, 60)
    results = [desk.lesson.store.job(one)[1] for one in asked]
    assert [result.ok for result in results] == [True, True, False]
    assert results[2].data["message"].startswith("Too early")
    assert lines[0].startswith("agent_now: answered in")
    assert lines[2].startswith("forecast: Too early")
    assert attend(desk.subject) == []


def test_what_is_asked_of_the_trainer_itself_is_left_to_it(desk):
    finish = ask(desk, "finish")
    attend(desk.subject)
    assert desk.lesson.store.job(finish)[0].state == "queued"


def test_a_fault_is_told_and_ends_nothing(desk):
    def broken(seed: int):
        raise RuntimeError("the simulator blew up")

    job = ask(desk, "agent_now")
    attend(desk.without(play=broken))
    held, result = desk.lesson.store.job(job)
    assert held.state == "failed"
    assert "the simulator blew up" in result.data["message"]


def test_many_questions_take_no_more_than_their_time_at_once(desk, monkeypatch):
    """The agent's learning waits meanwhile."""

    def slow(subject, args):
        time.sleep(0.05)
        return {}

    monkeypatch.setattr(serve, "ANSWERS", dict.fromkeys(ANSWERS, slow))
    for n in range(12):
        ask(desk, "rewards", query_id=str(n))
    began = time.monotonic()
    lines = attend(desk.subject, 0.12)
    assert time.monotonic() - began < 0.4
    assert 1 <= len(lines) <= 4
    while attend(desk.subject, 0.12):
        pass
    assert desk.lesson.store.n_waiting(desk.lesson.run) == 0
