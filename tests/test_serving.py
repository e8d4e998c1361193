"""The page's server is kept up, but not in a hurry where it cannot start."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rl_teacher import serving
from rl_teacher.feedback.store import open_store
from rl_teacher.serving import PageServer, Place, listen


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    made = PageServer(listen("127.0.0.1", None), Place(tmp_path, None), tmp_path / "server.log")
    yield made
    made.close()


def kept_up(server: PageServer, seconds: float) -> list[float]:
    """When it was started, in seconds from now."""
    began, starts = time.monotonic(), []
    while (now := time.monotonic() - began) < seconds:
        if server.keep_up():
            starts.append(now)
        time.sleep(0.02)
    return starts


def test_one_that_cannot_start_is_tried_ever_more_seldom_and_its_log_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "feedback.db").write_text("no database")  # the real server ends at once by this
    monkeypatch.setattr(serving, "FIRST_PAUSE", 2.0)
    monkeypatch.setattr(serving, "LONGEST_PAUSE", 4.0)
    assert server.keep_up()
    assert server.news == ""
    starts = kept_up(server, 16.0)
    assert 2 <= len(starts) <= 4
    assert all(later - earlier > 4.0 for earlier, later in itertools.pairwise(starts))
    assert "died soon after its start" in server.news
    assert str(tmp_path / "server.log") in server.news
    assert "feedback.db" in (tmp_path / "server.log").read_text()


def test_one_that_ran_well_is_started_again_at_once(server, tmp_path, monkeypatch):
    open_store(tmp_path).close()
    monkeypatch.setattr(serving, "STEADY_SECONDS", 0.5)
    assert server.keep_up()
    assert kept_up(server, 1.0) == []
    child = server._child
    child.kill()
    child.wait()
    assert server.keep_up()
    assert server.news == "the page's server had died; started it again"
