"""Films of clips: whoever may see a clip may ask for one."""

from __future__ import annotations

from tests.server.test_routes import API, claim, refused

WEBM = 'video/webm; codecs="vp9"'


def ask(client, clip: dict) -> dict:
    answer = client.post(f"{API}/clips/{clip['clip_id']}/render")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_labeller_asks_waits_and_gets_the_film(school, ann):
    store, run = school.lesson.store, school.lesson.run
    school.lesson.ask(1)
    [query] = claim(ann, school)
    assert query["left"]["sources"] == []
    store.report(run, "training", "")
    assert ask(ann, query["left"])["state"] == "making"
    [job] = store.jobs(run)
    store.add_renditions(job.args["clip_id"], {WEBM: b"film"})
    store.finish_job(job.id, True, {})
    made = ask(ann, query["left"])
    assert (made["state"], made["message"]) == ("ready", "")
    [source] = made["clip"]["sources"]
    assert source["media_type"] == WEBM
    film = ann.get(source["url"])
    assert (film.content, film.headers["content-type"]) == (b"film", WEBM)
    assert claim(ann, school)[0]["left"]["sources"] == [source]


def test_without_a_trainer_or_without_opengl_a_line_says_what_to_do(school, ann):
    store, run = school.lesson.store, school.lesson.run
    school.lesson.ask(1)
    [query] = claim(ann, school)
    store.report(run, "stopped", "")
    said = ask(ann, query["left"])
    assert said["state"] == "waiting"
    assert "is not running: start it" in said["message"]
    [job] = store.jobs(run)
    store.finish_job(job.id, False, {"message": "apt-get install it"})
    said = ask(ann, query["left"])
    assert said["state"] == "failed"
    assert "apt-get install it" in said["message"]
    assert "WebGL 2" in said["message"]


def test_a_film_has_its_first_form_first(school, ann):
    lesson = school.lesson
    mp4 = 'video/mp4; codecs="avc1.64001f"'
    clip = lesson.store.add_clip("video", b"v", WEBM, None, 3, 20.0, 0.05, renditions={mp4: b"m"})
    lesson.store.add_replay(lesson.run, 5, clip)
    sources = ann.get(f"{API}/runs/hop").json()["replays"][0]["clip"]["sources"]
    assert [source["media_type"] for source in sources] == [WEBM, mp4]
    assert ask(ann, {"clip_id": clip})["state"] == "ready"


def test_clips_of_other_experiments_are_not_there(school):
    school.lesson.ask(1)
    [query] = claim(school.person("ann"), school)
    other = school.lesson.store.experiment("other", "hopper")
    stranger = school.person("eve", experiment=other)
    refused(stranger.post(f"{API}/clips/{query['left']['clip_id']}/render"), 404, "not_found")
    refused(stranger.post(f"{API}/clips/nothing/render"), 404, "not_found")
    refused(school.client().post(f"{API}/clips/{query['left']['clip_id']}/render"), 401, "unauthorized")
    assert school.lesson.store.jobs(school.lesson.run) == []


def test_a_clip_that_cannot_be_read_withdraws_its_pair(school, ann):
    lesson = school.lesson
    lesson.ask(2)
    queries = claim(ann, school, 2)
    path = lesson.store.blobs.path(queries[0]["left"]["url"].rsplit("/", 1)[1])
    path.unlink()
    refused(ann.get(queries[0]["left"]["url"]), 404, "not_found")
    assert lesson.store.query(queries[0]["query_id"]).state == "expired"
    assert lesson.store.query(queries[1]["query_id"]).state == "open"
    assert [query["query_id"] for query in claim(ann, school, 5)] == [queries[1]["query_id"]]
