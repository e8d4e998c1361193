"""Backups: whole, provable, and never over anything that is there."""

from __future__ import annotations

import dataclasses
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from rl_teacher.errors import UserError
from rl_teacher.feedback.backup import Manifest, back_up, prove, restore
from rl_teacher.feedback.naming import NAMES
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.schema import metadata
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict
from tests.feedback.lesson import Lesson, make_lesson


def full(lesson: Lesson) -> None:
    """Something in every table that a row can be put into from here."""
    store, ids = lesson.store, lesson.ask(4)
    ann = store.labeller("ann")
    for number, verdict in enumerate((Verdict.LEFT, Verdict.TIE, Verdict.WITHDRAWN)):
        store.submit(Submit(str(number), ids[number], ann, verdict, seconds=1.5, key="ArrowLeft"))
    store.set_gold(ids[0], Verdict.LEFT, "boss")
    store.create_token("admin", ann)
    store.add_point(lesson.run, 10, {"rew_mean": 0.5, "none": None})
    store.finish_job(store.add_job(lesson.experiment, "look", {"a": [1, {"b": None}]}), True, {"x": 1.5})


def rows_of(store: Store) -> dict[str, list[tuple]]:
    with store.read() as conn:
        return {t.name: sorted(map(tuple, conn.execute(sa.select(t))), key=repr) for t in metadata.sorted_tables}


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_what_is_restored_is_what_was_kept(lesson, into, tmp_path: Path, request):
    full(lesson)
    before = rows_of(lesson.store)
    made = back_up(lesson.store, tmp_path / "kept")
    assert (made.n_labels, made.missing, len(made.blobs)) == (3, [], 17)
    lesson.ask(2)  # not in it any more
    url = request.getfixturevalue("postgres").new() if into == "postgresql" else None
    assert restore(tmp_path / "kept", tmp_path / "new", url) == made
    with closing(open_store(tmp_path / "new", url)) as again:
        assert rows_of(again) == before
        assert again.load_segments(before["queries"][0][0])
        again.submit(Submit("new", before["queries"][3][0], again.labeller("bob"), Verdict.LEFT))
        again.note("me", "numbered on", {})
        assert [label.seq for label in again.labels_since(lesson.experiment)] == [1, 2, 3, 4]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    lesson = make_lesson(tmp_path / "runs")
    full(lesson)
    back_up(lesson.store, tmp_path / "kept")
    lesson.store.close()
    return tmp_path / "kept"


def test_a_backup_is_one_file_of_database_blobs_and_a_manifest(kept: Path):
    assert {path.name for path in kept.iterdir()} == {"feedback.db", "blobs", "manifest.json"}
    assert not list(kept.parent.glob("*.part"))
    assert prove(kept).n_labels == 3


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [cut_short, alter, Path.unlink])
@pytest.mark.parametrize("what", ["feedback.db", "blobs", "manifest.json"])
def test_what_was_harmed_is_named_and_nothing_is_written(kept: Path, tmp_path: Path, harm, what: str):
    path = kept / what
    harm(next(file for file in sorted(path.rglob("*")) if file.is_file()) if path.is_dir() else path)
    with pytest.raises(UserError, match=r"is damaged: |holds no manifest"):
        restore(kept, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"revision": "9999"}, "9999; this RL-Teacher knows up to"),
        ({"format": 2}, "format 2; this RL-Teacher knows up to 1"),
        ({"n_labels": 4}, "does not belong"),
        ({"blobs": {}}, "does not belong"),
        ({"blobs": {"../../etc/passwd": 1}}, "not what backup writes"),
        ({"missing": None}, "not what backup writes"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(kept: Path, tmp_path: Path, change: dict, said: str):
    given = json.loads((kept / "manifest.json").read_text())
    (kept / "manifest.json").write_text(json.dumps(given | change))
    with pytest.raises(UserError, match=said):
        restore(kept, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(kept: Path, tmp_path: Path, postgres):
    before = (tmp_path / "runs" / "feedback.db").read_bytes()
    with pytest.raises(UserError, match="overwrites nothing"):
        restore(kept, tmp_path / "runs")
    assert (tmp_path / "runs" / "feedback.db").read_bytes() == before
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "feedback.db-wal").touch()  # of a database that was moved without its log
    with pytest.raises(UserError, match="overwrites nothing"):
        restore(kept, tmp_path / "half")
    url = postgres.new()
    with closing(open_store(tmp_path / "other", url)) as store:
        store.labeller("somebody")
    with pytest.raises(UserError, match="overwrites nothing"):
        restore(kept, tmp_path / "new", url)
    lesson = make_lesson(tmp_path / "another")
    with closing(lesson.store), pytest.raises(UserError, match="there already"):
        back_up(lesson.store, kept)


def test_blobs_lost_before_are_named_and_all_else_is_kept(tmp_path: Path):
    lesson = make_lesson(tmp_path / "runs")
    full(lesson)
    query = lesson.store.queries(lesson.experiment)[0]
    lost = lesson.store.segments([query.left_segment_id])[0].data_blob
    path = lesson.store.blobs.path(lost)
    assert path is not None
    path.unlink()
    made = back_up(lesson.store, tmp_path / "kept")
    lesson.store.close()
    assert made.missing == [lost]
    assert restore(tmp_path / "kept", tmp_path / "new") == made


def test_a_backup_without_room_leaves_nothing(tmp_path: Path, monkeypatch):
    lesson = make_lesson(tmp_path / "runs")
    full(lesson)
    (tmp_path / "file").touch()
    with closing(lesson.store), pytest.raises(UserError, match="cannot be written"):
        back_up(lesson.store, tmp_path / "file" / "kept")
    assert not list(tmp_path.glob("*kept*"))


def test_one_of_an_older_version_is_brought_up_to_date(tmp_path: Path, kept: Path):
    from tests.feedback.test_engine import as_of

    as_of(open_store(tmp_path / "runs"), "0002")
    old = tmp_path / "old"
    shutil.copytree(kept / "blobs", old / "blobs")
    shutil.copy(tmp_path / "runs" / "feedback.db", old)
    given = Manifest(**json.loads((kept / "manifest.json").read_text()))
    from rl_teacher.files import sha256_of

    changed = dataclasses.replace(given, revision="0002", database=sha256_of(old / "feedback.db"))
    (old / "manifest.json").write_text(json.dumps(dataclasses.asdict(changed)))
    restore(old, tmp_path / "new")
    with closing(open_store(tmp_path / "new")) as store:
        assert store.counts(store.experiments()[0].id).decided == 2


def test_every_column_that_names_a_blob_is_known():
    def names_one(column: sa.Column) -> bool:
        return "blob" in column.name

    assert {c for table in metadata.sorted_tables for c in table.c if names_one(c)} == set(NAMES)
