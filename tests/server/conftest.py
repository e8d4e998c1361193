"""A server around a store with a few questions, and one client for each kind of person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from rl_teacher.server.app import create_app
from tests.feedback.lesson import Lesson, make_lesson
from tests.server.client import AppTransport

PORT = 8123
ADDRESS = f"http://127.0.0.1:{PORT}"
API = "/api/v1"


@dataclass
class School:
    lesson: Lesson
    app: FastAPI
    static: Path

    def client(self, token: str | None = None) -> httpx.Client:
        """Somebody who sends this token with every request, or none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(transport=AppTransport(self.app), base_url=ADDRESS, headers=headers)

    def token(self, name: str | None, role: str = "labeller", experiment: str | None = None) -> str:
        store = self.lesson.store
        return store.create_token(role, None if name is None else store.labeller(name), experiment)

    def person(self, name: str | None, role: str = "labeller", experiment: str | None = None) -> httpx.Client:
        return self.client(self.token(name, role, experiment))


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    lesson = make_lesson(tmp_path / "runs")
    static = tmp_path / "static"
    yield School(lesson, create_app(lesson.store, PORT, ["teach.example.org"], static), static)
    lesson.store.close()


@pytest.fixture
def ann(school: School) -> httpx.Client:
    return school.person("ann")


@pytest.fixture
def boss(school: School) -> httpx.Client:
    return school.person("boss", "admin")
