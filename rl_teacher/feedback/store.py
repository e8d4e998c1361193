"""The store: everything trainer and server tell each other goes through here.

The parts are in `asking` (trainer: experiments, runs, clips, questions), `claiming`, `checking` and `answering`
(people), `listing`, `judging` and `exporting` (researchers), `reading` and `showing` (all: rows, and clips in all their
forms), `access`, `admitting` and `inviting` (labellers, tokens), `auditing` (who did what), `jobs` (what people ask of
the trainer) and `points` (a run's curves). Either side may die at any moment and come back; several processes may hold
the same store open, and a `Store` may be used by several threads.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from rl_teacher.feedback.admitting import Admitting
from rl_teacher.feedback.answering import Answering
from rl_teacher.feedback.asking import Asking
from rl_teacher.feedback.checking import Checking
from rl_teacher.feedback.claiming import Claiming
from rl_teacher.feedback.exporting import Exporting
from rl_teacher.feedback.inviting import Inviting
from rl_teacher.feedback.jobs import Jobs
from rl_teacher.feedback.judging import Judging
from rl_teacher.feedback.listing import Listing
from rl_teacher.feedback.points import Points
from rl_teacher.feedback.reading import Reading
from rl_teacher.feedback.showing import Showing


class Store(
    Asking,
    Claiming,
    Answering,
    Listing,
    Checking,
    Judging,
    Exporting,
    Reading,
    Showing,
    Admitting,
    Inviting,
    Jobs,
    Points,
):
    """One database and one folder of blobs.

    Args:
        url: As SQLAlchemy writes it: `sqlite:////absolute/path.db`, `postgresql://…`.
        blobs_url: A folder, or any address fsspec knows.
        clock: Unix time in seconds; passed in so that tests can turn it.
        draw: Random numbers in [0, 1), which decide when a check comes; passed in likewise.

    Raises:
        UserError: Where database or folder cannot be used, or the database is damaged or from a newer version.
    """


def open_store(
    run_dir: str | Path,
    url: str | None = None,
    blobs_url: str | None = None,
    clock: Callable[[], float] = time.time,
    draw: Callable[[], float] = random.random,
) -> Store:
    """The store beside the runs in `run_dir`: `feedback.db` and `blobs/`, unless `url` or `blobs_url` say otherwise.

    It is made if there is none, and migrated if it is older than this version.
    """
    folder = Path(run_dir).absolute()
    beside = sa.URL.create("sqlite", database=str(folder / "feedback.db"))
    return Store(url or beside, blobs_url or str(folder / "blobs"), clock, draw)
