"""Pruning: what may be needed stays, whoever works at the same time."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from rl_teacher.feedback.blobs import Blobs
from rl_teacher.feedback.naming import named_blobs
from rl_teacher.feedback.pruning import Freed, prune
from rl_teacher.feedback.records import Counts, Submit
from rl_teacher.feedback.schema import metadata
from rl_teacher.labels import Verdict
from tests.feedback.lesson import Lesson

DAY = 86400.0


def age(lesson: Lesson, seconds: float) -> None:
    """Time passes, for the files too."""
    lesson.clock.now += seconds
    for path in (lesson.folder / "blobs").rglob("*"):
        if path.is_file():
            os.utime(path, (lesson.clock.now - seconds,) * 2)


def n_rows(lesson: Lesson) -> dict[str, int]:
    with lesson.store.read() as conn:
        return {
            table.name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def prune_old(lesson: Lesson, **options) -> Freed:
    return prune(lesson.store, lesson.clock.now - 30 * DAY, **options)


@pytest.fixture
def used(lesson: Lesson) -> Lesson:
    """Of six questions one is answered, of one the answer was withdrawn, four are taken back; a seventh is open."""
    store, ids = lesson.store, lesson.ask(6)
    ann = store.labeller("ann")
    store.submit(Submit("one", ids[0], ann, Verdict.LEFT))
    store.submit(Submit("two", ids[1], ann, Verdict.RIGHT))
    store.submit(Submit("three", ids[1], ann, Verdict.WITHDRAWN))
    lesson.ask(1, step=10**6)
    store.expire(lesson.run, 10**6)
    return lesson


def test_what_nobody_answered_and_was_taken_back_goes_with_its_clips_and_blobs(used):
    before = n_rows(used)
    assert used.store.counts(used.experiment).asked == 7
    age(used, 31 * DAY)
    freed = prune_old(used)
    # of the six the first two were spoken of; the seventh is open
    assert (freed.pairs, freed.answered, freed.clips, freed.blobs) == (4, 0, 8, 16)
    after = n_rows(used)
    assert (after["labels"], after["standing"]) == (before["labels"], before["standing"])
    assert after["queries"] == before["queries"] - 4
    assert after["segments"] == before["segments"] - 8
    counts = used.store.counts(used.experiment)
    assert (counts.asked, counts.open, counts.answered, counts.withdrawn) == (
        3,
        2,
        1,
        1,
    )  # it is lent to Ann again, so that it is not taken back
    for query in used.store.queries(used.experiment):
        used.store.load_segments(query.id)
    with used.store.read() as conn:
        assert all(used.store.blobs.has(sha) for sha in named_blobs(conn))
    assert prune_old(used) == Freed(0, 0, 0, 0, 0, 0, 0)


def test_a_dry_run_says_the_same_and_removes_nothing(used):
    age(used, 31 * DAY)
    before, files = n_rows(used), sorted((used.folder / "blobs").rglob("*"))
    said = prune_old(used, dry_run=True)
    assert n_rows(used) == before
    assert sorted((used.folder / "blobs").rglob("*")) == files
    assert prune_old(used) == said


def test_what_is_young_stays(used):
    before = n_rows(used)
    age(used, 29 * DAY)
    assert prune_old(used) == Freed(0, 0, 0, 0, 0, 0, 0)
    assert n_rows(used) == before


def test_a_pair_that_somebody_had_before_them_of_late_stays(lesson):
    lesson.ask(1)
    age(lesson, 31 * DAY)
    ann = lesson.store.labeller("ann")
    (claim,) = lesson.store.claim(lesson.experiment, ann)
    lesson.clock.now += DAY
    lesson.store.expire(lesson.run, 10**6)
    lesson.clock.now += 29 * DAY
    assert prune_old(lesson).pairs == 0
    assert lesson.store.submit(Submit("late", claim.query_id, ann, Verdict.LEFT)).late  # a page that was offline
    age(lesson, 90 * DAY)
    assert prune_old(lesson).pairs == 0


def test_answered_pairs_go_only_when_asked_for_and_when_the_experiment_is_finished(used):
    other = used.store.experiment("other", "hopper")
    age(used, 31 * DAY)
    assert prune_old(used, answered=True).answered == 0
    used.store.edit_experiment(used.experiment, status="finished")
    assert prune_old(used, answered=True).answered == 0  # it was finished just now
    age(used, 31 * DAY)
    assert prune_old(used).answered == 0
    assert len(used.store.labels_since(used.experiment)) == 3
    freed = prune_old(used, answered=True)
    assert freed.answered == 2
    left = n_rows(used)
    assert [left[name] for name in ("labels", "standing", "queries", "segments", "clips")] == [0] * 5
    assert used.store.counts(used.experiment) == used.store.counts(other) == Counts()


def test_checks_go_with_the_pairs_that_they_test(lesson):
    ann, (query,) = lesson.store.labeller("ann"), lesson.ask(1)
    lesson.store.submit(Submit("one", query, ann, Verdict.LEFT))
    lesson.store.set_gold(query, Verdict.LEFT, "boss")
    lesson.store.edit_experiment(lesson.experiment, gold_rate=0.5)
    lesson.store.draw = lambda: 0.0
    lesson.ask(1)
    bob = lesson.store.labeller("bob")
    claims = lesson.store.claim(lesson.experiment, bob, 2)
    assert lesson.store.query(claims[0].query_id).kind == "gold"
    lesson.store.submit(Submit("two", claims[0].query_id, bob, Verdict.LEFT))
    lesson.store.edit_experiment(lesson.experiment, status="finished")
    age(lesson, 31 * DAY)
    prune_old(lesson)
    assert n_rows(lesson)["checks"] == 1
    prune_old(lesson, answered=True)
    assert sum(n_rows(lesson)[name] for name in ("checks", "golds", "queries", "labels", "leases")) == 0


def test_finished_jobs_go_and_what_a_young_result_names_stays(lesson):
    store = lesson.store
    segments = store.add_segments(lesson.run, [lesson.segment(1), lesson.segment(2)])
    old, waiting = (store.add_job(lesson.experiment, "look") for _ in range(2))
    store.finish_job(old, True, {"segments": segments})
    age(lesson, 31 * DAY)
    young = store.add_job(lesson.experiment, "look")
    store.finish_job(young, True, {"clips": [{"segment": segments[0]}]})
    assert prune_old(lesson).jobs == 1
    assert store.job(young)[1] is not None
    assert store.job(waiting)[0].state == "queued"
    assert n_rows(lesson)["segments"] == 1


def test_films_of_drawn_clips_go_and_replays_stay(lesson):
    clip = lesson.segment(1).clip_id
    lesson.store.add_replay(lesson.run, 10, clip)
    lesson.store.add_renditions(clip, {"video/webm": b"a film"})
    age(lesson, 31 * DAY)
    assert prune_old(lesson).films == 1
    assert lesson.store.clip(clip).renditions == ()
    (replay,) = lesson.store.replays(lesson.run)
    assert lesson.store.blobs.get(replay.clip.blob)


def test_blobs_that_are_put_once_more_at_the_same_moment_stay(tmp_path: Path):
    """A trainer puts them and will name them; pruning must not take them away in between."""
    blobs = Blobs(tmp_path)
    data = [bytes([number]) * 100 for number in range(200)]
    shas = [blobs.put(one) for one in data]
    before = time.time() - DAY
    for sha in shas:
        os.utime(blobs.path(sha), (before - 1,) * 2)
    put: list[str] = []
    trainer = threading.Thread(target=lambda: put.extend(blobs.put(one) for one in data[::2]))
    trainer.start()
    blobs.sweep(frozenset(), before)
    trainer.join()
    assert all(blobs.has(sha) for sha in put)
    assert len(put) == 100


def test_half_written_files_go_when_they_are_old_and_what_is_not_ours_stays(tmp_path: Path):
    blobs = Blobs(tmp_path)
    for name in ("tmp-old", "tmp-young", "README"):
        (tmp_path / name).write_bytes(b"12345")
    for name in ("tmp-old", "README"):
        os.utime(tmp_path / name, (0, 0))
    assert blobs.sweep(frozenset(), time.time() - DAY) == (1, 5)
    assert {path.name for path in tmp_path.iterdir()} == {"tmp-young", "README"}
