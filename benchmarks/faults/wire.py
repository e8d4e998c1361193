"""A real server over a fresh store, and raw bytes sent to it: what the harnesses for strange requests share."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment
from rl_teacher.feedback.store import open_store

SECONDS = 20.0
"""No answer to a whole request may take longer."""


@dataclass(frozen=True)
class Target:
    """A server with one experiment in it."""

    port: int
    token: str
    experiment: str
    query: str
    log: Path

    def send(self, request: bytes, patience: float = SECONDS) -> bytes:
        """Send bytes on a connection of their own; returns all that came back until the server hung up.

        Args:
            request: What to send.
            patience: Seconds of silence after which to hang up; what is not whole the server waits for.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as line:
            got = b""
            with contextlib.suppress(ConnectionError, TimeoutError):  # it may hang up before it has read everything
                line.sendall(request)
                line.settimeout(patience)
                while piece := line.recv(65536):
                    got += piece
            return got

    def head(self, method: str, path: bytes | str) -> bytes:
        """The beginning of a right request by an admin, without its last empty line."""
        raw = path if isinstance(path, bytes) else path.encode()
        lines = f"Host: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\nConnection: close\r\n"
        return method.encode() + b" " + raw + b" HTTP/1.1\r\n" + lines.encode()

    def is_up(self) -> bool:
        """Whether it still answers."""
        return status(self.send(self.head("GET", "/api/v1/health") + b"\r\n")) == 200


def status(answer: bytes) -> int:
    """Of an HTTP answer; 0 for none."""
    line = answer.split(b"\r\n", 1)[0].split()
    return int(line[1]) if len(line) > 1 and line[0].startswith(b"HTTP/") and line[1].isdigit() else 0


@contextlib.contextmanager
def target(folder: Path) -> Iterator[Target]:
    """Serve a store with three questions from this folder; the server's own words go to `server.log`."""
    run_dir, log = folder / "runs", folder / "server.log"
    with contextlib.closing(open_store(run_dir)) as store:
        experiment = store.experiment("hop", "hopper", "Make it hop.")
        run = store.run(experiment, "hop", 1, "human")
        data = pack_arrays({"obs": np.zeros((2, 2), np.float32)})
        clip = store.add_clip("poses", b"1234567" * 4, "application/octet-stream", b"{}", 1, 20.0, 0.05)
        sides = [[NewSegment(f"{side}{n}", data, clip) for side in "lr"] for n in range(3)]
        queries = store.add_queries(run, [NewQuery(f"pair-{left.key}", left, right) for left, right in sides])
        token = store.create_token("admin", store.labeller("boss"))
    command = [sys.executable, "-m", "rl_teacher.server", "--run-dir", str(run_dir), "--port", "0"]
    root = str(Path(__file__).resolve().parents[2])
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=root) as server,
    ):
        try:
            line = server.stdout.readline() if server.stdout else ""
            if "http://" not in line:
                raise RuntimeError(f"the server did not start: {log.read_text()}")
            port = int(line.rstrip().rstrip("/").rsplit(":", 1)[1])
            yield Target(port, token, experiment, queries[0], log)
        finally:
            server.terminate()
