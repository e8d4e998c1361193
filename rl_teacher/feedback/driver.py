"""Which SQLite to use: one without the WAL-reset race.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode (fixed in 3.51.3, and back-ported to 3.50.7 and 3.44.6). Where
the interpreter has such a version, `pysqlite3` takes its place; where that is missing too, the journal mode is one that
is not affected.
"""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Driver:
    """Which SQLite to use, and how."""

    module: ModuleType
    journal: str


def has_wal_race(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can corrupt a database in WAL mode."""
    if version < (3, 7, 0) or version >= (3, 51, 3):
        return False
    return not ((3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45))


def choose_driver() -> Driver:
    """The first SQLite that is safe in WAL mode, else the interpreter's own with a rollback journal."""
    if not has_wal_race(sqlite3.sqlite_version_info):
        return Driver(sqlite3, "WAL")
    with contextlib.suppress(ImportError):  # not shipped for every system: the journal below is slower and as safe
        module = importlib.import_module("pysqlite3.dbapi2")
        if not has_wal_race(module.sqlite_version_info):
            return Driver(module, "WAL")
    return Driver(sqlite3, "TRUNCATE")
