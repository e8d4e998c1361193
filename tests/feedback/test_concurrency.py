"""Real processes and threads at one store."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import exc

from rl_teacher.feedback import engine
from rl_teacher.feedback.records import Counts, Submit
from rl_teacher.labels import Verdict

WORKER = """
import json, sys, threading, time
from pathlib import Path
import pytest

from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import open_store
from rl_teacher.labels import Verdict

folder, url, experiment, name = sys.argv[1:]
store = open_store(folder, url or None)
done = []

def work(who):
    labeller = store.labeller(who)
    while claims := store.claim(experiment, labeller, 2):
        for claim in claims:
            said = Submit(f"{who}-{claim.query_id}", claim.query_id, labeller, Verdict.LEFT, lease=claim.lease)
            saved = store.submit(said)
            assert store.submit(said).seq == saved.seq
            done.append((saved.seq, claim.query_id, saved.late))

Path(folder, name).touch()
while not Path(folder, "go").exists(): time.sleep(0.001)
threads = [threading.Thread(target=work, args=(f"{name}-{n}",)) for n in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
store.close()
print(json.dumps(done))
"""


@pytest.mark.slow
def test_processes_and_threads_share_the_questions_and_a_reader_misses_none(lesson, tmp_path: Path):
    asked = lesson.ask(60)
    names = ["one", "two", "three"]
    command = [sys.executable, "-W", "error", "-c", WORKER, str(tmp_path), lesson.url or "", lesson.experiment]
    workers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in names]
    deadline = time.monotonic() + 60
    while not all((tmp_path / name).exists() for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    (tmp_path / "go").touch()
    seen, running = [], True
    while running:  # the trainer reads while they write, and once more at the end
        running = any(worker.poll() is None for worker in workers)
        seen += lesson.store.labels_since(lesson.experiment, seen[-1].seq if seen else 0)
        time.sleep(0.002)
    done = [tuple(row) for worker in workers for row in json.loads(worker.communicate()[0])]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(query for _, query, _ in done) == sorted(asked)  # each answered exactly once
    assert not any(late for _, _, late in done)
    assert [label.seq for label in seen] == list(range(1, 61))
    assert {(label.seq, label.query_id) for label in seen} == {(seq, query) for seq, query, _ in done}
    assert lesson.store.counts(lesson.experiment) == Counts(asked=60, answered=60, decided=60, left=60)


def test_threads_sending_the_same_answer_have_one_effect(lesson):
    (query,) = lesson.ask(1)
    ann = lesson.store.labeller("ann")
    saved = []

    def send() -> None:
        saved.append(lesson.store.submit(Submit("same", query, ann, Verdict.LEFT)))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.seq for one in saved] == [1] * 8
    assert sum(not one.repeated for one in saved) == 1


def test_readers_are_not_kept_waiting_by_a_writer(lesson):
    lesson.ask(2)
    other = lesson.open_again()
    with lesson.store.write() as conn:
        conn.exec_driver_sql("UPDATE counters SET value = value + 1")
        start = time.monotonic()
        assert other.counts(lesson.experiment).asked == 2
        assert time.monotonic() - start < 5  # a waiting one would give up after ten
    other.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_waits_too_long_behind_others_gives_up(lesson, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.3)
    start = time.monotonic()
    with ThreadPoolExecutor(3) as others, lesson.store.write():
        waiting = [others.submit(lesson.store.labeller, f"p{n}") for n in range(3)]
        for one in waiting:
            assert isinstance(one.exception(), exc.OperationalError)
    assert time.monotonic() - start < 3.0
    assert lesson.store.labeller("p0")
