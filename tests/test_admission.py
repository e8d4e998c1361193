"""`rl-teacher token` and `rl-teacher audit`, and that what they do holds at once in a server that runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import httpx
import pytest

from rl_teacher.cli import main
from rl_teacher.feedback.store import open_store
from rl_teacher.server.app import create_app
from tests.server.client import AppTransport


@pytest.fixture
def store():
    opened = open_store("runs")
    opened.experiment("hop", "hopper")
    yield opened
    opened.close()


def run(words: str) -> int:
    return main(shlex.split(words))


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    return err


def test_a_token_is_printed_once_and_opens_what_it_says_until_it_is_revoked(store, capsys):
    assert run("token create --role labeller --name Ann --experiment hop --days 2") == 0
    printed, said = capsys.readouterr()
    token = printed.strip()
    assert "only now" in said
    assert token not in said
    held = store.check_token(token)
    assert held is not None
    assert (held.role, held.labeller_name) == ("labeller", "Ann")
    assert held.experiment_id == store.experiment_by_name("hop").id
    assert held.expires_at == pytest.approx(store.clock() + 2 * 86_400, abs=60)
    assert run("token list") == 0
    listed = capsys.readouterr().out
    assert "labeller" in listed
    assert "Ann" in listed
    assert token not in listed
    server = create_app(store, 8123)  # it has a store of its own, as a server in another process has
    client = httpx.Client(transport=AppTransport(server), base_url="http://127.0.0.1:8123")
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get("/api/v1/session").status_code == 200
    assert run(f"token revoke {held.token_id[:8]}") == 0
    assert client.get("/api/v1/session").status_code == 401  # at once
    assert run("token list") == 0
    assert "Nobody is let in" in capsys.readouterr().out
    on_disk = b"".join(file.read_bytes() for file in Path("runs").rglob("*") if file.is_file())
    assert held.token_id.encode() in on_disk
    assert token.encode() not in on_disk


def test_revoking_an_invitation_ends_those_who_came_by_it(store, capsys):
    invitation, made = store.invite(None)
    known = store.check_token(invitation)
    assert known is not None
    guest = store.join(known, "Ann")
    assert store.check_token(guest) is not None
    assert run("token list") == 0
    assert f"by invitation {made.id[:8]}" in capsys.readouterr().out
    assert run(f"token revoke {made.id}") == 0
    assert store.check_token(guest) is None
    assert store.join(known, "Eve") is None  # who was typing a name just then does not slip in


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("token make", "Unknown thing to do with tokens 'make'. Allowed: create, list, revoke"),
        ("token create --role king", "Unknown role 'king'"),
        ("token create --role invite", "Unknown role 'invite'"),
        ("token create", "name of their own"),
        ("token create --name '' ", "--name takes"),
        ("token create --name ann --experiment nothing", "nothing"),
        ("token create --name ann --days 0", "--days 0 given; allowed is a whole number from 1 to 3650"),
        ("token revoke", "needs the ID"),
        ("token list 12", "needs the ID"),
        ("token revoke 123456789", "There is no token '123456789'"),
        ("token revoke %", "There is no token"),
        ("token list --run_dir elsewhere", "No runs in elsewhere"),
        ("audit --limit 0", "--limit 0 given"),
        ("audit --run_dir elsewhere", "No runs in elsewhere"),
    ],
)
def test_mistakes_are_told_in_one_line(store, capsys, words, said):
    assert said in refused(words, capsys)


def test_the_audit_tells_who_did_what_and_steers_no_terminal(store, capsys):
    store.note("Ann\x1b[2J\x9b", "settings changed", {"trust": True})
    store.note_refused("10.0.0.7", {"status": 401})
    assert run("export labels hop --out -") == 0
    capsys.readouterr()
    assert run("audit") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith('Ann?[2J?  settings changed  {"trust": true}')
    assert 'command line  answers exported  {"experiment": "hop", "format": "jsonl"}' in lines[2]
    assert run("audit --what refused --limit 1") == 0
    assert "10.0.0.7  refused" in capsys.readouterr().out
    assert run("audit --what nothing") == 0
    assert capsys.readouterr().out == "Nothing is noted about 'nothing'.\n"
