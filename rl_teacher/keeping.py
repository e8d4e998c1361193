"""Keeping what people gave: the commands backup, restore and prune."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rl_teacher.errors import UserError
from rl_teacher.feedback.backup import Manifest, back_up
from rl_teacher.feedback.backup import restore as bring_back
from rl_teacher.feedback.pruning import prune as remove_old
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.shell import tell


def backup(run_dir: str, url: str | None, out: str | None) -> int:
    """Write a backup of a store that may be in use; returns the exit code: 1 where a blob was lost before.

    Args:
        run_dir: Where the store lies.
        url: Another database; None: SQLite in the run dir.
        out: Folder to make; None: named by the time.
    """
    folder = Path(out or f"backup-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    with _existing(run_dir, url) as store:
        made = back_up(store, folder)
    tell(sys.stdout, f"{folder}: {_holds(made)}.\n")
    if not made.missing:
        return 0
    lost = f"{len(made.missing):,} clips or segments were missing or damaged in the store already"
    tell(sys.stderr, f"rl-teacher: {lost}; {folder / 'manifest.json'} names them. All else is in the backup.\n")
    return 1


def restore(folder: str, run_dir: str, url: str | None) -> int:
    """Bring a backup back; returns the exit code.

    Args:
        folder: That `backup` made.
        run_dir: Where blobs and database go.
        url: Another, empty database; None: SQLite in the run dir.
    """
    held = bring_back(Path(folder), Path(run_dir), url)
    tell(sys.stdout, f"Restored to {run_dir}: {_holds(held)}, as of {held.made_at}.\n")
    return 0


def prune(run_dir: str, url: str | None, days: float, answered: bool, dry_run: bool) -> int:
    """Remove what is not needed any more from a store that may be in use; returns the exit code.

    Args:
        run_dir: Where the store lies.
        url: Another database; None: SQLite in the run dir.
        days: What is younger stays.
        answered: Answered pairs of finished experiments go too.
        dry_run: Only count.
    """
    with _existing(run_dir, url) as store:
        freed = remove_old(store, store.clock() - days * 86400.0, answered=answered, dry_run=dry_run)
    said = f"{freed.answered:,} answered pairs with their answers, " if answered else ""
    tell(
        sys.stdout,
        f"{'Would remove' if dry_run else 'Removed'} {freed.pairs:,} pairs nobody answered, {said}{freed.jobs:,} "
        f"finished jobs, {freed.films:,} films, {freed.clips:,} clips; {freed.blobs:,} files, "
        f"{freed.bytes / 2**20:,.1f} MiB.\n",
    )
    return 0


def _holds(manifest: Manifest) -> str:
    size = sum(manifest.blobs.values()) / 2**20
    return f"{manifest.n_labels:,} answers, {len(manifest.blobs):,} clips and segments ({size:,.1f} MiB)"


@contextmanager
def _existing(run_dir: str, url: str | None) -> Iterator[Store]:
    """A store that is there.

    Raises:
        UserError: If there is none.
    """
    if url is None and not (Path(run_dir) / "feedback.db").exists():
        raise UserError(f"No answers in {run_dir}: it holds no feedback.db. Give --run_dir, or --store.")
    with closing(open_store(run_dir, url)) as store:
        yield store
