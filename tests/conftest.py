from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: more threads only get in each other's way

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # an example takes longer where others work too
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def _nothing_is_left_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Simulators and runs write where the user stands: that is a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser comes last: Playwright leaves an event loop behind, and the server needs its own."""
    items.sort(key=lambda item: "web" in item.path.parent.name)
