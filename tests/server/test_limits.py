"""How often somebody may ask: people, however many and however fast, never meet a limit; machines that guess do."""

from __future__ import annotations

import pytest

from rl_teacher.server import limits
from rl_teacher.server.app import create_app
from rl_teacher.server.limits import Buckets, Limits
from rl_teacher.server.refusals import Refusals
from tests.feedback.lesson import Clock
from tests.server.conftest import PORT, School
from tests.server.test_routes import API, refused


def test_a_bucket_empties_and_fills_again_at_its_rate():
    clock = Clock()
    bucket = Buckets(rate=2.0, burst=3, clock=clock)
    assert [bucket.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.take("b") == 0.0  # another's
    clock.now += 0.5
    assert [bucket.take("a") for _ in range(2)] == [0.0, 0.5]
    clock.now += 1e9
    assert [bucket.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    clock.now -= 100  # a clock that jumps back gives nothing and takes nothing for ever
    assert bucket.take("a") > 0
    clock.now += 200
    assert bucket.take("a") == 0.0


def test_ever_new_names_take_no_more_memory(monkeypatch):
    monkeypatch.setattr(limits, "MOST_KEYS", 10)
    bucket = Buckets(rate=1.0, burst=1)
    for number in range(100):
        bucket.take(str(number))
    assert len(bucket._left) == 10


def test_a_hundred_answers_a_minute_for_an_hour_and_an_outbox_of_three_hundred_never_meet_the_limit():
    clock = Clock()
    requests = Limits(requests=Buckets(100.0, 1000, clock)).requests
    for _ in range(6000):  # an answer each 0.6 s: label, claim, four clips, two scenes, a look, a heartbeat
        assert not any(requests.take("ann") for _ in range(10))
        clock.now += 0.6
    assert not any(requests.take("ann") for _ in range(3 * 300))  # back on the network: all that waited, at once
    assert Limits().requests._rate == 100.0
    assert Limits().requests._burst == 1000


def test_a_class_of_a_hundred_behind_one_address_is_let_in(school: School):
    token, _ = school.lesson.store.invite(school.lesson.experiment)
    for number in range(100):
        guest = school.client()
        assert guest.get(f"{API}/session").status_code == 401
        assert guest.post(f"{API}/session", json={"token": token}).status_code == 428
        assert guest.post(f"{API}/session", json={"token": token, "name": f"guest {number}"}).status_code == 204


@pytest.fixture
def strict(school: School) -> School:
    few = Limits(requests=Buckets(1.0, 5, Clock()), guesses=Buckets(0.1, 3, Clock()))
    app = create_app(school.lesson.store, PORT, static=school.static, limits=few)
    return School(school.lesson, app, school.static)


def test_who_guesses_tokens_is_told_to_wait_but_a_right_one_still_opens(strict):
    for _ in range(3):
        refused(strict.client("guess").get(f"{API}/session"), 401, "unauthorized")
    for answer in (
        strict.client("guess").get(f"{API}/session"),
        strict.client().post(f"{API}/session", json={"token": "guess"}),
    ):
        assert refused(answer, 429, "too_many").endswith("Try again in 10 s.")
        assert answer.headers["retry-after"] == "10"
    refused(strict.client().get(f"{API}/session"), 401, "unauthorized")  # no token is no guess
    assert strict.person("ann").get(f"{API}/session").status_code == 200


def test_one_token_that_asks_too_often_stops_nobody_else(strict):
    ann, bob = strict.person("ann"), strict.person("bob")
    assert [ann.get(f"{API}/session").status_code for _ in range(6)] == [200] * 5 + [429]
    assert bob.get(f"{API}/session").status_code == 200


def test_refusals_are_noted_with_the_circumstances_and_no_token(school, ann):
    store = school.lesson.store
    (query,) = school.lesson.ask(1)
    body = {"id": "a", "query_id": query, "verdict": "LEFT"}
    school.client().get(f"{API}/session")  # a page that nobody has signed in to yet: nothing to note
    school.client("my-wrong-token").get(f"{API}/experiments/my-secret")
    ann.post(f"{API}/corrections", json=body)
    ann.get("/", headers={"Host": "evil.example.org"})
    ann.post(f"{API}/labels", json=body, headers={"Origin": "http://evil.example.org"})
    noted = store.notes(10, "refused")
    assert [(one.who, one.detail["method"], one.detail["status"]) for one in noted] == [
        ("127.0.0.1", "GET", 401),
        ("ann", "POST", 403),
        ("127.0.0.1", "GET", 403),
        ("127.0.0.1", "POST", 403),
    ]
    assert noted[1].detail["path"].endswith("/corrections")
    assert "my-" not in str(noted)


def test_a_night_of_knocking_leaves_few_lines_and_their_number(school):
    clock = Clock()
    refusals = Refusals(school.lesson.store, Buckets(1 / 60, 60, clock))
    for _ in range(5000):
        refusals.note("eve", {"status": 401})
        clock.now += 0.1
    noted = school.lesson.store.notes(1000, "refused")
    assert 60 <= len(noted) <= 60 + 5000 * 0.1 / 60 + 1
    assert sum(one.detail["left_out"] for one in noted) + len(noted) == pytest.approx(5000, abs=601)
