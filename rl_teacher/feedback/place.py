"""Where a database may lie: SQLite's locks and its log's shared memory do not work over a network."""

from __future__ import annotations

from pathlib import Path

from rl_teacher.errors import UserError
from rl_teacher.feedback.engine import sqlite_file
from rl_teacher.feedback.mounts import network_file_system


def check_for_people(run_dir: Path, url: str | None) -> None:
    """Refuse to keep people's answers where they may be lost.

    Args:
        run_dir: Where the runs lie.
        url: Another database; None: SQLite in the run dir.

    Raises:
        UserError: If the database is SQLite on a network file system.
    """
    file = run_dir / "feedback.db" if url is None else sqlite_file(url)
    kind = None if file is None else network_file_system(file)
    if kind is not None:
        raise UserError(
            f"The database {file} would lie on a network file system ({kind}), where SQLite can lose answers. Put "
            "people's answers on a disk of this machine with --run_dir, or into PostgreSQL with --store "
            "postgresql://USER:PASSWORD@HOST/NAME. (-p rl and -p synth do work here.)"
        )
