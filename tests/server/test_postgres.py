"""What is different where the store is PostgreSQL's."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_teacher.server.app import create_app
from tests.feedback.lesson import make_lesson
from tests.server.conftest import API, PORT, School


@pytest.fixture
def on_server(tmp_path: Path, postgres) -> School:
    lesson = make_lesson(tmp_path / "runs", postgres.emptied())
    yield School(lesson, create_app(lesson.store, PORT, (), tmp_path / "static"), tmp_path / "static")
    lesson.store.close()


def test_a_text_that_cannot_be_kept_is_the_senders_mistake(on_server):
    ann = on_server.person("ann")
    (query,) = on_server.lesson.ask(1)
    said = {"id": "one", "query_id": query, "verdict": "LEFT"}
    assert ann.get(f"{API}/experiments/%00").status_code in (404, 422)
    assert ann.post(f"{API}/labels", json={**said, "key": "\0"}).status_code == 422
    assert ann.post(f"{API}/labels", json={**said, "query_id": "\0"}).status_code in (404, 422)
    assert ann.get(f"{API}/experiments/{on_server.lesson.experiment}/labels?why=%00").status_code in (200, 422)
    assert ann.post(f"{API}/labels", json=said).status_code == 200


def test_a_database_that_was_restarted_is_found_again(on_server):
    ann = on_server.person("ann")
    assert ann.get(f"{API}/experiments").status_code == 200
    with on_server.lesson.store.write() as conn:  # all connections of the pool but this one are cut
        conn.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    assert ann.get(f"{API}/experiments").status_code == 200
