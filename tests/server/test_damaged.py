"""A database that is damaged while the server has it open."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from tests.server.conftest import API
from tests.server.test_routes import claim, label, refused


def spoil(path: Path) -> None:
    """Every page but the first becomes noise, as a failing disk would have it; the log that stands beside it goes."""
    with sqlite3.connect(path) as held:
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def test_a_damaged_database_is_named_and_nothing_is_said_to_be_kept(school, ann, caplog):
    school.lesson.ask(1)
    (query,) = claim(ann, school, 1)
    spoil(school.lesson.folder / "feedback.db")
    message = refused(ann.post(f"{API}/labels", json=label(query["query_id"])), 503, "busy")
    assert "damaged" in message
    assert "rl-teacher restore" in message
    assert "malformed" in caplog.text
