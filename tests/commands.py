"""The command typed within this process, and what it leaves behind."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from rl_teacher.teach import main


def teach(words: str) -> int:
    return main(shlex.split(words))


def summary(name: str) -> dict:
    return json.loads(Path("runs", name, "summary.json").read_text())


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a mistake gets."""
    assert teach(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    return error
