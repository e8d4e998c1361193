from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from rl_teacher.errors import UserError
from rl_teacher.feedback import driver
from rl_teacher.feedback.migrate import REVISIONS, alembic_config
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.schema import metadata
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict
from tests.feedback.lesson import make_lesson


@pytest.mark.parametrize(
    ("version", "races"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_versions_with_the_wal_race_are_known(version: tuple[int, ...], races: bool):
    assert driver.has_wal_race(version) is races


def test_the_driver_in_use_is_safe():
    chosen = driver.choose_driver()
    assert chosen.journal == "TRUNCATE" or not driver.has_wal_race(chosen.module.sqlite_version_info)


def test_without_a_safe_sqlite_the_journal_is_one_that_does_not_race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(driver, "has_wal_race", lambda version: True)
    assert driver.choose_driver() == driver.Driver(sqlite3, "TRUNCATE")
    store = open_store(tmp_path)
    with store.read() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "truncate"
    assert store.experiment("a", "hopper")
    store.close()


def test_every_connection_is_durable_and_checks_references(tmp_path: Path):
    store = open_store(tmp_path)
    for transaction in (store.read, store.write):
        with transaction() as conn:
            assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
            assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000
    with store.write() as conn, pytest.raises(sa.exc.IntegrityError):
        conn.execute(sa.text("INSERT INTO standing VALUES ('q', 'l', 'e', 1, 'LEFT', 0)"))
    store.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path):
    store = open_store(tmp_path)
    with pytest.raises(sa.exc.IntegrityError), store.write() as conn:
        conn.execute(sa.insert(metadata.tables["counters"]), [{"name": name, "value": 1} for name in ("x", "labels")])
    with store.read() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM counters WHERE name = 'x'")).scalar() == 0
    store.close()


def test_migrations_make_exactly_the_tables_of_the_schema(tmp_path: Path):
    store = open_store(tmp_path)
    with store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
        assert set(sa.inspect(conn).get_table_names()) == {*metadata.tables, "alembic_version"}
    store.close()


def test_the_known_revisions_are_those_there_are():
    scripts = ScriptDirectory.from_config(alembic_config())
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == REVISIONS


def test_opening_again_changes_nothing(tmp_path: Path):
    store = open_store(tmp_path)
    experiment = store.experiment("hop", "hopper")
    store.close()
    again = open_store(tmp_path)
    assert again.experiment("hop", "hopper") == experiment
    again.close()


def test_opening_and_migrating_again_keeps_every_label(tmp_path: Path):
    lesson = make_lesson(tmp_path)
    said = [Verdict.LEFT, Verdict.RIGHT, Verdict.TIE, Verdict.ABSTAIN, Verdict.WITHDRAWN]
    lesson.ask(len(said))
    somebody = lesson.store.labeller("somebody")
    claims = lesson.store.claim(lesson.experiment, somebody, len(said))
    for number, (claim, verdict) in enumerate(zip(claims, said, strict=True)):
        if verdict is Verdict.WITHDRAWN:
            lesson.store.submit(Submit(f"first-{number}", claim.query_id, somebody, Verdict.LEFT, lease=claim.lease))
        lesson.store.submit(Submit(f"said-{number}", claim.query_id, somebody, verdict, lease=claim.lease))
    before = lesson.store.labels_since(lesson.experiment, 0, limit=100)
    assert [label.verdict for label in before] == [*said[:-1], Verdict.LEFT, Verdict.WITHDRAWN]
    lesson.store.close()
    for _ in range(2):
        again = open_store(tmp_path)
        assert again.labels_since(lesson.experiment, 0, limit=100) == before
        again.close()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_database_of_an_older_version_is_brought_up_to_date_with_its_counts_and_kept_as_it_was(
    tmp_path: Path, revision: str
):
    lesson = make_lesson(tmp_path)
    ann, bob = lesson.store.labeller("ann"), lesson.store.labeller("bob")
    ids = lesson.ask(5, answers_wanted=2)
    lesson.store.expire(lesson.run, 0)
    said = [(ann, Verdict.LEFT), (bob, Verdict.TIE), (ann, Verdict.ABSTAIN), (bob, Verdict.WITHDRAWN)]
    for number, (who, verdict) in enumerate(said):
        lesson.store.submit(Submit(str(number), ids[number // 2], who, verdict))
    before = lesson.store.counts(lesson.experiment)
    events = lesson.store.labels_since(lesson.experiment)
    as_of(lesson.store, revision)
    again = lesson.open_again()
    assert again.counts(lesson.experiment) == before
    assert (before.asked, before.open, before.unanswered, before.decided, before.withdrawn) == (5, 4, 3, 1, 1)
    assert again.labels_since(lesson.experiment) == events
    (experiment,) = again.experiments()
    assert (experiment.answers_per_pair, experiment.repeat_rate, experiment.trust) == (1, 0.0, False)
    again.close()
    (kept,) = tmp_path.glob("feedback.db.*")
    assert kept.name == f"feedback.db.{revision}-19700112-134640"  # the lesson's clock
    with closing(driver.choose_driver().module.connect(kept)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]
        assert conn.execute("SELECT count(*) FROM labels").fetchall() == [(4,)]


def as_of(store: Store, revision: str) -> None:
    """Bring a database back to an older version, and close it."""
    config = alembic_config()
    with store.write() as conn:
        config.attributes["connection"] = conn
        command.downgrade(config, revision)
    store.close()


def test_where_no_copy_can_be_kept_nothing_is_changed(tmp_path: Path):
    lesson = make_lesson(tmp_path)
    as_of(lesson.store, "0003")
    (tmp_path / "feedback.db.0003-19700112-134640").mkdir()
    with pytest.raises(UserError, match=r"no copy of it can be kept in .*0003-19700112-134640"):
        lesson.open_again()
    (tmp_path / "feedback.db.0003-19700112-134640").rmdir()
    lesson.open_again().close()


OPENS = """
import sys, time
from pathlib import Path
from rl_teacher.feedback.store import open_store
folder, name = sys.argv[1:]
Path(folder, name).touch()
while not Path(folder, "go").exists(): time.sleep(0.001)
open_store(folder + "/runs").experiment(name, "hopper")
"""


def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path, make: Callable):
    names = [f"opener-{number}" for number in range(3)]
    openers = [subprocess.Popen([sys.executable, "-W", "error", "-c", OPENS, str(tmp_path), name]) for name in names]
    deadline = time.monotonic() + 60
    while not all((tmp_path / name).exists() for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    (tmp_path / "go").touch()
    assert [opener.wait(60) for opener in openers] == [0, 0, 0]
    store = open_store(tmp_path / "runs")
    assert {experiment.name for experiment in store.experiments()} == set(names)
    with store.read() as conn:
        assert conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == [REVISIONS[-1]]
    store.close()


def test_a_database_from_a_newer_version_is_refused(tmp_path: Path):
    store = open_store(tmp_path)
    with store.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(UserError, match=r"9999.*newer RL-Teacher"):
        open_store(tmp_path)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path):
    (tmp_path / "feedback.db").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(UserError, match=r"feedback\.db"):
        open_store(tmp_path)
    assert (tmp_path / "feedback.db").read_bytes().startswith(b"not a database")


def test_a_damaged_database_is_refused(tmp_path: Path, make: Callable):
    lesson = make(tmp_path)
    lesson.ask(20)
    with lesson.store.write() as conn:
        size = conn.exec_driver_sql("PRAGMA page_size").scalar()
        page = conn.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'queries'").scalar()
    lesson.store.close()  # the last connection moves everything from the log into the file
    path = tmp_path / "feedback.db"
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"damaged|malformed"):
        open_store(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_database_cut_short_is_refused_and_kept(tmp_path: Path, make: Callable, share: float):
    lesson = make(tmp_path)
    lesson.ask(20)
    lesson.store.close()
    path = tmp_path / "feedback.db"
    left = path.read_bytes()[: int(share * path.stat().st_size)]
    path.write_bytes(left)
    with pytest.raises(UserError, match=r"damaged|malformed|not a database"):
        open_store(tmp_path)
    assert path.read_bytes() == left


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no address", "not the address of a database"),
        ("mysql://somewhere/db", "Allowed: sqlite, postgresql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file::memory:?uri=true", "in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "no options after"),
        ("sqlite:///q.db?timeout=abc", "no options after"),
        ("sqlite:///q.db?check_same_thread=zz", "no options after"),
        ("sqlite:///q.db?foo=bar", "no options after"),
        ("sqlite://host/q.db", "no host"),
    ],
)
def test_addresses_that_will_not_do_are_refused(tmp_path: Path, url: str, said: str):
    with pytest.raises(UserError, match=said):
        Store(url, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_odd_characters_will_do(tmp_path: Path):
    folder = tmp_path / "a ?b#c%20d"
    open_store(folder).close()
    assert (folder / "feedback.db").is_file()
