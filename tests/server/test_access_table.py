"""Every route × everybody who may come: the statuses are those of the table in docs/security.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_teacher.server.app import create_app
from tests.feedback.lesson import make_lesson
from tests.server.conftest import API, PORT, School
from tests.server.table import EXPECTED, WHO, Visitors, routes_of, table

DOCS = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture(scope="module")
def visitors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    lesson = make_lesson(folder / "runs")
    static = folder / "static"
    yield Visitors.of(School(lesson, create_app(lesson.store, PORT, static=static), static))
    lesson.store.close()


def test_no_route_is_without_an_expectation_and_none_is_expected_that_is_not_there(visitors):
    assert routes_of(visitors.school.app) == sorted(EXPECTED)


@pytest.mark.parametrize("route", EXPECTED)
def test_everybody_gets_what_the_table_says(visitors, route):
    found = {who: visitors.ask(route, who).status_code for who in WHO}
    assert found == dict(zip(WHO, map(int, EXPECTED[route].split()), strict=True))


def test_a_labeller_gets_nothing_of_another_labeller(visitors):
    school, here = visitors.school, f"{API}/experiments/{visitors.school.lesson.experiment}"
    school.lesson.ask(1)
    ann, bob = school.person("Ann"), school.person("Bob")
    (lent,) = ann.post(f"{here}/claim", json={"n": 1}).json()["queries"]
    assert bob.post(f"{API}/leases/heartbeat", json={"leases": [lent["lease"]]}).json() == {"leases": []}
    assert bob.post(f"{API}/leases/{lent['lease']}/release").json() == {"released": False}
    said = {"id": "anns", "query_id": lent["query_id"], "verdict": "LEFT", "lease": lent["lease"]}
    assert ann.post(f"{API}/labels", json=said).status_code == 200
    who = ann.get(f"{API}/session").json()["labeller"]["id"]
    for params in ({}, {"labeller": who}, {"disputed": "true"}, {"kind": "gold"}):
        assert bob.get(f"{here}/labels", params=params).json() == {"labels": []}
    taken = bob.post(f"{API}/labels", json={**said, "verdict": "WITHDRAWN"})  # the id of another's answer
    assert taken.status_code == 409
    assert [one["verdict"] for one in ann.get(f"{here}/labels").json()["labels"]] == ["LEFT"]


@pytest.mark.parametrize("route", EXPECTED)
def test_every_answer_bears_the_headers_whoever_asks(visitors, route):
    for who in ("nobody", "labeller of another", "admin", "wrong Host"):
        headers = visitors.ask(route, who).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert not [name for name in headers if name.startswith("access-control-")]


def test_the_docs_hold_the_table():
    assert table() in DOCS.read_text(), "docs/security.md is behind: python -m tests.server.table prints its table"
