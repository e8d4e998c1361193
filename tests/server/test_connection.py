"""Strangers who never finish a request: they cost little, and not for long."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from rl_teacher.server import connection, security
from rl_teacher.server.app import create_app
from rl_teacher.server.connection import HEAD_LIMIT, Connection
from tests.server.conftest import API


@pytest.fixture
def line(school, monkeypatch) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection to a server that has little patience, and the beginning of a right request."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(security, "BODY_SECONDS", 0.5)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(16)
        port = door.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(create_app(school.lesson.store, port), http=Connection, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
            yield made, f"Host: 127.0.0.1:{port}\r\n".encode()
        server.should_exit = True
        thread.join(20)


def everything(made: socket.socket) -> bytes:
    got = b""
    while piece := made.recv(65536):
        got += piece
    return got


@pytest.mark.parametrize("end", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nX: y"])
def test_a_head_that_never_ends_is_given_up(line, end):
    made, _ = line
    made.sendall(end)
    began = time.monotonic()
    assert everything(made) == b""
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_without_end_is_not_kept(line, begin):
    made, _ = line
    piece = b"X: yyyyy\r\n" * 6400 if begin.endswith(b"\n") else b"y" * 64_000
    made.sendall(begin)
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 50 * HEAD_LIMIT:
            made.sendall(piece)
            sent += len(piece)
            time.sleep(0.02)
    assert sent < 20 * HEAD_LIMIT


def test_a_body_that_never_comes_is_given_up(line):
    made, host = line
    made.sendall(b"POST " + API.encode() + b"/session HTTP/1.1\r\n" + host + b"Content-Length: 10\r\n\r\n{")
    answer = b""
    while b"}}" not in answer:
        answer += made.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'{"error": {"code": "timeout", "message": "The body did not come within' in answer


def test_request_after_request_on_one_connection_is_served_large_cookies_and_all(line):
    made, host = line
    cookie = b"Cookie: " + b"; ".join(b"rlt_%d=%s" % (port, b"x" * 43) for port in range(8000, 8500)) + b"\r\n"
    for _ in range(10):
        made.sendall(b"GET " + API.encode() + b"/health HTTP/1.1\r\n" + host + cookie + b"\r\n")
        answer = b""
        while b'"ok":true' not in answer:
            piece = made.recv(65536)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200 ")
        time.sleep(0.1)  # all together longer than one head may take
