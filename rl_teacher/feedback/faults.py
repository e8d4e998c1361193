"""Faults of a database that may pass by themselves."""

from __future__ import annotations

from sqlalchemy import exc

PASSING = {
    "locked": "another process has locked the database",
    "busy": "another process has locked the database",
    "disk is full": "the disk of the database is full",
    "disk I/O error": "the disk of the database cannot be written; it may be full",
}
"""What SQLite says, and what it means."""


def passing_fault(error: Exception) -> str | None:
    """What stands in the way, for people; None where waiting does not help."""
    if not isinstance(error, exc.OperationalError):
        return None
    said = str(error.orig)
    for sign, meaning in PASSING.items():
        if sign in said:
            return meaning
    if type(error.orig).__module__.startswith("psycopg"):
        return f"the database cannot be used ({' '.join(said.split())})"
    return None
