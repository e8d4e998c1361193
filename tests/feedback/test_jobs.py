from __future__ import annotations

import threading

import pytest

from rl_teacher.feedback.records import NotFoundError, Result


def test_a_job_is_taken_once_done_once_and_its_result_seen(lesson):
    store = lesson.store
    first = store.add_job(lesson.experiment, "pause", {"why": "lunch"})
    lesson.clock.now += 1
    second = store.add_job(lesson.experiment, "finish", run_id=lesson.run)
    assert store.job(first)[0].state == "queued"
    taken = store.jobs(lesson.run)
    assert [(job.id, job.kind, job.state, dict(job.args)) for job in taken] == [
        (first, "pause", "taken", {"why": "lunch"}),
        (second, "finish", "taken", {}),
    ]
    assert store.jobs(lesson.run) == []
    store.finish_job(first, True, {"step": 3})
    job, result = store.job(first)
    assert (job.state, job.done_at, result) == ("done", lesson.clock.now, Result(True, {"step": 3}))
    store.finish_job(second, False)
    assert store.job(second)[0].state == "failed"
    with pytest.raises(NotFoundError):
        store.finish_job("nothing", True)
    with pytest.raises(NotFoundError):
        store.job("nothing")
    with pytest.raises(NotFoundError):
        store.add_job("nothing", "finish")


def test_jobs_reach_only_their_run(lesson):
    store = lesson.store
    other = store.run(lesson.experiment, "second", 2, "human")
    foreign = store.run(store.experiment("other", "hopper"), "third", 1, "human")
    job = store.add_job(lesson.experiment, "finish", run_id=lesson.run)
    anyone = store.add_job(lesson.experiment, "pause")
    assert store.jobs(foreign) == []
    assert [taken.id for taken in store.jobs(other)] == [anyone]
    assert [taken.id for taken in store.jobs(lesson.run)] == [job]


def test_two_takers_never_get_the_same_job(lesson):
    made = {lesson.store.add_job(lesson.experiment, "pause") for _ in range(20)}
    taken: list[str] = []

    def take() -> None:
        for _ in range(10):
            taken.extend(job.id for job in lesson.store.jobs(lesson.run))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(made)
