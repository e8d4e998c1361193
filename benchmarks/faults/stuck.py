"""Lock the database, then fill its disk, while eight people answer; count what was lost and how long all stood still.

    python benchmarks/faults/stuck.py --seconds 30

The page's server is the real one, in a process of its own. "Locked": another process holds the database's write lock
(with `--postgres`, a lock on a table) all the while. "Full": the store lies on a file system of a few megabytes, made
with root's right to mount one, and a file fills what is left of it. Ends with exit code 1 if an acknowledged answer is
lost, one is doubled, or the server does not go on by itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.kill_server import Figures, settle
from benchmarks.faults.page import School, database, database_options, school
from benchmarks.runs import machine
from rl_teacher.feedback.driver import choose_driver

PATIENCE_SECONDS = 60.0
"""So soon after the fault is over, people must be heard again."""
Fault = Callable[[School], AbstractContextManager[None]]


@dataclass
class Stuck:
    """What came of one fault."""

    name: str
    figures: Figures
    n_busy: int = 0
    """Requests that were told to come again later."""
    during: int = 0
    """Answers acknowledged while it lasted."""
    again_after: float = 0.0
    """Seconds from its end to the next acknowledged answer."""

    def line(self) -> str:
        """For people."""
        return (
            f"{self.name}: {self.figures.acknowledged:,} acknowledged, {self.during} of them meanwhile · lost "
            f"{self.figures.lost} · doubled {self.figures.doubled} · faults {self.figures.faults} · "
            f"{self.n_busy} times told to come again · heard again after {self.again_after:.1f} s"
        )


def get_stuck(name: str, fault: Fault, seconds: float, folder: Path, url: str | None = None) -> Stuck:
    """Let people answer before, during and after a fault that lasts for some seconds."""
    figures = Figures()
    came = Stuck(name, figures)
    with school(folder, url) as here:
        here.server.start()
        here.begin()
        _more(here, 20)
        with fault(here):
            time.sleep(1.0)  # what was under way may still be heard
            before = len(here.acknowledged)
            time.sleep(max(0.0, seconds - 1.0))
            came.during = len(here.acknowledged) - before
        over = time.monotonic()
        _more(here, 1)
        came.again_after = time.monotonic() - over
        _more(here, 20)
        here.end()
        settle(here, figures)
        figures.acknowledged = len(here.acknowledged)
        figures.faults = len(here.faults)
        came.n_busy = sum(person.n_busy for person in here.people)
    return came


def _more(here: School, n: int) -> None:
    """Wait for n more answers."""
    wanted, deadline = len(here.acknowledged) + n, time.monotonic() + PATIENCE_SECONDS
    while len(here.acknowledged) < wanted:
        if time.monotonic() > deadline or here.faults:
            raise RuntimeError(f"nobody is heard any more: {here.faults}")
        time.sleep(0.01)


@contextmanager
def locked(here: School) -> Iterator[None]:
    """Somebody else holds the database."""
    if here.store.is_sqlite:
        with closing(choose_driver().module.connect(here.folder / "feedback.db", isolation_level=None)) as other:
            other.execute("PRAGMA busy_timeout=10000")
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        with here.store.write() as conn:
            conn.exec_driver_sql("LOCK TABLE counters")
            yield


@contextmanager
def full(here: School) -> Iterator[None]:
    """The disk has no byte left."""
    filler = here.folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    yield
    filler.unlink()


@contextmanager
def small_disk(size: str = "24m") -> Iterator[Path | None]:
    """A folder on a small file system of its own; None where that cannot be made."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def main() -> int:
    """A line for each fault, and 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="that each fault lasts (default 30)")
    database_options(parser)
    args = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n")
    came: list[Stuck] = []
    with database(args) as url:
        with tempfile.TemporaryDirectory() as folder:
            came.append(get_stuck("locked", locked, args.seconds, Path(folder), url))
        with small_disk() as disk:
            if disk is None:
                sys.stdout.write("full: NOT RUN, only a root that may mount can make a small disk\n")
            elif url is None:  # PostgreSQL's own disk is elsewhere
                came.append(get_stuck("full", full, args.seconds, disk))
    sys.stdout.write("".join(f"{one.line()}\n" for one in came))
    return 0 if all(one.figures.good for one in came) else 1


if __name__ == "__main__":
    sys.exit(main())
