"""The harness of many people in its short form: real store, real server, script for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.people import load
from benchmarks.vanishing import vanish


def test_everything_is_answered_once_though_a_third_vanish(tmp_path: Path):
    found = vanish(tmp_path, n_people=9, n_pairs=60, share=0.34)
    assert found["faults"] == []
    assert (found["answered"], found["open"], found["twice"], found["left"]) == (60, 0, 0, 3)
    assert found["longest_wait"] < 5


@pytest.mark.slow
def test_a_crowd_at_a_real_server_gets_answers_and_no_errors(tmp_path: Path):
    found = load(tmp_path, n_people=12, n_pairs=300, seconds=4.0, rate=8.0)
    assert found["errors"] == []
    assert found["twice"] == 0
    assert len(found["times"]["submit"]) > 10
    assert len(found["times"]["next"]) >= len(found["times"]["submit"])
