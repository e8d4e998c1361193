from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: more threads only get in each other's way

# Started by `nohup` or `&`, all that tests start would ignore the Ctrl-C that is sent to it as well.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import settings

from tests.system import find_postgres, tool_missing

if TYPE_CHECKING:
    from tests.postgres import Postgres

settings.register_profile("shared machine", deadline=None)  # an example takes longer where others work too
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def _nothing_is_left_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Simulators and runs write where the user stands: that is a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of this process."""
    if importlib.util.find_spec("psycopg") is None:
        tool_missing("psycopg is not installed: pip install 'rl-teacher[postgres]'.")
    if find_postgres() is None:
        tool_missing("PostgreSQL is not installed.")
    from tests.postgres import serve

    with serve() as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser comes last: Playwright leaves an event loop behind, and the server needs its own."""
    items.sort(key=lambda item: "web" in item.path.parent.name)
