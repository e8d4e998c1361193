"""The server as the trainer starts it: a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.feedback.lesson import make_lesson

SERVER = [sys.executable, "-W", "error", "-m", "rl_teacher.server"]


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        listening.set_inheritable(True)
        yield listening


@contextlib.contextmanager
def serving(folder: Path, door: socket.socket) -> Iterator[subprocess.Popen[str]]:
    command = [*SERVER, "--run-dir", str(folder), "--fd", str(door.fileno()), "--parent-pid", str(os.getpid())]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, pass_fds=(door.fileno(),), **pipes) as server:
        try:
            yield server
        finally:
            if server.poll() is None:
                server.kill()


def test_people_answer_a_live_server_which_keeps_its_port_over_a_restart(tmp_path: Path, door: socket.socket):
    lesson = make_lesson(tmp_path)
    lesson.ask(4)
    lesson.clock.now = time.time()
    token = lesson.store.create_token("admin", lesson.store.labeller("ann"))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    with httpx.Client(base_url=address, timeout=20, trust_env=False, headers={"Origin": address}) as page:
        for n_before in (0, 2):
            with serving(tmp_path, door) as server:
                if n_before == 0:
                    assert page.post("/api/v1/session", json={"token": token}).status_code == 204
                (shown,) = page.get("/api/v1/experiments").json()["experiments"]
                assert shown["counts"]["answered"] == n_before
                queries = page.post(f"/api/v1/experiments/{shown['id']}/claim", json={"n": 2}).json()["queries"]
                assert len(queries) == 2
                for query in queries:
                    assert len(page.get(query["left"]["url"]).content) == 28
                    said = {"id": query["lease"], "query_id": query["query_id"], "verdict": "TIE"}
                    saved = page.post("/api/v1/labels", json={**said, "lease": query["lease"]})
                    assert saved.status_code == 200, saved.text
                server.send_signal(signal.SIGTERM)
                out, err = server.communicate(timeout=10)
                assert (server.returncode, err) == (0, "")
                assert address in out
                assert token not in out
    assert [label.seq for label in lesson.store.labels_since(lesson.experiment)] == [1, 2, 3, 4]
    lesson.store.close()


PARENT = """
import os, subprocess, sys, time
fd, command = sys.argv[1], sys.argv[2:]
subprocess.Popen([*command, "--parent-pid", str(os.getpid())], pass_fds=(int(fd),))
time.sleep(600)
"""


def test_no_orphan_holds_the_port_when_the_trainer_is_killed(tmp_path: Path, door: socket.socket):
    make_lesson(tmp_path).store.close()
    fd, port = str(door.fileno()), door.getsockname()[1]
    command = [sys.executable, "-c", PARENT, fd, *SERVER, "--run-dir", str(tmp_path), "--fd", fd]
    with subprocess.Popen(command, pass_fds=(door.fileno(),), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert str(port) in parent.stdout.readline()
        door.close()  # now only parent and server hold it
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/health", trust_env=False, timeout=20).json()["ok"]
        parent.kill()
        assert parent.stdout.read() == ""  # ends when the server's end of the pipe is closed, that is, with the server
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/api/v1/health", trust_env=False)


def test_a_users_mistake_is_one_line_and_exit_code_2(tmp_path: Path, door: socket.socket):
    port = str(door.getsockname()[1])
    (tmp_path / "file").write_text("in the way")
    for options, said in (
        (["--port", port], f"Port {port} on 127.0.0.1 cannot be used"),
        (["--port", "0", "--run-dir", str(tmp_path / "file" / "runs")], "--run-dir"),
    ):
        command = [*SERVER, "--run-dir", str(tmp_path), *options]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert ended.stderr.count("\n") == 1
