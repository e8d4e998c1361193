"""The command and its shell: Ctrl-C while it still imports, and a console that nobody reads."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.trainer import SCRIPT

SCRIPT_ITSELF = [sys.executable, str(SCRIPT)]
PROGRAM = [str(Path(sys.executable).with_name("rl-teacher")), "teach"]
WORDS = shlex.split("-p rl -e Reacher-v1 -n x -t 5000 -V")

BOTH = pytest.mark.parametrize("command", [SCRIPT_ITSELF, PROGRAM], ids=["script", "program"])


def finished() -> bool:
    return json.loads(Path("runs/x/summary.json").read_text())["finished"]


@contextmanager
def importing(command: list[str], moment: str, ignored: bool = False) -> Iterator[subprocess.Popen[str]]:
    """The command at the moment when it has imported a module; Python itself tells it on standard error."""
    with subprocess.Popen(
        [*command, *WORDS],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL),
    ) as started:
        assert started.stderr is not None
        assert any(line.split("|")[-1].strip() == moment for line in started.stderr), f"{moment} was never imported"
        yield started


def said(by: subprocess.Popen[str]) -> list[str]:
    assert by.stderr is not None
    return [line for line in by.stderr if not line.startswith("import time:")]


@pytest.mark.parametrize("moment", ["shutil", "numpy", "torch", "rl_teacher.build"])
@BOTH
def test_ctrl_c_while_it_imports_ends_it_without_a_traceback(command, moment):
    with importing(command, moment) as started:
        started.send_signal(signal.SIGINT)
        lines = said(started)
    assert started.returncode in (-signal.SIGINT, 130)
    assert len(lines) <= 1, lines
    assert "Traceback" not in "".join(lines)


def test_ctrl_c_once_more_while_it_ends_brings_no_traceback_either():
    """JAX is one that would give one. At this moment the store is being opened."""
    with importing(PROGRAM, "sqlalchemy.dialects.sqlite") as started:
        started.send_signal(signal.SIGINT)
        assert started.stderr is not None
        assert any("stopped at once" in line for line in started.stderr)
        while started.poll() is None:
            started.send_signal(signal.SIGINT)
        assert said(started) == []
    assert started.returncode in (-signal.SIGINT, 130)


@pytest.mark.parametrize("main", ["rl_teacher.teach", "rl_teacher.cli"])
def test_who_calls_it_from_a_program_keeps_its_own_ctrl_c(main, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("rl_teacher.teach.teach", interrupted)
    words = WORDS if main.endswith("teach") else ["teach", *WORDS]
    before = signal.getsignal(signal.SIGINT)
    assert importlib.import_module(main).main(words) == 130
    assert signal.getsignal(signal.SIGINT) is before is signal.default_int_handler


@BOTH
def test_ctrl_c_stays_ignored_while_it_imports_if_the_shell_wants_it_so(command):
    """As it does for what it puts into the background."""
    with importing(command, "numpy", ignored=True) as started:
        started.send_signal(signal.SIGINT)
        assert said(started) == []
    assert started.returncode == 0
    assert finished()


@BOTH
def test_a_run_goes_on_to_its_end_when_its_reader_has_left(command):
    """As in `… | head -1`."""
    with subprocess.Popen([*command, *WORDS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline()
        started.stdout.close()
        assert said(started) == []
    assert started.returncode == 0
    assert finished()


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_run_goes_on_to_its_end_with_closed_streams_and_so_does_the_next_start(closed):
    for _ in range(2):  # the second one says that it is finished
        shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *SCRIPT_ITSELF, *WORDS]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert finished()
    assert Path("runs/x/lock").read_text() == ""  # no file took the number of a stream and got what was for that


def test_a_mistake_is_a_mistake_though_nobody_reads_it():
    for ending in ("2>&-", "2> /dev/null | true"):
        shell = ["sh", "-c", f'"$@" {ending}', "sh", *SCRIPT_ITSELF, "-p", "rl"]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.returncode == (0 if "|" in ending else 2)
