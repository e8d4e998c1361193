"""Clips in several forms, films on request, clips that are lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from rl_teacher.feedback.records import NotFoundError
from rl_teacher.feedback.schema import audit
from rl_teacher.feedback.showing import RETRY_SECONDS

WEBM, MP4 = 'video/webm; codecs="vp9"', 'video/mp4; codecs="avc1.64001f"'


@pytest.fixture
def clip_id(lesson) -> str:
    lesson.ask(2)
    [claim] = lesson.store.claim(lesson.experiment, lesson.store.labeller("ann"))
    return claim.left.id


def test_a_clip_comes_with_all_its_forms_wherever_it_is_shown(lesson, clip_id):
    assert lesson.store.clip(clip_id).renditions == ()
    lesson.store.add_renditions(clip_id, {MP4: b"second", WEBM: b"first"})
    clip = lesson.store.clip(clip_id, lesson.experiment)
    assert [form.media_type for form in clip.renditions] == [WEBM, MP4]
    assert lesson.store.blobs.get(clip.renditions[0].blob) == b"first"
    [claim] = lesson.store.claim(lesson.experiment, lesson.store.labeller("ann"))
    assert claim.left == clip
    assert claim.right.renditions == ()
    lesson.store.add_replay(lesson.run, 5, clip_id)
    assert lesson.store.replays(lesson.run)[0].clip == clip


def test_the_forms_may_be_seen_where_the_clip_may(lesson, clip_id):
    lesson.store.add_renditions(clip_id, {WEBM: b"film"})
    [form] = lesson.store.clip(clip_id).renditions
    other = lesson.store.experiment("other", "hopper")
    assert lesson.store.media_type(form.blob) == WEBM
    assert lesson.store.media_type(form.blob, lesson.experiment) == WEBM
    assert lesson.store.media_type(form.blob, other) is None
    with pytest.raises(NotFoundError):
        lesson.store.clip(clip_id, other)
    assert lesson.store.experiments_showing(clip_id) == [lesson.experiment]


def test_a_film_is_in_the_store_with_its_clip(lesson):
    id = lesson.store.add_clip("video", b"v", WEBM, None, 3, 20.0, 0.05, renditions={MP4: b"m"})
    clip = lesson.store.clip(id)
    assert (clip.media_type, [form.media_type for form in clip.renditions]) == (WEBM, [MP4])


def test_however_many_ask_a_clip_is_drawn_once(lesson, clip_id):
    jobs = {lesson.store.ask_render(lesson.experiment, clip_id)[0].id for _ in range(5)}
    [job] = lesson.store.jobs(lesson.run)
    assert {job.id} == jobs
    assert (job.kind, job.args) == ("render", {"clip_id": clip_id})
    lesson.store.ask_render(lesson.experiment, clip_id)
    assert lesson.store.jobs(lesson.run) == []


def test_what_failed_or_was_forgotten_can_be_asked_for_again_later(lesson, clip_id):
    lesson.store.ask_render(lesson.experiment, clip_id)
    [job] = lesson.store.jobs(lesson.run)  # and that trainer dies
    lesson.clock.now += RETRY_SECONDS + 1
    assert lesson.store.ask_render(lesson.experiment, clip_id)[0].state == "queued"
    [job] = lesson.store.jobs(lesson.run)
    lesson.store.finish_job(job.id, False, {"message": "no OpenGL"})
    _, result = lesson.store.ask_render(lesson.experiment, clip_id)
    assert result is not None
    assert result.data == {"message": "no OpenGL"}
    lesson.clock.now += RETRY_SECONDS + 1
    again, result = lesson.store.ask_render(lesson.experiment, clip_id)
    assert (again.state, result) == ("queued", None)
    assert len(lesson.store.jobs(lesson.run)) == 1


def test_pairs_that_need_a_lost_blob_are_withdrawn_and_it_is_noted(lesson, clip_id):
    ids = {query.id for query in lesson.store.queries(lesson.experiment, "open")}
    withdrawn = lesson.store.lost(lesson.store.clip(clip_id).blob)
    assert len(withdrawn) == 1
    assert set(withdrawn) == {query.id for query in lesson.store.queries(lesson.experiment, "expired")}
    assert {query.id for query in lesson.store.queries(lesson.experiment, "open")} == ids - set(withdrawn)
    with lesson.store.read() as conn:
        assert (
            conn.execute(sa.select(audit.c.detail).where(audit.c.what == "pairs withdrawn")).scalar_one()["queries"]
            == withdrawn
        )
    assert lesson.store.lost(lesson.store.clip(clip_id).blob) == []


def test_a_lost_film_of_a_drawn_clip_is_only_forgotten(lesson, clip_id):
    lesson.store.add_renditions(clip_id, {WEBM: b"film", MP4: b"other"})
    assert lesson.store.lost(lesson.store.clip(clip_id).renditions[0].blob) == []
    assert [form.media_type for form in lesson.store.clip(clip_id).renditions] == [MP4]
    assert lesson.store.queries(lesson.experiment, "expired") == []
