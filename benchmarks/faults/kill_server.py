"""Kill the page's server again and again while eight people answer, and count what was lost.

    python benchmarks/faults/kill_server.py --n 1000
    python benchmarks/faults/kill_server.py --n 1000 --postgres

The server is forked with everything imported and serves a socket that outlives it, as a trainer's does; it is killed by
SIGKILL at a random moment, while it starts or while it answers. People send what was not acknowledged again. After each
kill the files are copied as they lie there, and the copy is opened and looked through: every acknowledged answer must
be in it, with the number it was acknowledged with, and the database must be whole. A new store every 50 kills.

Ends with exit code 1 if anything was lost, doubled or damaged.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sqlalchemy as sa

from benchmarks.faults.page import School, database, database_options, school
from benchmarks.runs import machine
from rl_teacher.feedback.driver import choose_driver
from rl_teacher.feedback.schema import labels, standing
from rl_teacher.labels import Verdict

PER_STORE = 50
LONGEST_LIFE = 0.25
"""Seconds a server lives after its first answer, at most."""
WHILE_STARTING = 0.25
"""Share of kills that do not wait for a first answer."""


@dataclass
class Figures:
    """What came of it."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    """Acknowledged, and not in the database; or there under another number."""
    doubled: int = 0
    """In the database more often than they were given, or counted more than once."""
    damaged: int = 0
    """Databases that did not pass their check after a kill."""
    sent_again: int = 0
    saved_before: int = 0
    """Of those, how many had been kept by a server that was killed before it could say so."""
    faults: int = 0
    """Answers of the server that nobody should get."""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing went wrong, and something was tried."""
        return self.acknowledged > 0 and not (self.lost or self.doubled or self.damaged or self.faults)


def kill_again_and_again(n: int, folder: Path, url: str | None = None, seed: int = 0) -> Figures:
    """Kill the server n times over one store.

    Args:
        n: Kills.
        folder: For the store.
        url: Another database, PostgreSQL's for example; None: SQLite in the folder.
        seed: Of the moments, and of what people say.
    """
    figures, rng, began = Figures(kills=n), random.Random(seed), time.monotonic()
    with school(folder, url, seed) as here:
        here.server.start()
        here.begin()
        for _ in range(n):
            _let_live(here, rng)
            here.server.kill()
            _look_at_what_is_left(here, figures, url)
            here.server.start()
        here.end()
        settle(here, figures)
        here.server.kill()
        figures.acknowledged = len(here.acknowledged)
        figures.sent_again = sum(person.n_sent_again for person in here.people)
        figures.saved_before = sum(person.n_saved_before for person in here.people)
        for fault in here.faults:
            figures.faults += 1
            sys.stdout.write(f"{fault}\n")
    figures.seconds = time.monotonic() - began
    return figures


def _let_live(here: School, rng: random.Random) -> None:
    if rng.random() >= WHILE_STARTING:
        n, deadline = len(here.acknowledged), time.monotonic() + 60
        while len(here.acknowledged) == n and time.monotonic() < deadline and not here.faults:
            time.sleep(0.001)
    time.sleep(rng.uniform(0.0, LONGEST_LIFE))


def _look_at_what_is_left(here: School, figures: Figures, url: str | None) -> None:
    acknowledged = here.acknowledged  # before the look: whoever is acknowledged later may be missing in it
    with _left(here) if url is None else here.store.read() as conn:
        if url is None:
            figures.damaged += conn.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok"
        found = _numbers(conn, here.experiment)
    figures.lost += sum(found.get(id) != seq for id, seq in acknowledged.items())


@contextmanager
def _left(here: School) -> Iterator[sa.Connection]:
    """The database as the kill left it: a copy, so that the server's next start is what mends the real one."""
    with tempfile.TemporaryDirectory() as folder:
        for file in here.folder.glob("feedback.db*"):
            if not file.name.endswith("-shm"):  # made anew from the others
                shutil.copy(file, folder)
        engine = sa.create_engine(f"sqlite:///{folder}/feedback.db", module=choose_driver().module)
        with engine.connect() as conn:
            yield conn
        engine.dispose()


def _numbers(conn: sa.Connection, experiment: str) -> dict[str, int]:
    rows = conn.execute(sa.select(labels.c.id, labels.c.seq).where(labels.c.experiment_id == experiment))
    return {row.id: row.seq for row in rows}


def settle(here: School, figures: Figures) -> None:
    """Everything has been acknowledged: record, what is derived from it and what people know must be the same."""
    given = here.acknowledged
    with here.store.read() as conn:
        found = _numbers(conn, here.experiment)
        newest = sa.select(standing.c.query_id, standing.c.verdict).where(standing.c.experiment_id == here.experiment)
        stands = conn.execute(newest).all()
    figures.lost += sum(found.get(id) != seq for id, seq in given.items())
    figures.doubled += len(found.keys() - given.keys()) + len(found) - len(set(found.values()))
    answered = {row.query_id for row in stands if row.verdict != Verdict.WITHDRAWN}
    figures.doubled += abs(here.store.counts(here.experiment).answered - len(answered))
    read = [label.seq for label in here.store.labels_since(here.experiment, 0, limit=10**9)]
    figures.lost += len(set(found.values()) - set(read))


def add(total: Figures, more: Figures) -> Figures:
    """Both together."""
    return Figures(*(getattr(total, each.name) + getattr(more, each.name) for each in fields(Figures)))


def main() -> int:
    """A table, and 1 if anything was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000, help="kills (default 1000)")
    database_options(parser)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the moments (default: the time)")
    args = parser.parse_args()
    sys.stdout.write(f"{machine()}, seed {args.seed}\n\n")
    with database(args) as url:
        total = kill(args.n, args.seed, url)
    return 0 if total.good else 1


def kill(n: int, seed: int, url: str | None) -> Figures:
    """Kill the server n times over several stores, telling how it goes."""
    total = Figures()
    for start in range(0, n, PER_STORE):
        with tempfile.TemporaryDirectory() as folder:
            total = add(total, kill_again_and_again(min(PER_STORE, n - start), Path(folder), url, seed + start))
        sys.stdout.write(
            f"{total.kills:5d} kills · {total.acknowledged:7,d} acknowledged · lost {total.lost} · doubled "
            f"{total.doubled} · damaged {total.damaged} · faults {total.faults} · {total.sent_again:,d} sent again, "
            f"{total.saved_before} of them kept before · {total.seconds:.0f} s\n"
        )
        sys.stdout.flush()
    return total


if __name__ == "__main__":
    sys.exit(main())
