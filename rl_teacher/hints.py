"""Commands that are told to people, so that they can be copied into the shell they stand in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from rl_teacher.options import Machine


def watch_command(name: str, machine: Machine) -> str:
    """The command that shows a run.

    Args:
        name: Of the run.
        machine: Where it was taught.
    """
    return shlex.join([_program(), "watch", name, *_where(machine)])


def serve_command(machine: Machine) -> str:
    """The command that serves the page for the runs of a trainer.

    Args:
        machine: Where they are taught.
    """
    return shlex.join([_program(), "serve", *_where(machine)])


def _program() -> str:
    beside_python = Path(sys.executable).parent / "rl-teacher"
    return "rl-teacher" if shutil.which("rl-teacher") else os.path.relpath(beside_python)


def _where(machine: Machine) -> list[str]:
    place = [] if machine.run_dir == Path("runs") else ["--run_dir", str(machine.run_dir)]
    return place if machine.store is None else [*place, "--store", _without_password(machine.store)]


def _without_password(url: str) -> str:
    """What is printed may be kept in a log: a password in it is for the reader to fill in."""
    return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:PASSWORD@", url)
