from __future__ import annotations

import dataclasses
import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.errors import UserError
from rl_teacher.feedback.records import ConflictError, Counts, NotFoundError, Submit
from rl_teacher.feedback.store import open_store
from rl_teacher.labels import Verdict


def test_an_experiment_is_made_once(lesson):
    store = lesson.store
    store.edit_experiment(lesson.experiment, instructions="Hop higher.", status="finished")
    assert store.experiment("hop", "hopper", "Make it hop.", 20) == lesson.experiment
    (there,) = store.experiments()
    assert (there.instructions, there.wanted, there.status) == ("Hop higher.", 100, "open")
    with pytest.raises(ConflictError, match=r"hopper.*walker"):
        store.experiment("hop", "walker")
    with pytest.raises(UserError, match="Allowed: answers_per_pair, gold_rate, instructions, repeat_rate"):
        store.edit_experiment(lesson.experiment, name="x")
    with pytest.raises(UserError, match="Allowed: finished, open"):
        store.edit_experiment(lesson.experiment, status="x")
    with pytest.raises(NotFoundError):
        store.edit_experiment("nothing", status="open")


def test_a_run_is_made_once_and_reports(lesson):
    store = lesson.store
    assert store.run(lesson.experiment, "hop", 2, "human") == lesson.run
    other = store.experiment("other", "hopper")
    with pytest.raises(ConflictError, match="belongs to another"):
        store.run(other, "hop", 1, "human")
    lesson.clock.now += 5
    progress = {"step": np.int64(7), "accuracy": np.float32(0.5), "true_return": math.nan, "more": [np.inf, (1, 2)]}
    store.report(lesson.run, "waiting", "for 3 answers", progress)
    run = store.run_by_name("hop")
    assert run.progress == {"step": 7, "accuracy": 0.5, "true_return": None, "more": [None, [1, 2]]}
    assert (run.status, run.message, run.heartbeat_at) == ("waiting", "for 3 answers", lesson.clock.now)
    store.report(lesson.run, "finished", "done")
    assert store.latest_run(lesson.experiment) == dataclasses.replace(run, status="finished", message="done")
    with pytest.raises(UserError, match="Allowed: failed"):
        store.report(lesson.run, "asleep", "")
    with pytest.raises(NotFoundError):
        store.report("nothing", "training", "")
    with pytest.raises(NotFoundError):
        store.run_by_name("nothing")


def test_the_same_clip_is_stored_once_and_another_speed_is_another_clip(lesson):
    clip = ("poses", b"data", "application/octet-stream", b"{}", 3)
    first = lesson.store.add_clip(*clip, 20.0, 0.05)
    assert lesson.store.add_clip(*clip, 20.0, 0.05) == first
    assert lesson.store.add_clip(*clip, 25.0, 0.05) != first
    with pytest.raises(UserError, match="Allowed: poses, video"):
        lesson.store.add_clip("film", b"", "video/webm", None, 1, 1.0, 1.0)


def test_a_pair_is_asked_once(lesson):
    item = lesson.new(1)
    (first,) = lesson.store.add_queries(lesson.run, [item])
    swapped = dataclasses.replace(item, left=item.right, right=item.left, why="again")
    assert lesson.store.add_queries(lesson.run, [swapped]) == [first]
    assert lesson.store.counts(lesson.experiment).asked == 1
    assert lesson.store.query(first).why == "random"
    assert lesson.store.pairs(lesson.experiment) == {"pair-1"}
    assert lesson.store.add_queries(lesson.run, []) == []
    with pytest.raises(NotFoundError):
        lesson.store.add_queries("nothing", [item])


def test_segments_come_back_as_they_were(lesson):
    item = dataclasses.replace(lesson.new(3), score=np.float64(0.25), step=np.int64(77), why="disagreement")
    (query_id,) = lesson.store.add_queries(lesson.run, [item])
    left, right, provenance = lesson.store.load_segments(query_id)
    np.testing.assert_array_equal(left["obs"], np.full((3, 2), 6, np.float32))
    np.testing.assert_array_equal(right["obs"], np.full((3, 2), 7, np.float32))
    assert left["env_rew"].dtype == np.float64
    assert (provenance.left.key, provenance.right.key) == (item.left.key, item.right.key)
    assert (provenance.left.run, provenance.left.step, provenance.left.episode) == ("hop", 60, 1)
    assert (provenance.left.start, provenance.left.n_steps) == (2, 3)
    query = provenance.query
    assert (query.pair, query.why, query.score, query.step) == ("pair-3", "disagreement", 0.25, 77)
    with pytest.raises(NotFoundError):
        lesson.store.load_segments("nothing")


def test_stale_questions_are_taken_back_unless_answered_or_looked_at(lesson):
    store, ann = lesson.store, lesson.store.labeller("ann")
    old = lesson.ask(4, step=100)
    new = lesson.ask(1, step=200)
    lesson.clock.now += 1
    store.claim(lesson.experiment, ann, 3)  # the new one and two old ones
    store.submit(Submit("a", old[0], ann, Verdict.LEFT))
    assert store.expire(lesson.run, 200) == 2  # one is answered, one looked at
    assert store.expire(lesson.experiment, 200) == 0
    assert {query.id for query in store.queries(lesson.experiment, "expired")} == {old[2], old[3]}
    assert store.counts(lesson.experiment) == Counts(asked=5, open=2, unanswered=2, answered=1, decided=1, left=1)
    lesson.clock.now += 1000  # nobody looks any more
    assert store.expire(lesson.run, 200) == 1
    assert {query.id for query in store.queries(lesson.experiment, "open")} == {old[0], *new}
    assert store.expire("nothing", 10**9) == 0


def test_the_agents_play_is_listed_newest_first(lesson):
    clip = lesson.segment(0).clip_id
    for step, earned in ((10, 1.5), (20, math.nan), (30, None)):
        lesson.clock.now += 1
        lesson.store.add_replay(lesson.run, step, clip, earned)
    shown = lesson.store.replays(lesson.run, 2)
    assert [(replay.step, replay.true_return, replay.clip.id) for replay in shown] == [
        (30, None, clip),
        (20, None, clip),
    ]
    assert lesson.store.replays(lesson.run)[-1].true_return == 1.5


def test_only_clips_and_scenes_may_be_shown(lesson):
    (query_id,) = lesson.ask(1)
    _, _, provenance = lesson.store.load_segments(query_id)
    (claim,) = lesson.store.claim(lesson.experiment, lesson.store.labeller("ann"))
    assert lesson.store.media_type(claim.left.blob) == "application/octet-stream"
    assert claim.left.scene_blob is not None
    assert lesson.store.media_type(claim.left.scene_blob) == "application/json"
    assert lesson.store.media_type(provenance.left.data_blob) is None  # it holds the true reward
    assert lesson.store.media_type(claim.left.blob, lesson.experiment) is not None
    assert lesson.store.media_type(claim.left.blob, lesson.store.experiment("other", "hopper")) is None


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.feedback.lesson import make_lesson
folder, moment = Path(sys.argv[2]), sys.argv[3]
lesson = make_lesson(folder)
items = [lesson.new(number) for number in range(3)]
write = lesson.store.write

class Hanging:
    def __init__(self): self.real = write()
    def __enter__(self):
        if moment == "before rows": self.hang()
        self.conn = self.real.__enter__()
        return self.conn
    def __exit__(self, *error):
        self.hang()
    def hang(self):
        print("now", flush=True)
        time.sleep(600)

lesson.store.write = Hanging
lesson.store.add_queries(lesson.run, items)
"""


@pytest.mark.parametrize("moment", ["before rows", "before commit"])
def test_kill_9_between_blob_and_row_leaves_nothing_visible(tmp_path: Path, make, moment: str):
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parents[2]), str(tmp_path), moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "now\n"
        victim.kill()
        assert victim.wait() == -signal.SIGKILL
    n_blobs = len([file for file in (tmp_path / "blobs").rglob("*") if file.is_file()])
    assert n_blobs >= 6 + 6 + 1  # arrays, clips, scene: they were written, and no row points at the arrays
    lesson = make(tmp_path)
    assert lesson.store.counts(lesson.experiment) == Counts()
    assert lesson.store.claim(lesson.experiment, lesson.store.labeller("ann"), 9) == []
    ids = lesson.ask(3)
    for query_id in ids:  # and asking again makes it whole
        lesson.store.load_segments(query_id)
    assert lesson.store.counts(lesson.experiment).open == 3
    lesson.store.close()


def test_an_unwritable_folder_is_the_users_mistake(tmp_path: Path):
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="--run-dir"):
        open_store(tmp_path / "runs")
