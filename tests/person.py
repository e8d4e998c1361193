"""Somebody who teaches over HTTP, as the page does, and judges by the true reward that the store keeps."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rl_teacher.feedback.store import Store, open_store


class Person:
    """Opens the printed address and answers.

    Args:
        output: What the trainer has printed so far.
        run_dir: Where the store lies.
    """

    def __init__(self, output: str, run_dir: Path):
        found = re.search(r"(http://[^/\s]+)/#token=([^&\s]+)", output)
        assert found, f"no address in: {output}"
        self.address, self._token = found.groups()
        self.headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self.experiment_id = self.call("GET", "/experiments")["experiments"][0]["id"]
        self.store: Store = open_store(run_dir)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=self.headers,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def better(self, query_id: str) -> str:
        """The side with more true reward."""
        left, right, _ = self.store.load_segments(query_id)
        return "LEFT" if left["env_rew"].sum() > right["env_rew"].sum() else "RIGHT"

    def answer(self, n: int, verdict: Callable[[str], str] | None = None, seconds: float = 90.0) -> int:
        """Answer up to n questions as they come; returns how many it got."""
        deadline, given = time.monotonic() + seconds, 0
        while given < n and time.monotonic() < deadline:
            for claim in self.call("POST", f"/experiments/{self.experiment_id}/claim", {"n": min(3, n - given)})[
                "queries"
            ]:
                said = {
                    "id": uuid.uuid4().hex,
                    "query_id": claim["query_id"],
                    "lease": claim["lease"],
                    "verdict": (verdict or self.better)(claim["query_id"]),
                    "strength": "PLAIN",
                    "seconds": 0.1,
                    "key": "script",
                    "swapped": claim["swapped"],
                    "renderer": "test",
                }
                self.call("POST", "/labels", said)
                given += 1
            time.sleep(0.02)
        return given

    def ask_for(self, kind: str) -> None:
        """Press Finish, Pause or Resume."""
        self.call("POST", f"/experiments/{self.experiment_id}/jobs", {"kind": kind, "args": {}})

    def experiment(self) -> dict[str, Any]:
        return self.call("GET", f"/experiments/{self.experiment_id}")

    def read(self, text: str, seconds: float = 60.0) -> None:
        """Look at what the page says the trainer is doing until it says this."""
        deadline = time.monotonic() + seconds
        while text not in (said := self.experiment()["run"]["message"]):
            assert time.monotonic() < deadline, f"the page says '{said}', not '{text}'"
            time.sleep(0.05)

    def close(self) -> None:
        self.store.close()
