"""Who gets what from every route: what is expected, and how to find out. `python -m tests.server.table` prints it."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from tests.server.conftest import API, School

WHO = (
    "nobody",
    "labeller",
    "labeller of another",
    "researcher",
    "researcher of another",
    "admin",
    "invitation",
    "expired",
    "revoked",
    "wrong Host",
    "wrong Origin",
)
"""Labellers and researchers hold tokens of one experiment. The last four are an admin, or were."""

OPEN = "200 200 200 200 200 200 200 200 200 403 200"
"""Every file of the page and what describes the API."""
IN = "401 200 200 200 200 200 401 401 401 403 200"
OF_EXPERIMENT = "401 200 404 200 404 200 401 401 401 403 200"
RESEARCHER = "401 403 404 200 404 200 401 401 401 403 200"


def changes(row: str) -> str:
    """The same where something is changed: other sites' pages are refused, too."""
    return row.rsplit(" ", 1)[0] + " 403"


EXPECTED = {
    "GET /": OPEN,
    "GET /{name}": OPEN,
    "GET /assets/{name}": OPEN,
    f"GET {API}/openapi.json": OPEN,
    f"GET {API}/docs": OPEN,
    f"GET {API}/health": OPEN,
    f"GET {API}/session": IN,
    f"POST {API}/session": "401 204 204 204 204 204 428 401 401 403 403",
    f"GET {API}/experiments": IN,
    f"GET {API}/experiments/{{experiment_id}}": OF_EXPERIMENT,
    f"PATCH {API}/experiments/{{experiment_id}}": changes(RESEARCHER),
    f"POST {API}/experiments/{{experiment_id}}/jobs": changes(RESEARCHER),
    f"GET {API}/jobs/{{job_id}}": RESEARCHER.replace("403 404", "403 403", 1),
    f"GET {API}/runs/{{name}}": OF_EXPERIMENT,
    f"POST {API}/experiments/{{experiment_id}}/claim": changes(OF_EXPERIMENT),
    f"POST {API}/labels": changes(OF_EXPERIMENT),
    f"POST {API}/leases/heartbeat": changes(IN),
    f"POST {API}/leases/{{lease}}/release": changes(IN),
    f"GET {API}/experiments/{{experiment_id}}/labels": OF_EXPERIMENT,
    f"GET {API}/experiments/{{experiment_id}}/people": RESEARCHER,
    f"POST {API}/corrections": changes(RESEARCHER.replace("403 404", "403 403", 1)),
    f"PUT {API}/queries/{{query_id}}/gold": changes(RESEARCHER.replace("403 404", "403 403", 1)),
    f"GET {API}/experiments/{{experiment_id}}/export": RESEARCHER,
    f"POST {API}/invites": changes(RESEARCHER.replace("403 404", "403 403", 1)),
    f"GET {API}/invites": "401 403 403 200 200 200 401 401 401 403 200",
    f"POST {API}/invites/{{invite_id}}/end": changes(RESEARCHER.replace("403 404", "403 403", 1)),
    f"GET {API}/experiments/{{experiment_id}}/clips/{{clip_id}}": OF_EXPERIMENT,
    f"GET {API}/blobs/{{sha}}": OF_EXPERIMENT,
    f"POST {API}/clips/{{clip_id}}/render": changes(OF_EXPERIMENT),
    f"POST {API}/experiments/{{experiment_id}}/insight": changes(RESEARCHER),
    f"GET {API}/insight/{{job_id}}": RESEARCHER.replace("403 404", "403 403", 1),
    f"GET {API}/experiments/{{experiment_id}}/curves": RESEARCHER,
}
"""Statuses in the order of `WHO`, for a request that is right but for who sends it."""


def routes_of(app: FastAPI) -> list[str]:
    """Every route the app has, whether described or hidden, HEAD beside GET left out."""
    return sorted(f"{method} {path}" for method, path in _walk(app.routes) if method != "HEAD")


def _walk(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        if hasattr(route, "effective_candidates"):  # how newer FastAPI keeps routers that were included
            yield from _walk(route.effective_candidates())
        else:
            yield from ((method, route.path) for method in route.methods or {"?"})


@dataclass
class Visitors:
    """One client for each kind of visitor, and right requests."""

    school: School
    tokens: dict[str, str]
    job: str

    @classmethod
    def of(cls, school: School) -> Visitors:
        lesson, store = school.lesson, school.lesson.store
        other = store.experiment("other", "hopper")
        (school.static / "assets").mkdir(parents=True)
        for name in ("index.html", "icon.svg", "assets/a.js"):
            (school.static / name).write_text("page")
        lesson.ask(3)
        tokens = {
            "nobody": "",
            "labeller": school.token("ann", "labeller", lesson.experiment),
            "labeller of another": school.token("eve", "labeller", other),
            "researcher": school.token("sue", "researcher", lesson.experiment),
            "researcher of another": school.token("max", "researcher", other),
            "admin": school.token("boss", "admin"),
            "invitation": store.invite(lesson.experiment)[0],
            "expired": store.create_token("admin", store.labeller("boss"), lifetime_seconds=0.0),
            "revoked": school.token("boss", "admin"),
        }
        found = store.check_token(tokens["revoked"])
        assert found is not None
        store.revoke_token(found.token_id)
        tokens |= {"wrong Host": tokens["admin"], "wrong Origin": tokens["admin"]}
        return cls(school, tokens, store.add_job(lesson.experiment, "agent_now", {}, lesson.run))

    def ask(self, route: str, who: str) -> httpx.Response:
        """What this visitor gets from this route."""
        method, path = route.split(" ", 1)
        token = self.tokens[who]
        path, body = self._right(path, method, token)
        headers = {"Host": "evil.example.org:8123"} if who == "wrong Host" else {}
        by_cookie = who == "wrong Origin"
        if by_cookie:
            headers |= {"Origin": "http://evil.example.org", "Cookie": f"rlt_8123={token}"}
        client: httpx.Client = self.school.client(None if by_cookie or not token else token)
        return client.request(method, path, json=body, headers=headers)

    def _right(self, path: str, method: str, token: str) -> tuple[str, dict[str, Any] | None]:
        """The path filled in, and a body that would do."""
        store, lesson = self.school.lesson.store, self.school.lesson
        query = store.queries(lesson.experiment)[0]
        clip = store.clip(lesson.segment(0).clip_id)
        filled = {
            "{experiment_id}": lesson.experiment,
            "{job_id}": self.job,
            "{lease}": uuid.uuid4().hex,
            "{query_id}": query.id,
            "{invite_id}": store.invite(lesson.experiment)[1].id if "{invite_id}" in path else "",
            "{clip_id}": clip.id,
            "{sha}": clip.blob,
            "/assets/{name}": "/assets/a.js",
            "/runs/{name}": "/runs/hop",
            "/{name}": "/icon.svg",
        }
        said = {"id": uuid.uuid4().hex, "query_id": query.id, "verdict": "LEFT"}
        bodies: dict[str, Callable[[], dict[str, Any]]] = {
            "POST /session": lambda: {"token": token or "none"},
            "PATCH /experiments/{experiment_id}": lambda: {"trust": True},
            "POST /experiments/{experiment_id}/jobs": lambda: {"kind": "pause"},
            "POST /labels": lambda: said,
            "POST /leases/heartbeat": lambda: {"leases": []},
            "POST /corrections": lambda: said,
            "PUT /queries/{query_id}/gold": lambda: {"verdict": "LEFT"},
            "POST /invites": lambda: {"experiment_id": lesson.experiment},
            "POST /experiments/{experiment_id}/insight": lambda: {"kind": "agent_now"},
        }
        make = bodies.get(f"{method} {path.removeprefix(API)}", dict)
        for name, value in filled.items():
            path = path.replace(name, value)
        return path, None if method == "GET" else make()


def table() -> str:
    """The table as it stands in docs/security.md."""
    lines = ["| route | " + " | ".join(WHO) + " |", "|---" * (1 + len(WHO)) + "|"]
    lines += [f"| {route.replace(API, '…')} | {' | '.join(row.split())} |" for route, row in EXPECTED.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
