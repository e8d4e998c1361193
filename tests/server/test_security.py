from __future__ import annotations

import asyncio
import re

import pytest

from rl_teacher.server.security import BODY_LIMIT

API = "/api/v1"
OWN = "http://127.0.0.1:8123"
OPEN_TO_ALL = {("GET", f"{API}/health"), ("POST", f"{API}/session")}


def routes(app) -> list[tuple[str, str]]:
    """Every method and path of the API as its own description lists them."""
    return [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]


def test_every_route_without_a_token_is_refused(school):
    found = routes(school.app)
    assert len(found) >= 13
    assert set(found) >= OPEN_TO_ALL
    clients = (school.client(), school.client("wrong"), school.client(""))
    for method, path in set(found) - OPEN_TO_ALL:
        real = re.sub(r"{\w+}", school.lesson.experiment, path)
        for client in clients:
            answer = client.request(method, real, json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized"), (method, path)


def test_no_route_hides_from_the_description(school):
    described = {path for _, path in routes(school.app)}
    assert school.client().get(f"{API}/openapi.json").status_code == 200
    assert all(path.startswith(API) for path in described)
    assert school.client().get("/docs").status_code == 404
    assert school.client().get("/redoc").status_code == 404


def test_the_apis_own_documentation_loads_nothing_and_names_every_route(school):
    answer = school.client().get(f"{API}/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert not re.findall(r"<(?:script|link|style|img|iframe)|(?:src|style|on\w+)=|https?:|//", answer.text)
    assert re.findall(r'href="([^"]*)"', answer.text) == ["openapi.json"]
    for method, path in routes(school.app):
        assert f"<code>{method} {path}</code>" in answer.text
    assert "<code>verdict</code><td>LEFT | RIGHT | TIE" in answer.text
    assert "<code>n</code><td>integer, minimum 1, maximum 20, default 1" in answer.text


@pytest.mark.parametrize(
    ("host", "ok"),
    [
        ("127.0.0.1:8123", True),
        ("localhost:8123", True),
        ("LOCALHOST:8123", True),
        ("[::1]:8123", True),
        ("teach.example.org", True),
        ("teach.example.org:8123", True),
        ("127.0.0.1", False),
        ("127.0.0.1:80", False),
        ("evil.example.org:8123", False),
        ("127.0.0.1.evil.example.org:8123", False),
        ("teach.example.org.evil.org", False),
        ("", False),
    ],
)
def test_only_known_names_are_served(school, host, ok):
    for path in (f"{API}/health", "/", "/api/nothing"):
        answer = school.client().get(path, headers={"Host": host})
        assert (answer.status_code != 403) is ok
        if not ok:
            assert answer.json()["error"]["code"] == "forbidden"


CROSS = [
    {"Origin": "http://evil.example.org"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "ftp://127.0.0.1:8123"},
    {"Origin": "http://[bad"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", CROSS)
def test_other_sites_change_nothing(school, headers):
    (query,) = school.lesson.ask(1)
    token = school.token("ann")
    by_cookie = school.client()
    by_cookie.cookies.set("rlt_8123", token)
    said = {"id": "a", "query_id": query, "verdict": "LEFT"}
    for client in (by_cookie, school.client(token)):
        answer = client.post(f"{API}/labels", json=said, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert school.client().post(f"{API}/session", json={"token": token}, headers=headers).status_code == 403
    assert school.lesson.store.counts(school.lesson.experiment).answered == 0


@pytest.mark.parametrize("headers", [{"Origin": OWN}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_page_may_answer(school, headers):
    (query,) = school.lesson.ask(1)
    client = school.client()
    client.cookies.set("rlt_8123", school.token("ann"))
    said = {"id": "a", "query_id": query, "verdict": "LEFT"}
    assert client.post(f"{API}/labels", json=said).status_code == 403  # a cookie alone does not say who asks
    assert client.post(f"{API}/labels", json=said, headers=headers).status_code == 200


def test_a_header_that_holds_no_token_does_not_make_a_cookie_a_script(school):
    (query,) = school.lesson.ask(1)
    client = school.client()
    client.cookies.set("rlt_8123", school.token("ann"))
    said = {"id": "a", "query_id": query, "verdict": "LEFT"}
    assert client.post(f"{API}/labels", json=said, headers={"Authorization": "Basic YTpi"}).status_code == 403


def test_the_cookie_of_another_port_is_not_ours(school):
    client = school.client()
    client.cookies.set("rlt_8124", school.token("ann"))
    assert client.get(f"{API}/session").status_code == 401


@pytest.mark.parametrize("path", [f"{API}/health", "/", f"{API}/session", "/api/nothing", "/assets/nothing.js"])
def test_every_answer_bears_the_headers(school, path):
    headers = school.client().get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["img-src"] == "'self' blob: data:"
    assert policy["media-src"] == policy["worker-src"] == "'self' blob:"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


def test_no_other_origin_is_ever_allowed_to_read(school, ann):
    headers = {"Origin": "http://evil.example.org", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "GET"):
        assert "access-control-allow-origin" not in ann.request(method, f"{API}/session", headers=headers).headers


def test_large_bodies_are_refused_whether_announced_or_not(school, ann):
    for content in (b"x" * (BODY_LIMIT + 1), iter([b"x" * BODY_LIMIT, b"x"])):
        answer = ann.post(f"{API}/labels", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    fits = ann.post(f"{API}/labels", content=b"x" * BODY_LIMIT, headers={"Content-Type": "application/json"})
    assert fits.status_code == 400


def test_there_are_no_web_sockets(school):
    sent = []

    async def receive() -> dict:
        return {"type": "websocket.connect"}

    async def send(message: dict) -> None:
        sent.append(message["type"])

    asyncio.run(school.app({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert sent == ["websocket.close"]
