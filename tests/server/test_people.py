"""Over HTTP: settings, people, corrections, gold pairs, export, invitations, and who may do what."""

from __future__ import annotations

import json
import uuid

import pytest

from rl_teacher.feedback.records import Counts
from tests.server.conftest import School
from tests.server.test_routes import API, claim, label, refused


@pytest.fixture
def here(school: School) -> str:
    return f"{API}/experiments/{school.lesson.experiment}"


def answered(school: School, who: str, verdict: str = "LEFT", n: int = 1) -> list[str]:
    client, ids = school.person(who), []
    for lent in claim(client, school, n):
        said = label(lent["query_id"], verdict, lease=lent["lease"], swapped=lent["swapped"], seconds=2.0)
        assert client.post(f"{API}/labels", json=said).status_code == 200
        ids.append(lent["query_id"])
    return ids


def test_settings_are_changed_by_researchers_only_and_noted(school, ann, boss, here):
    change = {"answers_per_pair": 3, "repeat_rate": 0.1, "trust": True, "wanted": None, "instructions": "<b>Hop</b>"}
    refused(ann.patch(here, json=change), 403, "forbidden")
    shown = boss.patch(here, json=change).json()
    assert (shown["answers_per_pair"], shown["wanted"], shown["instructions"]) == (3, None, "<b>Hop</b>")
    assert shown["checks"] == {"repeat_rate": 0.1, "gold_rate": 0.0, "trust": True}
    assert boss.patch(here, json={}).json() == shown
    assert ann.get(here).json()["checks"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"repeat_rate": 0.51},
        {"gold_rate": -1},
        {"answers_per_pair": 0},
        {"wanted": 0},
        {"status": "x"},
        {"name": "x"},
        {"instructions": "x" * 20_001},
        {"trust": None},
    ],
)
def test_settings_that_cannot_be_are_refused(boss, here, change):
    refused(boss.patch(here, json=change), 422, "invalid")


def test_labellers_cannot_tell_checks_from_questions(school, ann, boss, here):
    store, lesson = school.lesson.store, school.lesson
    store.draw = lambda: 0.0
    lesson.ask(12)
    answered(school, "ann", n=9)
    store.edit_experiment(lesson.experiment, repeat_rate=0.5)
    first = claim(ann, school)[0]
    assert store.query(first["query_id"]).kind == "repeat"
    saved = ann.post(f"{API}/labels", json=label(first["query_id"], lease=first["lease"])).json()
    assert saved["counts"]["answered"] == 10  # as with any other pair
    assert store.counts(lesson.experiment) == Counts(asked=12, open=3, unanswered=3, answered=9, decided=9, left=9)
    assert boss.get(here).json()["counts"]["answered"] == boss.get(here).json()["counts"]["decided"] == 9
    mine, all_of_it = (client.get(f"{here}/labels").json()["labels"] for client in (ann, boss))
    assert {row["kind"] for row in mine} == {"question"}
    assert [row["kind"] for row in all_of_it][:2] == ["repeat", "question"]
    assert len(ann.get(f"{here}/labels", params={"kind": "repeat"}).json()["labels"]) == 10
    assert len(boss.get(f"{here}/labels", params={"kind": "repeat"}).json()["labels"]) == 1
    keys = [set(one) for one in (first, claim(ann, school)[0])]
    assert keys[0] == keys[1]


def test_corrections_stand_above_and_gold_pairs_test(school, ann, boss, here):
    school.lesson.ask(1)
    (query,) = answered(school, "ann")
    body = {"id": uuid.uuid4().hex, "query_id": query, "verdict": "RIGHT"}
    refused(ann.post(f"{API}/corrections", json=body), 403, "forbidden")
    assert boss.post(f"{API}/corrections", json=body).json()["seq"] == 2
    assert boss.post(f"{API}/corrections", json=body).json()["repeated"]
    newest, oldest = boss.get(f"{here}/labels", params={"disputed": True}).json()["labels"]
    assert (newest["overrules"], newest["labeller"]["name"], oldest["verdict"]) == (True, "boss", "LEFT")
    assert not oldest["superseded"]  # it stays as it is
    refused(ann.put(f"{API}/queries/{query}/gold", json={"verdict": "LEFT"}), 403, "forbidden")
    assert boss.put(f"{API}/queries/{query}/gold", json={"verdict": "LEFT"}).json()["verdict"] == "LEFT"
    assert boss.get(f"{here}/labels").json()["labels"][0]["gold"] == "LEFT"
    assert ann.get(f"{here}/labels").json()["labels"][0]["gold"] is None
    assert boss.put(f"{API}/queries/{query}/gold", json={"verdict": None}).json()["verdict"] is None
    refused(boss.put(f"{API}/queries/{query}/gold", json={"verdict": "ABSTAIN"}), 422, "invalid")
    refused(boss.put(f"{API}/queries/nothing/gold", json={"verdict": "LEFT"}), 404, "not_found")


def test_people_are_shown_to_researchers(school, ann, boss, here):
    school.lesson.store.edit_experiment(school.lesson.experiment, answers_per_pair=2)
    school.lesson.ask(4)
    answered(school, "ann", n=4)
    answered(school, "bob", "RIGHT", n=4)
    refused(ann.get(f"{here}/people"), 403, "forbidden")
    found = boss.get(f"{here}/people").json()
    assert [person["name"] for person in found["people"]] == ["ann", "bob"]
    assert found["alpha"] == pytest.approx(-0.75)  # 4 pairs, never the same: 1 - 7·8/(2·4·4)
    json.dumps(found, allow_nan=False)


def test_an_answer_that_comes_too_late_is_kept_and_told(school, ann):
    school.lesson.ask(1)
    (mine,) = claim(ann, school)
    school.lesson.clock.now += 1000
    answered(school, "bob")
    saved = ann.post(f"{API}/labels", json=label(mine["query_id"], "RIGHT", lease=mine["lease"])).json()
    assert (saved["late"], saved["counts"]["left"], saved["counts"]["right"]) == (True, 1, 1)


def test_everything_can_be_exported(school, ann, boss, here):
    school.lesson.ask(2)
    answered(school, "ann", n=2)
    refused(ann.get(f"{here}/export"), 403, "forbidden")
    lines = boss.get(f"{here}/export")
    assert lines.headers["content-disposition"] == 'attachment; filename="hop.jsonl"'
    kinds = [json.loads(line)["type"] for line in lines.text.splitlines()]
    assert kinds == ["experiment", "query", "label", "query", "label"]
    table = boss.get(f"{here}/export", params={"format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.text.count("\n") == 3
    refused(boss.get(f"{here}/export", params={"format": "xls"}), 422, "invalid")


def test_one_invitation_lets_several_people_in_each_by_a_name_of_their_own(school, boss, here):
    experiment = school.lesson.experiment
    school.lesson.ask(2)
    made = boss.post(f"{API}/invites", json={"experiment_id": experiment}).json()
    token = made["url"].split("#token=")[1].split("&")[0]
    assert made["url"] == f"http://127.0.0.1:8123/#token={token}&go=teach/{experiment}"
    assert made["local"] is True
    assert made["qr_svg"].startswith("<svg")
    refused(school.client(token).get(f"{API}/session"), 401, "unauthorized")  # it opens nothing by itself
    names = []
    for name in ("Ann", "Ann", "boss"):
        guest = school.client()
        guest.headers["Origin"] = "http://127.0.0.1:8123"
        refused(guest.post(f"{API}/session", json={"token": token}), 428, "name_needed")
        assert guest.post(f"{API}/session", json={"token": token, "name": f" {name} "}).status_code == 204
        cookie = guest.cookies["rlt_8123"]
        assert guest.post(f"{API}/session", json={"token": token}).status_code == 204  # known from now on
        assert guest.cookies["rlt_8123"] == cookie != token
        who = guest.get(f"{API}/session").json()
        assert (who["role"], who["experiment_id"]) == ("labeller", experiment)
        names.append(who["labeller"]["name"])
    assert names == ["Ann", "Ann 2", "boss 2"]  # nobody becomes somebody else by taking a name
    for bad in ("", "  ", "x" * 41, "a\x00b"):
        assert school.client().post(f"{API}/session", json={"token": token, "name": bad}).status_code == 422
    (listed,) = boss.get(f"{API}/invites").json()["invites"]
    assert (listed["id"], listed["n_people"]) == (made["invite"]["id"], 3)
    assert boss.post(f"{API}/invites/{listed['id']}/end").json() == {"ended": True}
    refused(guest.get(f"{API}/session"), 401, "unauthorized")
    refused(school.client().post(f"{API}/session", json={"token": token, "name": "Eve"}), 401, "unauthorized")
    refused(boss.post(f"{API}/invites/{listed['id']}/end"), 404, "not_found")


def test_nobody_invites_to_more_than_they_may_see(school, ann, here):
    other = school.lesson.store.experiment("other", "hopper")
    sue = school.person("sue", "researcher", school.lesson.experiment)
    refused(ann.post(f"{API}/invites", json={}), 403, "forbidden")
    refused(sue.post(f"{API}/invites", json={"experiment_id": other}), 404, "not_found")
    made = sue.post(f"{API}/invites", json={}).json()
    assert made["invite"]["experiment_id"] == school.lesson.experiment
    school.lesson.store.invite(other)
    assert [one["id"] for one in sue.get(f"{API}/invites").json()["invites"]] == [made["invite"]["id"]]


def test_somebody_who_is_in_already_stays_who_they_are(school, boss):
    made = boss.post(f"{API}/invites", json={}).json()
    token = made["url"].split("#token=")[1]
    me = school.client()
    me.headers["Origin"] = "http://127.0.0.1:8123"
    me.cookies.set("rlt_8123", school.token("boss", "admin"))
    assert me.post(f"{API}/session", json={"token": token}).status_code == 204
    assert me.get(f"{API}/session").json()["role"] == "admin"


def test_two_experiments_and_two_people_at_once(school, ann):
    """Answers go to their own experiment, and each person is lent questions of both."""
    store, lesson = school.lesson.store, school.lesson
    lesson.ask(2)
    other = store.experiment("other", "hopper")
    run = store.run(other, "other", 1, "human")
    store.add_queries(run, [lesson.new(50), lesson.new(51)])
    bob = school.person("bob")
    for client in (ann, bob):
        for experiment in (lesson.experiment, other):
            (lent,) = client.post(f"{API}/experiments/{experiment}/claim", json={"n": 1}).json()["queries"]
            client.post(f"{API}/labels", json=label(lent["query_id"], lease=lent["lease"]))
    assert [store.counts(one).answered for one in (lesson.experiment, other)] == [2, 2]
    assert len({said.labeller for one in (lesson.experiment, other) for said in store.labels_since(one)}) == 2
