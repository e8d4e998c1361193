"""Blobs and the built page."""

from __future__ import annotations

import gzip

import pytest

API = "/api/v1"


@pytest.fixture
def clip(school, boss) -> dict:
    school.lesson.ask(1)
    answer = boss.post(f"{API}/experiments/{school.lesson.experiment}/claim", json={"n": 1})
    return answer.json()["queries"][0]["left"]


DATA = (0).to_bytes(4, "little") * 7  # what the lesson draws as the left clip of its first question


def test_a_clip_and_its_scene_are_served_for_ever(boss, clip):
    answer = boss.get(clip["url"])
    assert answer.content == DATA
    assert answer.headers["content-type"] == clip["media_type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["etag"] == f'"{clip["url"].rpartition("/")[2]}"'
    scene = boss.get(clip["scene_url"])
    assert scene.json() == {"version": 1}
    assert scene.headers["content-type"] == "application/json"


@pytest.mark.parametrize("template", ["{}", "W/{}", '"other", {}', "*"])
def test_a_clip_the_browser_has_is_not_sent_again(boss, clip, template):
    tag = boss.get(clip["url"]).headers["etag"]
    answer = boss.get(clip["url"], headers={"If-None-Match": template.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert boss.get(clip["url"], headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("bytes=0-3", 0, 4), ("bytes=4-", 4, 28), ("bytes=-5", 23, 28), ("bytes=20-99", 20, 28), ("bytes=-99", 0, 28)],
)
def test_one_range_is_served(boss, clip, wanted, start, stop):
    answer = boss.get(clip["url"], headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == DATA[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/28"


@pytest.mark.parametrize("wanted", ["bytes=28-", "bytes=99-100", "bytes=-0"])
def test_a_range_outside_is_refused(boss, clip, wanted):
    answer = boss.get(clip["url"], headers={"Range": wanted})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */28")
    assert answer.json()["error"]["code"] == "range_not_satisfiable"


@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "bytes=5-2", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=0-" * 99])
def test_other_ranges_give_everything(boss, clip, wanted):
    answer = boss.get(clip["url"], headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_a_range_of_something_that_changed_gives_everything(boss, clip):
    answer = boss.get(clip["url"], headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_a_clip_is_found_by_its_id_in_its_own_experiment_only(school, boss, clip):
    lesson = school.lesson
    address = f"{API}/experiments/{lesson.experiment}/clips"
    assert boss.get(f"{address}/{clip['clip_id']}").json() == clip
    ann = school.person("ann", experiment=lesson.experiment)
    assert ann.get(f"{address}/{clip['clip_id']}").json() == clip
    other = lesson.store.experiment("walk", "walker", "", None)
    for where in (f"{address}/nothing", f"{API}/experiments/{other}/clips/{clip['clip_id']}"):
        answer = boss.get(where)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    stranger = school.person("eve", experiment=other)
    assert stranger.get(f"{address}/{clip['clip_id']}").status_code == 404
    assert school.client().get(f"{address}/{clip['clip_id']}").status_code == 401


def test_the_arrays_behind_a_clip_are_never_served(school, boss):
    (query,) = school.lesson.ask(1)
    sides = school.lesson.store.load_segments(query)[2]
    assert school.lesson.store.blobs.has(sides.left.data_blob)
    assert boss.get(f"{API}/blobs/{sides.left.data_blob}").status_code == 404


def test_before_the_page_is_built_the_server_says_so(school):
    answer = school.client().get("/")
    assert answer.status_code == 200
    assert "The page has not been built; run <code>make install</code>" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_the_built_page_is_served_compressed(school):
    (school.static / "assets").mkdir(parents=True)
    (school.static / "index.html").write_text("<!doctype html>" + "hop " * 1000)
    (school.static / "assets" / "index-abc123.js").write_text("console.log(1)")
    client = school.client()
    answer = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.text.endswith("hop ")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(gzip.compress(answer.content, 6, mtime=0)) < 200
    assert answer.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in client.get("/", headers={"Accept-Encoding": "identity"}).headers
    script = client.get("/assets/index-abc123.js")
    assert script.text == "console.log(1)"
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    (school.static / "index.html").write_text("built anew")
    assert client.get("/").text == "built anew"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/assets//etc/passwd",
        "/%2fetc%2fpasswd",
        "/secret.txt%00.html",
        "/.hidden",
        "/assets",
        "/index.htm",
    ],
)
def test_nothing_outside_the_page_is_served(school, path):
    (school.static / "assets").mkdir(parents=True)
    (school.static / ".hidden").write_text("secret")
    (school.static.parent / "secret.txt").write_text("secret")
    answer = school.client().get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.json()["error"]["message"]
