"""Routes about what was learned: who may ask, and what of it is shown. The answers here are put in by hand."""

from __future__ import annotations

import uuid

import pytest

from rl_teacher.feedback.records import Submit
from rl_teacher.labels import Strength, Verdict
from tests.server.test_routes import API, claim, refused


@pytest.fixture
def asked(school) -> list[str]:
    return school.lesson.ask(3)


@pytest.fixture
def address(school) -> str:
    return f"{API}/experiments/{school.lesson.experiment}"


def say(school, query_id: str, verdict: Verdict, who: str = "boss", **more) -> None:
    store = school.lesson.store
    store.submit(Submit(uuid.uuid4().hex, query_id, store.labeller(who), verdict, **more))


def answer(school, job_id: str, data: dict, ok: bool = True) -> None:
    """As a trainer would."""
    assert job_id in [job.id for job in school.lesson.store.jobs(school.lesson.run)]
    school.lesson.store.finish_job(job_id, ok, data)


def test_labellers_are_told_nothing_of_what_r_hat_thinks(ann, address, asked, school):
    say(school, asked[0], Verdict.LEFT, "ann")
    for kind in ("rewards", "best_worst", "agent_now", "disagreements", "forecast"):
        refused(ann.post(f"{address}/insight", json={"kind": kind, "query_id": asked[0]}), 403, "forbidden")
    refused(ann.get(f"{address}/curves"), 403, "forbidden")
    job = school.lesson.store.add_job(school.lesson.experiment, "forecast", {}, school.lesson.run)
    refused(ann.get(f"{API}/insight/{job}"), 403, "forbidden")
    refused(school.client().get(f"{address}/curves"), 401, "unauthorized")


def test_r_hat_is_shown_after_an_answer_and_never_before(boss, address, asked, school):
    def ask(query_id: str):
        return boss.post(f"{address}/insight", json={"kind": "rewards", "query_id": query_id})

    assert "never before" in refused(ask(asked[0]), 409, "conflict")
    say(school, asked[0], Verdict.ABSTAIN, "ann")
    assert ask(asked[0]).status_code == 200
    say(school, asked[0], Verdict.WITHDRAWN, "ann")
    refused(ask(asked[0]), 409, "conflict")
    say(school, asked[1], Verdict.LEFT, "boss")
    assert ask(asked[1]).status_code == 200


def test_nor_while_the_pair_is_on_the_askers_own_screen(boss, address, school):
    (query_id,) = school.lesson.ask(1, answers_wanted=2)
    say(school, query_id, Verdict.LEFT, "ann")
    assert [lent["query_id"] for lent in claim(boss, school)] == [query_id]
    body = {"kind": "rewards", "query_id": query_id}
    refused(boss.post(f"{address}/insight", json=body), 409, "conflict")


def test_bad_questions_are_refused(boss, address, school):
    refused(boss.post(f"{address}/insight", json={"kind": "finish"}), 422, "invalid")
    refused(boss.post(f"{address}/insight", json={"kind": "rewards"}), 404, "not_found")
    refused(boss.post(f"{address}/insight", json={"kind": "rewards", "query_id": "<b>"}), 422, "invalid")
    refused(boss.post(f"{address}/insight", json={"kind": "forecast", "run": "none"}), 404, "not_found")
    refused(boss.get(f"{address}/curves?run=none"), 404, "not_found")
    refused(boss.get(f"{API}/insight/nothing"), 404, "not_found")
    pause = school.lesson.store.add_job(school.lesson.experiment, "pause")
    refused(boss.get(f"{API}/insight/{pause}"), 404, "not_found")


def test_a_token_of_another_experiment_sees_nothing(school, boss, address):
    job = boss.post(f"{address}/insight", json={"kind": "forecast"}).json()["job_id"]
    other = school.lesson.store.experiment("other", "hopper")
    stranger = school.person("eve", "researcher", other)
    refused(stranger.get(f"{address}/curves"), 404, "not_found")
    refused(stranger.get(f"{API}/insight/{job}"), 404, "not_found")


def test_asked_twice_at_once_it_is_answered_once_and_too_many_must_wait(boss, address, school):
    def ask(kind: str):
        return boss.post(f"{address}/insight", json={"kind": kind})

    assert ask("forecast").json() == ask("forecast").json()
    assert ask("agent_now").json() != ask("agent_now").json()  # another start each time
    school.lesson.clock.now += 60
    assert ask("forecast").status_code == 200
    assert school.lesson.store.n_waiting(school.lesson.run) == 4
    while (last := ask("agent_now")).status_code == 200:
        pass
    refused(last, 503, "busy")
    assert school.lesson.store.n_waiting(school.lesson.run) == 30


def test_who_waits_is_told_whom_for(boss, address, school):
    store, run = school.lesson.store, school.lesson.run
    store.report(run, "training", "learning")
    job = boss.post(f"{address}/insight", json={"kind": "forecast"}).json()["job_id"]
    assert boss.get(f"{API}/insight/{job}").json()["message"] == ""
    school.lesson.clock.now += 31
    told = boss.get(f"{API}/insight/{job}").json()
    assert told["state"] == "queued"
    assert "rl-teacher worker" in told["message"]
    answer(school, job, {"message": "Too early for a forecast."}, ok=False)
    told = boss.get(f"{API}/insight/{job}").json()
    assert (told["state"], told["message"], told["forecast"]) == ("failed", "Too early for a forecast.", None)


def test_disagreements_are_shown_as_the_answers_stand_now(boss, address, asked, school):
    first, second, third = asked
    say(school, first, Verdict.LEFT, seconds=2.5)
    say(school, second, Verdict.RIGHT, "ann", strength=Strength.MUCH)
    say(school, third, Verdict.LEFT)
    job = boss.post(f"{address}/insight", json={"kind": "disagreements"}).json()["job_id"]
    rows = [{"query_id": one, "p_left": p, "p": 0.0} for one, p in zip(asked, (0.2, 0.9, 0.4), strict=True)]
    answer(school, job, {"n": 3, "answers": rows})

    def shown() -> list[tuple]:
        told = boss.get(f"{API}/insight/{job}").json()["disagreements"]
        return [
            (row["query_id"], row["verdict"], row["labeller"]["name"], round(row["p"], 2)) for row in told["answers"]
        ]

    assert shown() == [(second, "RIGHT", "ann", 0.1), (first, "LEFT", "boss", 0.2), (third, "LEFT", "boss", 0.4)]
    say(school, first, Verdict.LEFT, key="kept")
    say(school, third, Verdict.RIGHT, key="corrected")
    assert shown() == [(second, "RIGHT", "ann", 0.1)]
    assert len(school.lesson.store.labels_since(school.lesson.experiment)) == 5  # nothing is overwritten


def test_best_and_worst_come_with_their_clips(boss, address, asked, school):
    stored = school.lesson.store.query(asked[0])
    job = boss.post(f"{address}/insight", json={"kind": "best_worst"}).json()["job_id"]
    sides = (stored.left_segment_id, stored.right_segment_id)
    best, worst = ({"segment_id": id, "step": 7, "rewards": [1.0, 2.0], "sum": 3.0} for id in sides)
    answer(school, job, {"n": 2, "answered": True, "best": [best], "worst": [worst]})
    told = boss.get(f"{API}/insight/{job}").json()["best_worst"]
    assert [(len(told[end]), told[end][0]["rewards"], told[end][0]["sum"]) for end in ("best", "worst")] == [
        (1, [1.0, 2.0], 3.0)
    ] * 2
    assert boss.get(told["best"][0]["clip"]["url"]).status_code == 200
    assert told["best"][0]["clip"] != told["worst"][0]["clip"]


def test_curves_are_columns_with_what_was_measured_where(boss, address, school):
    store, run = school.lesson.store, school.lesson.run
    assert boss.get(f"{address}/curves").json()["step"] == []
    store.add_point(run, 100, {"labels/answered": 3, "rew_mean": 0.5, "true_return": 9.0})
    store.add_point(run, 200, {"labels/answered": 4, "rew_mean": 0.6, "true_return": 9.0})
    store.add_point(run, 300, {"labels/answered": 4, "reward/held_out_accuracy": 0.8, "rew_mean": 0.6})
    told = boss.get(f"{address}/curves?run=hop").json()
    assert told["step"] == [100, 200, 300]
    assert told["answers"] == [3, 4, 4]
    assert told["reward"] == [0.5, 0.6, 0.6]
    assert told["true_return"] == [9.0, None, None]
    assert told["accuracy"] == [None, None, 0.8]
    assert (told["alarm"], told["predictor"], told["run"]) == (None, "human", "hop")
    figures = dict.fromkeys(("reward_before", "reward_now", "accuracy_before", "accuracy_now"), 0.5)
    store.add_point(run, 400, {"alarm": {"line": "Look at the agent", "answers": 30, **figures}})
    assert boss.get(f"{address}/curves").json()["alarm"]["line"] == "Look at the agent"
