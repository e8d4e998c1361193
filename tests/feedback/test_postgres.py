"""What only PostgreSQL can get wrong: there several transactions write at the same moment."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from rl_teacher.errors import UserError
from rl_teacher.feedback import engine
from rl_teacher.feedback.engine import Database
from rl_teacher.feedback.migrate import REVISIONS, alembic_config
from rl_teacher.feedback.records import ConflictError, Counts, Saved, Submit
from rl_teacher.feedback.schema import metadata
from rl_teacher.feedback.store import open_store
from rl_teacher.labels import Verdict
from tests.commands import teach
from tests.feedback.lesson import Lesson, make_lesson

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture
def on_server(tmp_path: Path, postgres) -> Lesson:
    made = make_lesson(tmp_path, postgres.emptied())
    yield made
    made.store.close()


def test_migrations_make_exactly_the_tables_of_the_schema_and_keep_labels_from_the_first_on(tmp_path, postgres):
    lesson = make_lesson(tmp_path, postgres.new())
    (query,) = lesson.ask(1)
    lesson.store.submit(Submit("one", query, lesson.store.labeller("ann"), Verdict.LEFT))
    before, counts = lesson.store.labels_since(lesson.experiment), lesson.store.counts(lesson.experiment)
    config = alembic_config()
    with lesson.store.write() as conn:
        config.attributes["connection"] = conn
        command.downgrade(config, REVISIONS[0])
    lesson.store.close()
    again = lesson.open_again()
    with again.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    assert again.labels_since(lesson.experiment) == before
    assert again.counts(lesson.experiment) == counts
    with again.read() as conn:  # and what was there is kept as it was
        (schema,) = [name for name in sa.inspect(conn).get_schema_names() if name.startswith("kept-0001-")]
        kept = conn.execute(sa.text(f'SELECT query_id, verdict FROM "{schema}".labels')).all()  # noqa: S608 - our own name
    assert [tuple(row) for row in kept] == [(query, "LEFT")]
    again.close()


def test_several_may_open_a_new_database_at_once(tmp_path, postgres):
    url = postgres.new()
    with ThreadPoolExecutor(3) as openers:
        for opened in openers.map(lambda _: open_store(tmp_path, url), range(3)):
            opened.close()


def test_a_server_that_is_not_there_is_one_line_that_says_what_must_be(tmp_path, postgres):
    with pytest.raises(UserError, match=r"cannot be opened.*PostgreSQL must run there"):
        open_store(tmp_path, f"postgresql://me@/nothing?host={tmp_path}")
    with pytest.raises(UserError, match=r"nothing.*does not exist"):
        open_store(tmp_path, postgres.url("nothing"))


def test_a_database_from_a_newer_version_is_refused(tmp_path, postgres):
    url = postgres.new()
    store = open_store(tmp_path, url)
    with store.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(UserError, match=r"9999.*newer RL-Teacher"):
        open_store(tmp_path, url)


def test_commits_are_durable_whatever_the_server_says(tmp_path, postgres):
    url = postgres.new()
    postgres.run(f"ALTER DATABASE {sa.make_url(url).database} SET synchronous_commit = off")
    database = Database(url)
    with database.write() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    database.close()


def test_a_number_is_given_when_all_before_it_can_be_seen(on_server):
    """The one who draws the lower number commits later: the higher one must wait, or a cursor would skip the lower."""
    store = on_server.store
    first, second = on_server.ask(2)
    ann, seen = store.labeller("ann"), []
    with store.write() as conn:
        assert engine.next_number(conn, "labels") == 1
        other = threading.Thread(target=lambda: seen.append(store.submit(Submit("2", second, ann, Verdict.LEFT))))
        other.start()
        time.sleep(0.3)
        assert seen == []
        assert store.labels_since(on_server.experiment) == []
    other.join()
    assert seen == [Saved(2, repeated=False, late=False)]
    assert store.submit(Submit("1", first, ann, Verdict.LEFT)).seq == 3


def test_a_claim_passes_by_what_somebody_else_is_claiming(on_server):
    store = on_server.store
    on_server.ask(2)
    ann = store.labeller("ann")
    with store.write() as conn:
        one = conn.execute(sa.text("SELECT id FROM queries ORDER BY number DESC LIMIT 1 FOR UPDATE")).scalar_one()
        start = time.monotonic()
        (claim,) = store.claim(on_server.experiment, ann, 2)
        assert time.monotonic() - start < 5
        assert claim.query_id != one


def test_the_same_id_for_two_questions_at_once_is_one_answer_and_one_conflict(on_server):
    store = on_server.store
    asked, ann = on_server.ask(8), store.labeller("ann")

    def send(query: str) -> Saved | ConflictError:
        try:
            return store.submit(Submit("same", query, ann, Verdict.LEFT))
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(8) as people:
        said = list(people.map(send, asked))
    assert sum(isinstance(one, Saved) for one in said) == 1
    assert store.counts(on_server.experiment).answered == 1


def test_writers_of_every_kind_leave_counts_that_agree_with_the_record(on_server):
    """Asking, answering, taking back and changing what is wanted, all at the same moment."""
    store, experiment = on_server.store, on_server.experiment
    people = [store.labeller(f"p{n}") for n in range(4)]
    asked = on_server.ask(12)

    def answer(who: str) -> None:
        for number, query in enumerate(asked):
            verdict = [Verdict.LEFT, Verdict.TIE, Verdict.WITHDRAWN][number % 3]
            store.submit(Submit(f"{who}-{number}", query, who, verdict))

    def others() -> None:
        for n in (2, 3, 1, 2):
            store.edit_experiment(experiment, answers_per_pair=n)
            on_server.ask(2, step=n)
            store.expire(experiment, 2)

    with ThreadPoolExecutor(5) as pool:
        for done in [pool.submit(others), *(pool.submit(answer, who) for who in people)]:
            done.result()
    counts = store.counts(experiment)
    rows = store.queries(experiment)
    newest = store.labels_of([row.id for row in rows]).values()
    stands = [[label.verdict for label in said if label.verdict is not Verdict.WITHDRAWN] for said in newest]
    open_ones = [row for row in rows if row.state == "open" and row.n_answers < row.answers_wanted]
    assert (counts.asked, counts.open) == (len(rows), len(open_ones))
    assert counts.answered == sum(bool(said) for said in stands) == 8
    assert isinstance(counts, Counts)
    assert [label.seq for label in store.labels_since(experiment)] == list(range(1, 49))


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_reading_transaction_sees_one_moment(lesson):
    lesson.ask(1)
    with lesson.store.read() as conn:
        count = sa.text("SELECT count(*) FROM queries")
        assert conn.execute(count).scalar() == 1
        lesson.ask(1)
        assert conn.execute(count).scalar() == 1


def test_a_run_keeps_everything_there(tmp_path, postgres):
    url = postgres.emptied()
    assert teach(f"-p synth -l 4 -e Reacher-v1 -n a -t 5000 -V --store {url}") == 0
    assert not Path("runs/feedback.db").exists()
    with closing(open_store(tmp_path / "runs", url)) as store:
        assert store.run_by_name("a").status == "finished"
        assert store.replays(store.run_by_name("a").id)


def test_what_waits_too_long_for_a_lock_gives_up(on_server, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 1.0)
    other = on_server.open_again()
    with on_server.store.write() as conn:
        conn.execute(sa.text("LOCK TABLE labellers"))
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            other.labeller("ann")
    assert other.labeller("ann")
    other.close()
