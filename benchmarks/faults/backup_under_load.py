"""Back up while eight people give 50 answers a second, restore it elsewhere, and count what is not in it.

    python benchmarks/faults/backup_under_load.py --n 20
    python benchmarks/faults/backup_under_load.py --n 20 --postgres

The store answers people over HTTP all the while. Each backup is restored into a new folder and must hold every answer
that was acknowledged before it began, with its number, and every clip. Ends with exit code 1 if anything is missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.page import PEOPLE, database, database_options, school
from benchmarks.runs import machine
from rl_teacher.feedback.backup import back_up, restore
from rl_teacher.feedback.store import open_store

MEANWHILE = 1.0
"""Seconds from a backup to the next."""


@dataclass
class Figures:
    """What came of it."""

    backups: int = 0
    acknowledged: int = 0
    per_second: float = 0.0
    """Answers acknowledged per second, over the whole time."""
    missing: int = 0
    """Acknowledged before a backup began, and not in it."""
    longest: float = 0.0
    """Seconds a backup took, at most."""
    slowest: float = 0.0
    """Seconds an answer was waited for while a backup was made, at most."""
    faults: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing is missing, and something was tried."""
        return self.acknowledged > 0 and not (self.missing or self.faults)


def back_up_again_and_again(n: int, rate: float, folder: Path, url: str | None = None) -> Figures:
    """Make and restore n backups while people answer.

    Args:
        n: Backups.
        rate: Answers per second of all people together, if the server keeps up.
        folder: For everything.
        url: Another database, PostgreSQL's for example; None: SQLite in the folder.
    """
    figures = Figures(backups=n)
    runs = folder / "runs"
    runs.mkdir()
    with school(runs, url, every=PEOPLE / rate) as here:
        here.server.start()
        here.begin()
        began = time.monotonic()
        for number in range(n):
            time.sleep(MEANWHILE)
            before, start = here.acknowledged, time.monotonic()
            with closing(open_store(runs, url)) as store:
                back_up(store, folder / f"kept-{number}")
            figures.longest = max(figures.longest, time.monotonic() - start)
            restore(folder / f"kept-{number}", folder / f"new-{number}")
            with closing(open_store(folder / f"new-{number}")) as again:
                found = {answer.seq for answer in again.labels_since(here.experiment, 0, limit=10**9)}
                figures.missing += len(set(before.values()) - found)
                figures.missing += again.labels_since(here.experiment, 0, 10**9) != here.store.labels_since(
                    here.experiment, 0, len(found)
                )
        figures.acknowledged = len(here.acknowledged)
        figures.per_second = figures.acknowledged / (time.monotonic() - began)
        here.end()
        figures.slowest = max(said.seconds for person in here.people for said in person.said)
        for fault in here.faults:
            figures.faults += 1
            sys.stdout.write(f"{fault}\n")
    return figures


def main() -> int:
    """A line of figures, and 1 if anything was missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20, help="backups (default 20)")
    parser.add_argument("--rate", type=float, default=50.0, help="answers per second (default 50)")
    database_options(parser)
    args = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n")
    with database(args) as url, tempfile.TemporaryDirectory() as folder:
        figures = back_up_again_and_again(args.n, args.rate, Path(folder), url)
    sys.stdout.write(
        f"{figures.backups} backups · {figures.acknowledged:,} acknowledged, {figures.per_second:.0f} a second · "
        f"missing {figures.missing} · faults {figures.faults} · longest backup {figures.longest:.2f} s · "
        f"slowest answer {figures.slowest:.2f} s\n"
    )
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main())
