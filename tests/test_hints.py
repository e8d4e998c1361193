"""Commands that are printed can be copied into the shell."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from rl_teacher.hints import serve_command, watch_command
from rl_teacher.options import parse
from rl_teacher.teach import main

BASE = "-p synth -l 2 -e Reacher-v1 -n seen -t 5000 -V"


def words(options: str) -> tuple[list[str], list[str]]:
    """What the two commands say after the program's name."""
    machine = parse(shlex.split(f"{BASE} {options}"))[1]
    return shlex.split(watch_command("seen", machine))[1:], shlex.split(serve_command(machine))[1:]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", []),
        ("--run_dir 'my runs'", ["--run_dir", "my runs"]),
        ("--store sqlite:///q.db", ["--store", "sqlite:///q.db"]),
        ("--run_dir r --store 'sqlite:///a $b.db'", ["--run_dir", "r", "--store", "sqlite:///a $b.db"]),
        ("--store postgresql://ann:secret@db/x", ["--store", "postgresql://ann:PASSWORD@db/x"]),
        ("--store postgresql://ann@db/x", ["--store", "postgresql://ann@db/x"]),
    ],
)
def test_they_name_the_same_place_and_no_password(given, told):
    assert words(given) == (["watch", "seen", *told], ["serve", *told])


def test_the_program_is_one_that_can_be_started():
    program = shlex.split(serve_command(parse(shlex.split(BASE))[1]))[0]
    assert program == "rl-teacher" or os.access(program, os.X_OK)


@pytest.mark.parametrize(("env_id", "offered"), [("Reacher-v1", True), ("gym:CartPole-v1", False)])
def test_watch_is_offered_where_something_can_be_drawn(env_id, offered, capsys):
    for _ in range(2):  # the second time it is finished
        assert main(shlex.split(f"-p rl -e {env_id} -n drawn -t 3000 -V --run_dir 'my runs'")) == 0
        said = capsys.readouterr().out
        assert ("watch drawn --run_dir 'my runs'" in said) is offered
    assert main(shlex.split(f"-p rl -e {env_id} -n drawn -t 3000 -V --run_dir 'my runs'")) == 0
    assert "is finished." in capsys.readouterr().out
    assert Path("my runs/drawn/summary.json").exists()
