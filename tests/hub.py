"""A stand-in for the Hugging Face Hub: as much of its HTTP as huggingface_hub needs to write and read small files."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """Keeps repositories in memory."""

    daemon_threads = True

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.token = token
        self.files: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._begin()
        if not self._allowed():
            return
        match path.strip("/").split("/"):
            case ["api", "whoami-v2"]:
                self._say({"name": "me", "type": "user", "orgs": []})
            case ["api", "models", owner, name, *rest] if not rest or rest[0] == "revision":
                self._repository(f"{owner}/{name}")
            case ["api", "models", owner, name, "tree", _, *_]:
                files = self.server.files.get(f"{owner}/{name}", {})
                tree = [
                    {"type": "file", "path": file, "size": len(data), "oid": oid(data)} for file, data in files.items()
                ]
                self._say(tree)
            case [owner, name, "resolve", _, file]:
                self._file(self.server.files.get(f"{owner}/{name}", {}).get(file))
            case _:
                self._say({"error": f"no {path}"}, 404)

    def do_POST(self) -> None:
        path, body = self._begin(), self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._allowed(writes=True):
            return
        match path.strip("/").split("/"):
            case ["api", "repos", "create"]:
                said = json.loads(body)
                repository = f"{said.get('organization') or 'me'}/{said['name']}"
                fresh = repository not in self.server.files
                self.server.files.setdefault(repository, {})
                self.server.private.setdefault(repository, said.get("private") or said.get("visibility") == "private")
                self._say({"url": f"{self.server.address}/{repository}", "id": repository}, 200 if fresh else 409)
            case ["api", "models", _, _, "preupload", _]:
                files = [
                    {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for f in json.loads(body)["files"]
                ]
                self._say({"files": files})
            case ["api", "models", owner, name, "commit", _]:
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        data = base64.b64decode(line["value"]["content"])
                        self.server.files[f"{owner}/{name}"][line["value"]["path"]] = data
                url = f"{self.server.address}/{owner}/{name}/commit/{COMMIT}"
                self._say({"success": True, "commitUrl": url, "commitOid": COMMIT, "hookOutput": ""})
            case _:
                self._say({}, 200 if path.endswith("validate-yaml") else 404)

    def _begin(self) -> str:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        return path

    def _allowed(self, writes: bool = False) -> bool:
        given = self.headers.get("Authorization")
        if given == f"Bearer {self.server.token}" or (given is None and not writes):
            return True
        self._say({"error": "Invalid username or password."}, 401)
        return False

    def _repository(self, repository: str) -> None:
        if repository not in self.server.files:
            self._say({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        siblings = [{"rfilename": file} for file in self.server.files[repository]]
        self._say({"id": repository, "sha": COMMIT, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0})

    def _file(self, data: bytes | None) -> None:
        if data is None:
            self._say({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        self._send(data, 200, {"ETag": f'"{oid(data)}"', "X-Repo-Commit": COMMIT})

    def _say(self, what: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(what).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def oid(data: bytes) -> str:
    """As git names a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def serve(token: str) -> Iterator[Hub]:
    """A hub that lets the holder of this token write, and anybody read."""
    hub = Hub(token)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
