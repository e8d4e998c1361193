from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rl_teacher.feedback.records import Counts

API = "/api/v1"


def label(query_id: str, verdict: str = "LEFT", **more) -> dict:
    return {"id": uuid.uuid4().hex, "query_id": query_id, "verdict": verdict, **more}


def claim(client, school, n: int = 1) -> list[dict]:
    answer = client.post(f"{API}/experiments/{school.lesson.experiment}/claim", json={"n": n})
    assert answer.status_code == 200, answer.text
    return answer.json()["queries"]


def refused(answer, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert body["error"].keys() == {"code", "message"}
    assert body["error"]["code"] == code
    return body["error"]["message"]


def test_health_needs_nobody(school):
    assert school.client().get(f"{API}/health").json() == {"ok": True, "version": "0.1.0"}


def test_a_token_becomes_a_cookie(school):
    client, token = school.client(), school.token("ann")
    assert client.get(f"{API}/session").status_code == 401
    answer = client.post(f"{API}/session", json={"token": token})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"rlt_8123={token};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    who = client.get(f"{API}/session").json()
    assert who["role"] == "labeller"
    assert who["labeller"]["name"] == "ann"
    assert who["experiment_id"] is None


def test_a_wrong_token_is_refused_and_never_repeated(school):
    message = refused(school.client().post(f"{API}/session", json={"token": "guess-7"}), 401, "unauthorized")
    assert "guess-7" not in message
    too_long = "secret" * 100
    assert "secret" not in school.client().post(f"{API}/session", json={"token": too_long}).text
    refused(school.client("guess-7").get(f"{API}/session"), 401, "unauthorized")


def test_an_ended_token_is_refused(school):
    client = school.person("ann")
    assert client.get(f"{API}/session").status_code == 200
    school.lesson.clock.now += 31 * 86400
    refused(client.get(f"{API}/session"), 401, "unauthorized")


def test_experiments_show_progress_and_what_the_trainer_does(school, ann):
    lesson = school.lesson
    lesson.ask(3)
    lesson.store.report(lesson.run, "waiting", "for 3 answers", {"step": 5, "accuracy": float("nan")})
    (shown,) = ann.get(f"{API}/experiments").json()["experiments"]
    assert shown == ann.get(f"{API}/experiments/{lesson.experiment}").json()
    assert (shown["name"], shown["env_id"], shown["status"], shown["wanted"]) == ("hop", "hopper", "open", 100)
    assert (shown["counts"]["asked"], shown["counts"]["open"]) == (3, 3)
    assert shown["run"]["progress"] == {"step": 5, "accuracy": None}
    assert (shown["run"]["message"], shown["run"]["alive"]) == ("for 3 answers", True)
    lesson.clock.now += 60
    assert not ann.get(f"{API}/experiments/{lesson.experiment}").json()["run"]["alive"]


def test_claim_answer_undo_and_look_back(school, ann):
    lesson = school.lesson
    lesson.ask(2, why="disagreement")
    first, second = claim(ann, school, 5)
    assert first.keys() == {"query_id", "lease", "lease_expires_at", "swapped", "left", "right"}  # why is withheld
    assert first["left"].keys() >= {"clip_id", "kind", "n_frames", "fps", "dt", "media_type", "url", "scene_url"}
    said = label(first["query_id"], "RIGHT", strength="MUCH", lease=first["lease"], seconds=2.5, key="ArrowLeft")
    saved = ann.post(f"{API}/labels", json={**said, "swapped": True, "renderer": "poses 1"}).json()
    assert (saved["seq"], saved["repeated"], saved["late"]) == (1, False, False)
    assert (saved["counts"]["answered"], saved["counts"]["right"], saved["counts"]["open"]) == (1, 1, 1)
    assert [one["query_id"] for one in claim(ann, school, 5)] == [second["query_id"]]
    ann.post(f"{API}/labels", json=label(first["query_id"], "WITHDRAWN"))
    assert [one["query_id"] for one in claim(ann, school, 5)] == [first["query_id"], second["query_id"]]
    newest, oldest = ann.get(f"{API}/experiments/{lesson.experiment}/labels").json()["labels"]
    assert (newest["verdict"], newest["superseded"]) == ("WITHDRAWN", False)
    assert (oldest["verdict"], oldest["strength"], oldest["superseded"]) == ("RIGHT", "MUCH", True)
    assert (oldest["why"], oldest["step"], oldest["labeller"]["name"]) == ("disagreement", 100, "ann")
    assert (oldest["left"], oldest["right"]) == (first["left"], first["right"])
    page = ann.get(f"{API}/experiments/{lesson.experiment}/labels", params={"before": 2, "limit": 1}).json()
    assert [one["seq"] for one in page["labels"]] == [1]


def test_a_replayed_submit_has_one_effect(school, ann):
    (query,) = school.lesson.ask(1)
    said = label(query)
    answers = [ann.post(f"{API}/labels", json=said).json() for _ in range(10)]
    assert [(answer["seq"], answer["repeated"]) for answer in answers] == [(1, False)] + [(1, True)] * 9
    assert school.lesson.store.counts(school.lesson.experiment) == Counts(asked=1, answered=1, decided=1, left=1)
    refused(ann.post(f"{API}/labels", json={**said, "verdict": "RIGHT"}), 409, "conflict")


def test_leases_are_kept_and_given_back(school, ann):
    school.lesson.ask(1)
    bob = school.person("bob")
    (mine,) = claim(ann, school)
    assert claim(bob, school) == []
    school.lesson.clock.now += 100
    kept = ann.post(f"{API}/leases/heartbeat", json={"leases": [mine["lease"], "other"]}).json()
    assert kept == {"leases": [{"lease": mine["lease"], "lease_expires_at": school.lesson.clock.now + 120}]}
    assert bob.post(f"{API}/leases/{mine['lease']}/release").json() == {"released": False}
    assert ann.post(f"{API}/leases/{mine['lease']}/release", json={}).json() == {"released": True}
    assert [one["query_id"] for one in claim(bob, school)] == [mine["query_id"]]


def test_a_labeller_sees_only_their_own_answers(school, ann, boss):
    first, second = school.lesson.ask(2)
    bob = school.person("bob")
    ann.post(f"{API}/labels", json=label(first))
    bob.post(f"{API}/labels", json=label(second))
    path = f"{API}/experiments/{school.lesson.experiment}/labels"
    seen = {
        who: [one["query_id"] for one in client.get(path).json()["labels"]]
        for who, client in (("ann", ann), ("bob", bob), ("boss", boss))
    }
    assert seen == {"ann": [first], "bob": [second], "boss": [second, first]}


def test_a_token_of_another_experiment_finds_nothing(school, boss):
    lesson = school.lesson
    (query,) = lesson.ask(1)
    other = lesson.store.experiment("other", "hopper")
    clip = claim(boss, school)[0]["left"]
    stranger = school.person("eve", "researcher", other)
    assert [one["id"] for one in stranger.get(f"{API}/experiments").json()["experiments"]] == [other]
    job = boss.post(f"{API}/experiments/{lesson.experiment}/jobs", json={"kind": "pause"}).json()["job_id"]
    here = f"{API}/experiments/{lesson.experiment}"
    for answer in (
        stranger.get(here),
        stranger.post(f"{here}/claim", json={}),
        stranger.get(f"{here}/labels"),
        stranger.post(f"{here}/jobs", json={"kind": "finish"}),
        stranger.get(f"{API}/jobs/{job}"),
        stranger.get(f"{API}/runs/hop"),
        stranger.get(clip["url"]),
        stranger.get(clip["scene_url"]),
        stranger.post(f"{API}/labels", json=label(query)),
    ):
        refused(answer, 404, "not_found")
    own = school.person("sue", "labeller", lesson.experiment)
    assert (
        own.get(here).status_code == own.get(clip["url"]).status_code == own.get(clip["scene_url"]).status_code == 200
    )


def test_a_token_without_a_labeller_may_look_but_not_answer(school):
    (query,) = school.lesson.ask(1)
    client = school.person(None, "researcher")
    assert client.get(f"{API}/session").json()["labeller"] is None
    assert client.get(f"{API}/experiments/{school.lesson.experiment}/labels").json() == {"labels": []}
    refused(client.post(f"{API}/labels", json=label(query)), 403, "forbidden")
    refused(client.post(f"{API}/experiments/{school.lesson.experiment}/claim", json={}), 403, "forbidden")


def test_jobs_go_to_the_trainer_and_results_come_back(school, ann, boss):
    path = f"{API}/experiments/{school.lesson.experiment}/jobs"
    refused(ann.post(path, json={"kind": "finish"}), 403, "forbidden")
    job_id = boss.post(path, json={"kind": "finish", "args": {"why": "done"}}).json()["job_id"]
    assert boss.get(f"{API}/jobs/{job_id}").json()["state"] == "queued"
    (job,) = school.lesson.store.jobs(school.lesson.run)
    assert (job.id, job.kind, job.args) == (job_id, "finish", {"why": "done"})
    school.lesson.store.finish_job(job_id, True, {"saved": 1})
    shown = boss.get(f"{API}/jobs/{job_id}").json()
    assert (shown["state"], shown["result"]) == ("done", {"ok": True, "data": {"saved": 1}})
    refused(ann.get(f"{API}/jobs/{job_id}"), 403, "forbidden")
    refused(boss.post(path, json={"kind": "explode"}), 422, "invalid")


def test_a_run_shows_how_its_agent_plays(school, ann):
    lesson = school.lesson
    clip = lesson.segment(1).clip_id
    for step in range(25):
        lesson.clock.now += 1
        lesson.store.add_replay(lesson.run, step, clip, float(step))
    shown = ann.get(f"{API}/runs/hop").json()
    assert (shown["run"]["name"], shown["experiment"]["id"]) == ("hop", lesson.experiment)
    assert [one["step"] for one in shown["replays"]] == list(range(24, 4, -1))
    assert shown["replays"][0]["clip"]["clip_id"] == clip


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/experiments/nothing", None),
        ("GET", "/experiments/nothing/labels", None),
        ("POST", "/experiments/nothing/claim", {"n": 1}),
        ("POST", "/experiments/nothing/jobs", {"kind": "finish"}),
        ("GET", "/jobs/nothing", None),
        ("GET", "/runs/nothing", None),
        ("GET", "/runs/%00", None),
        ("GET", "/blobs/nothing", None),
        ("GET", "/blobs/" + "0" * 64, None),
        ("POST", "/labels", {"id": "a", "query_id": "nothing", "verdict": "LEFT"}),
        ("GET", "/no/such/route", None),
        ("GET", "/labels/1/2/3", None),
    ],
)
def test_unknown_things_are_told_in_the_one_shape(boss, method, path, body):
    refused(boss.request(method, API + path, json=body), 404, "not_found")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"", b'{"id":', b"nul"])
def test_malformed_json_is_told_in_the_one_shape(school, boss, body):
    answer = boss.post(f"{API}/labels", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"].keys() == {"code", "message"}


def test_another_method_is_refused_in_the_one_shape(boss):
    refused(boss.put(f"{API}/labels", json={}), 405, "method_not_allowed")


def test_a_blob_that_is_gone_is_told_and_logged(school, boss, caplog):
    school.lesson.ask(1)
    url = claim(boss, school)[0]["left"]["url"]
    path = school.lesson.store.blobs.path(url.rpartition("/")[2])
    path.unlink()
    refused(boss.get(url), 404, "not_found")
    assert "missing" in caplog.text


def test_a_mistake_of_ours_tells_the_browser_nothing(school, boss, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(school.lesson.store, "experiments", fail)
    answer = boss.get(f"{API}/experiments")
    assert "secret" not in refused(answer, 500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("id", "query_id", "lease", "verdict", "strength", "seconds", "key", "swapped", "renderer")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(FIELDS), JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_the_server_fail(school, noise, name, value):
    import json

    lesson = school.lesson
    if not lesson.n_asked:
        lesson.ask(1)
    good = label(lesson.store.queries(lesson.experiment)[0].id)
    client = school.person("ann")
    for body in (noise, {**good, name: value}):
        answer = client.post(f"{API}/labels", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code in (200, 400, 404, 409, 422), answer.text
        if answer.status_code != 200:
            assert answer.json()["error"].keys() == {"code", "message"}
