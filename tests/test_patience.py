"""Waiting for what passes, and for nothing else."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import exc

from rl_teacher import patience
from rl_teacher.errors import UserError
from rl_teacher.feedback.driver import choose_driver
from rl_teacher.patience import Patience, patient

FULL = OSError(errno.ENOSPC, "No space left on device", "runs/a/metrics.jsonl")


def of_sqlite(said: str) -> exc.OperationalError:
    return exc.OperationalError("INSERT", None, choose_driver().module.OperationalError(said))


class Moody:
    """Fails with each of these before it does what it is asked to."""

    def __init__(self, *faults: Exception):
        self.faults, self.n_done, self.name = list(faults), 0, "moody"

    def do(self, what: str) -> str:
        if self.faults:
            raise self.faults.pop(0)
        self.n_done += 1
        return what

    def close(self) -> None:
        raise FULL


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.01)
    return []


@pytest.fixture
def waits(told: list[str]) -> Iterator[Patience]:
    return Patience(told.append)


def test_what_passes_is_waited_for_and_told_once(waits, told):
    thing = Moody(FULL, FULL, of_sqlite("database is locked"), of_sqlite("database or disk is full"))
    assert patient(thing, waits).do("it") == "it"
    assert thing.n_done == 1
    assert [line.split(" (")[0] for line in told] == ["waiting: the disk is full", "going on"]
    assert "runs/a/metrics.jsonl" in told[0]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (of_sqlite("database is locked"), "another process has locked the database"),
        (of_sqlite("disk I/O error"), "it may be full"),
        (OSError(errno.EDQUOT, "Quota"), "the disk is full."),
    ],
)
def test_it_is_said_what_is_waited_for(waits, told, fault, said):
    patient(Moody(fault), waits).do("it")
    assert said in told[0]


def test_a_postgresql_that_starts_again_is_waited_for(waits, told):
    psycopg = pytest.importorskip("psycopg")
    gone = exc.OperationalError("SELECT", None, psycopg.OperationalError("server closed the\nconnection"))
    patient(Moody(gone), waits).do("it")
    assert "the database cannot be used (server closed the connection)" in told[0]


@pytest.mark.parametrize(
    "fault",
    [OSError(errno.EACCES, "Permission denied"), UserError("no"), of_sqlite("no such table: x"), ValueError("no")],
)
def test_what_does_not_pass_is_told_at_once(waits, told, fault):
    with pytest.raises(type(fault)):
        patient(Moody(fault), waits).do("it")
    assert told == []


def test_a_run_that_is_to_end_waits_no_more(waits, told):
    waits.should_stop = lambda: bool(told)
    with pytest.raises(OSError, match="No space"):
        patient(Moody(FULL, FULL, FULL), waits).do("it")
    assert len(told) == 1


def test_several_threads_that_wait_are_told_of_once(waits, told):
    threads = [threading.Thread(target=lambda: patient(Moody(FULL, FULL), waits).do("it")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("going on") == sum(line.startswith("waiting") for line in told) <= 4


def test_closing_waits_for_nothing_and_attributes_are_those_of_the_thing(waits):
    thing = patient(Moody(), waits)
    assert thing.name == "moody"
    with pytest.raises(OSError, match="No space"):
        thing.close()
