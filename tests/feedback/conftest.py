from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.feedback.lesson import Lesson, make_lesson


@pytest.fixture
def make() -> Callable[[Path], Lesson]:
    return make_lesson


@pytest.fixture
def lesson(tmp_path: Path) -> Iterator[Lesson]:
    made = make_lesson(tmp_path)
    yield made
    made.store.close()
