"""A missing tool is a skip on a machine that cannot have it, and a failure where it should be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import system


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `main` sets for the command, each time it becomes it."""
    values: list[str] = []
    monkeypatch.setattr(os, "execvpe", lambda program, command, env: values.append(env[system.REQUIRED]))
    return values


def be(monkeypatch: pytest.MonkeyPatch, user: int, installs: bool) -> list[str]:
    """One package is missing; `user` may or may not install it. Returns what was installed."""
    there: list[str] = []
    monkeypatch.setattr(system, "PACKAGES", {"tool": lambda: bool(there) and installs})
    monkeypatch.setattr(system, "install", there.extend)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    return there


def test_without_root_the_tests_run_and_may_skip(monkeypatch, became, capsys):
    monkeypatch.setenv(system.REQUIRED, "1")  # of some outer run: not believed
    assert be(monkeypatch, user=1000, installs=True) == []
    system.main(["pytest"])
    assert became == ["0"]
    assert "not installed: tool" in capsys.readouterr().err


def test_root_installs_and_from_then_on_nothing_may_skip(monkeypatch, became):
    installed = be(monkeypatch, user=0, installs=True)
    system.main(["pytest"])
    assert installed == ["tool"]
    assert became == ["1"]


def test_an_installation_that_does_not_help_is_an_error(monkeypatch, became):
    be(monkeypatch, user=0, installs=False)
    with pytest.raises(SystemExit, match="still not there after installing: tool"):
        system.main(["pytest"])
    assert became == []


@pytest.mark.parametrize(("value", "outcome"), [("1", "1 failed"), ("0", "1 skipped"), (None, "1 skipped")])
def test_a_missing_tool_fails_or_skips_the_test_with_its_reason(value, outcome, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from tests.system import tool_missing\n\ndef test_it():\n    tool_missing('no such tool')\n"
    )
    root = os.path.dirname(os.path.dirname(__file__))
    env = {key: text for key, text in os.environ.items() if key != system.REQUIRED} | {"PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "test_it.py"],
        env=env | ({system.REQUIRED: value} if value else {}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert "no such tool" in done.stdout
