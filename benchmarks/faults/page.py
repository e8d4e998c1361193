"""A page's server that can be killed at any moment, and people who go on answering it whatever happens."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment
from rl_teacher.feedback.store import Store, open_store

SEGMENTS = 48
"""Of which every pair is asked."""
PEOPLE = 8
VERDICTS = ("LEFT", "RIGHT", "TIE", "ABSTAIN", "WITHDRAWN")
WEIGHTS = (8, 8, 2, 1, 1)

_NURSERY = """
import os, sys
import alembic, uvicorn.protocols.http.h11_impl, uvicorn.loops.auto, uvicorn.lifespan.on
from rl_teacher.server import __main__ as server
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(2, 1)
        os._exit(server.main(sys.argv[1:]))
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""
"""Forks the real server, with everything imported already: a start costs a tenth of a second, not a whole one."""


class Killable:
    """The page's server on a port that stays ours while it is dead, as the trainer keeps it.

    Args:
        folder: Of the store.
        url: Of the database; None: SQLite in the folder.
    """

    def __init__(self, folder: Path, url: str | None = None):
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._door.set_inheritable(True)
        self.port: int = self._door.getsockname()[1]
        options = ["--run-dir", str(folder), "--fd", str(self._door.fileno()), "--parent-pid", str(os.getpid())]
        options += ["--store", url] if url else []
        self._log = (folder / "server.log").open("ab")
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", _NURSERY, *options],
            pass_fds=(self._door.fileno(),),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._pid = 0

    def start(self) -> None:
        """Start it; it need not be ready yet."""
        if self._nursery.stdin is None:
            raise RuntimeError("it does not run")
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        self._pid = int(self._read())

    def kill(self) -> None:
        """SIGKILL it, and wait until it is gone.

        Raises:
            RuntimeError: If it had ended by itself.
        """
        os.kill(self._pid, signal.SIGKILL)
        self._pid, said = 0, self._read()
        if int(said) != signal.SIGKILL:
            raise RuntimeError(f"the server ended by itself (status {said}); see its log")

    def close(self) -> None:
        """End whatever runs. Closing twice is harmless."""
        if self._pid:
            self.kill()
        with self._nursery as nursery:  # closes its pipes, which ends it, and waits
            if nursery.stdin is not None:
                nursery.stdin.close()
        self._log.close()
        self._door.close()

    def _read(self) -> str:
        if self._nursery.stdout is None:
            raise RuntimeError("it does not run")
        return self._nursery.stdout.readline().strip() or "0"


@dataclass
class Said:
    """One answer somebody gave."""

    body: dict[str, str]
    seq: int = 0
    """As acknowledged; 0 before."""
    seconds: float = 0.0
    """From first sending it to its acknowledgement."""


@dataclass
class Person:
    """Somebody who answers, and sends each answer again until it is acknowledged."""

    port: int
    token: str
    experiment: str
    rng: random.Random
    every: float = 0.0
    """Seconds from one answer to the next, if it is acknowledged by then."""
    said: list[Said] = field(default_factory=list)
    n_sent_again: int = 0
    n_busy: int = 0
    """Times the server said that it could not be done just now."""
    n_saved_before: int = 0
    """Of those sent again, how many the server had kept without being able to say so."""
    faults: list[str] = field(default_factory=list)
    _connection: http.client.HTTPConnection | None = None

    def work(self, ended: threading.Event) -> None:
        """Answer until told to end; whatever is under way is brought to its acknowledgement."""
        try:
            while not ended.is_set():
                claimed = self._until_heard("POST", f"experiments/{self.experiment}/claim", {"n": 4})
                if not claimed["queries"]:
                    time.sleep(0.02)
                for query in claimed["queries"]:
                    start = time.monotonic()
                    self._answer(query)
                    if ended.wait(max(0.0, self.every - (time.monotonic() - start))):
                        break
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {error}")
        finally:
            self._hang_up()

    def _answer(self, query: dict[str, str]) -> None:
        (verdict,) = self.rng.choices(VERDICTS, WEIGHTS)
        body = {"id": uuid.uuid4().hex, "query_id": query["query_id"], "verdict": verdict, "lease": query["lease"]}
        said = Said(body)
        self.said.append(said)
        before, start = self.n_sent_again, time.monotonic()
        saved = self._until_heard("POST", "labels", body)
        said.seconds = time.monotonic() - start
        said.seq = saved["seq"]
        self.n_saved_before += bool(saved["repeated"] and self.n_sent_again > before)
        if self.rng.random() < 0.1:  # and an old one once more
            old = self.rng.choice(self.said)
            again = self._until_heard("POST", "labels", old.body)
            if (again["seq"], again["repeated"]) != (old.seq, True):
                self.faults.append(f"answer {old.body['id']} had number {old.seq}, sent again it got {again}")

    def _until_heard(self, method: str, path: str, body: dict) -> dict:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                status, text = self._send(method, path, body)
            except (OSError, http.client.HTTPException):
                self._hang_up()
            else:
                if status == 200:
                    return json.loads(text)
                if status != 503:
                    raise RuntimeError(f"{path}: {status} {text[:300]!r}")
                self.n_busy += 1
                time.sleep(0.1)
            self.n_sent_again += 1
            time.sleep(0.002)
        raise RuntimeError(f"{path}: nobody heard it for two minutes")

    def _send(self, method: str, path: str, body: dict) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self._connection.request(method, f"/api/v1/{path}", json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class School:
    """A store full of questions, its server, and people who answer."""

    store: Store
    folder: Path
    server: Killable
    experiment: str
    people: list[Person]
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def acknowledged(self) -> dict[str, int]:
        """Numbers of the answers that were acknowledged so far, by their id."""
        return {said.body["id"]: said.seq for person in self.people for said in list(person.said) if said.seq}

    @property
    def faults(self) -> list[str]:
        """What should not have happened to anybody."""
        return [fault for person in self.people for fault in person.faults]

    def begin(self) -> None:
        """Everybody answers from now on."""
        self._threads = [threading.Thread(target=one.work, args=(self._ended,)) for one in self.people]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Everybody brings the present answer to its end. The server must run. Ending twice is harmless."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._threads = []


@contextmanager
def school(folder: Path, url: str | None = None, seed: int = 0, every: float = 0.0) -> Iterator[School]:
    """A store with every pair of `SEGMENTS` segments to be answered by everybody, and a server that is not started.

    Args:
        folder: For database and blobs.
        url: Another database. It may be in use: everything goes into a new experiment.
        seed: Of what people do.
        every: Seconds from one answer of a person to their next; 0: as fast as they can.
    """
    with closing(open_store(folder, url)) as store:
        name = f"kill-{uuid.uuid4().hex[:12]}"
        experiment = store.experiment(name, "hopper")
        run = store.run(experiment, name, 1, "human")
        _ask(store, run)
        server = Killable(folder, url)
        people = [
            Person(server.port, token, experiment, random.Random(seed * 1000 + number), every)
            for number in range(PEOPLE)
            for token in [store.create_token("labeller", store.labeller(f"{name}-{number}"), experiment)]
        ]
        made = School(store, folder, server, experiment, people)
        try:
            yield made
        finally:
            made._ended.set()
            server.close()
            made.end()


def database_options(parser: argparse.ArgumentParser) -> None:
    """Let a command choose the database."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--store", help="another database, for example postgresql://me@localhost/empty")
    which.add_argument("--postgres", action="store_true", help="a PostgreSQL server of its own, in a temporary folder")


@contextmanager
def database(args: argparse.Namespace) -> Iterator[str | None]:
    """The URL that was chosen; None for SQLite beside the blobs."""
    if not args.postgres:
        yield args.store
        return
    from tests.postgres import serve

    with serve(durable=True) as server:
        yield server.new()


def _ask(store: Store, run: str) -> None:
    clip = store.add_clip("poses", b"a clip" * 100, "application/octet-stream", b'{"version":1}', 1, 20.0, 0.05)
    data = [pack_arrays({"obs": np.full((3, 2), n, np.float32)}) for n in range(SEGMENTS)]
    segments = [NewSegment(f"{n:064x}", data[n], clip, 10 * n, 1, 2, 3) for n in range(SEGMENTS)]
    pairs = [(left, right) for left in range(SEGMENTS) for right in range(left)]
    asked = [
        NewQuery(f"{left}-{right}", segments[left], segments[right], step=0, answers_wanted=PEOPLE)
        for left, right in pairs
    ]
    store.add_queries(run, asked)
