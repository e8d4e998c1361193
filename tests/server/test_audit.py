"""Who did what is written down, and no log ever holds a token."""

from __future__ import annotations

import logging
import socket
import threading
import time

import httpx
import sqlalchemy as sa
import uvicorn

from rl_teacher.feedback import auditing
from rl_teacher.server.app import create_app
from tests.server.test_routes import API, label


def test_what_people_do_is_noted(school, ann, boss):
    store, lesson = school.lesson.store, school.lesson
    (query,) = lesson.ask(1)
    here = f"{API}/experiments/{lesson.experiment}"
    before = len(store.notes(100))
    guest, token = school.client(), school.token("sue", "researcher", lesson.experiment)
    assert guest.post(f"{API}/session", json={"token": token}).status_code == 204
    invitation = boss.post(f"{API}/invites", json={}).json()
    by_link = {"token": invitation["url"].split("#token=")[1], "name": "Guest"}
    assert school.client().post(f"{API}/session", json=by_link).status_code == 204
    boss.patch(here, json={"status": "finished", "instructions": "Hop."})
    boss.post(f"{here}/jobs", json={"kind": "pause"})
    boss.post(f"{API}/corrections", json=label(query, id="c"))
    boss.post(f"{API}/corrections", json=label(query, id="c"))  # sent again: once is enough
    boss.put(f"{API}/queries/{query}/gold", json={"verdict": "LEFT"})
    boss.get(f"{here}/export")
    boss.post(f"{API}/invites/{invitation['invite']['id']}/end")
    ann.post(f"{API}/labels", json=label(query))  # answers have a record of their own
    noted = [(one.who, one.what) for one in store.notes(100)[before:]]
    assert noted == [
        ("store", "token created"),
        ("sue", "signed in"),
        ("boss", "token created"),
        ("Guest", "token created"),
        ("Guest", "signed in"),
        ("boss", "settings changed"),
        ("boss", "trainer asked to pause"),
        ("boss", "answer corrected"),
        ("boss", "expected answer set"),
        ("boss", "answers exported"),
        ("boss", "token revoked"),
    ]
    changed = store.notes(1, "settings changed")[0].detail
    assert (changed["status"], changed["instructions"], changed["experiment"]) == ("finished", "Hop.", "hop")
    assert changed["token"] != token


def test_a_full_disk_keeps_nobody_out_and_no_answer_in(school, boss, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    token = school.token("boss", "admin")
    monkeypatch.setattr(auditing, "write_note", full)
    assert school.client().post(f"{API}/session", json={"token": token}).status_code == 204
    assert boss.get(f"{API}/experiments/{school.lesson.experiment}/export").status_code == 200
    assert school.client("wrong").get(f"{API}/session").status_code == 401
    assert caplog.text.count("could not be noted: database or disk is full") == 3


def test_no_log_holds_a_token_not_even_with_access_logs_on(school, caplog, capfd, monkeypatch):
    token = school.token("ann", "admin")
    wrong, expired = "wrong-token-in-the-log", school.lesson.store.create_token("admin", lifetime_seconds=0.0)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(16)
        port = door.getsockname()[1]
        app = create_app(school.lesson.store, port)
        server = uvicorn.Server(uvicorn.Config(app, log_level="trace", access_log=True, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        for name in ("httpcore", "httpx"):  # the client's own, on its own machine
            caplog.set_level(logging.CRITICAL, name)
        for name in ("", "uvicorn.access", "uvicorn.error", "sqlalchemy.engine"):
            caplog.set_level(logging.DEBUG, name)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, trust_env=False, timeout=20) as page:
            for given in (token, wrong, expired, wrong * 20):
                bearer = {"Authorization": f"Bearer {given}"}
                page.post(f"{API}/session", json={"token": given}, headers={"Origin": address})
                page.post(f"{API}/session", json={"token": [given]}, headers={"Origin": address})
                page.post(f"{API}/labels", json={"id": given}, headers=bearer)
                page.get(f"{API}/session", headers=bearer)
                page.get(f"{API}/session", headers={"Cookie": f"rlt_{port}={given}"})
            with monkeypatch.context() as broken:
                broken.setattr(school.lesson.store, "experiments", lambda: 1 / 0)
                failed = page.get(f"{API}/experiments", headers={"Authorization": f"Bearer {token}"})
                assert failed.status_code == 500
        server.should_exit = True
        thread.join(20)
    logged = caplog.text + "".join(capfd.readouterr())
    assert "GET /api/v1/session" in logged  # access logs are on
    assert "ZeroDivisionError" in logged  # and failures are told
    for secret in (token, wrong, expired):
        assert secret not in logged
