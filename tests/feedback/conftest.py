from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.feedback.lesson import Lesson, make_lesson


@pytest.fixture
def make() -> Callable[[Path], Lesson]:
    return make_lesson


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of an empty store's database of either kind; None is SQLite's beside the blobs."""
    if request.param == "sqlite":
        yield None
        return
    yield request.getfixturevalue("postgres").emptied()


@pytest.fixture
def lesson(tmp_path: Path, database: str | None) -> Iterator[Lesson]:
    made = make_lesson(tmp_path, database)
    yield made
    made.store.close()
