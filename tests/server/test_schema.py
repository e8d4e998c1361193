"""Whatever is sent to the server: no failure of ours, every error in one shape, no byte from outside its folders.

The short form of `benchmarks/faults/strange.py` and `benchmarks/faults/traversal.py`.
"""

from __future__ import annotations

import pytest

from benchmarks.faults import strange, traversal
from benchmarks.faults.wire import target

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("allowed", [True, False], ids=["as described", "against the description"])
def test_no_request_made_from_the_description_makes_the_server_fail(tmp_path, allowed):
    found = strange.described(tmp_path, 300 if allowed else 150, allowed)
    assert found.faults == []
    assert found.n >= 150
    assert len(found.by_operation) >= (25 if allowed else 12)
    if allowed:
        assert sum(200 in codes for codes in found.by_operation.values()) >= 15, found.by_operation
    else:
        assert sum(codes[422] for codes in found.by_operation.values()) >= 30, found.by_operation


def test_no_mangled_bytes_make_the_server_fail(tmp_path):
    found = strange.mangled(tmp_path, 300)
    assert found.faults == []
    assert found.n == 300
    assert len(found.statuses) >= 5  # they get to different places


def test_no_path_climbs_out_of_the_servers_folders(tmp_path):
    traversal.plant(tmp_path)
    with target(tmp_path) as served:
        found = traversal.climb(served, 300)
    assert found.faults == []
    assert found.n == 300


def test_the_judges_see_what_they_look_for():
    found = strange.Found()
    found.judge("GET /", 500, b'{"error": {"code": "internal", "message": ""}}')
    found.judge("GET /", 200, b"Traceback (most recent call last):")
    found.judge("GET /", 404, b"<h1>Not found</h1>")
    found.judge("GET /", 404, b'{"error": {"code": "not_found", "message": ""}}')
    assert len(found.faults) == 3
