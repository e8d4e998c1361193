"""Every option, metric and command is documented, and what the docs point at exists."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import NoReturn

import pytest

from rl_teacher.cli import COMMANDS
from rl_teacher.feedback.store import open_store
from rl_teacher.server.app import create_app
from rl_teacher.teach import main

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_and_every_documented_option_exists(command, monkeypatch):
    options = {
        name
        for action in parser_of(command, monkeypatch)._actions
        for name in action.option_strings or [action.dest.upper()]
        if name not in ("-h", "--help") and not (name.startswith("--") and "-" in name[2:])
    }
    assert options
    assert documented_options(command) == options


def parser_of(command: str, monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser:
    """The parser with which `rl-teacher COMMAND` reads its command line."""
    used: list[argparse.ArgumentParser] = []

    def stop(parser: argparse.ArgumentParser, argv: object = None) -> NoReturn:
        used.append(parser)
        raise SystemExit

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(SystemExit):
        COMMANDS[command]([])
    return used[0]


def documented_options(command: str) -> set[str]:
    """The names in the first column of the command's table."""
    sections = (DOCS / "cli.md").read_text().split("\n## ")
    section = next(text for text in sections if re.match(rf"`rl-teacher {command}\b", text))
    cells = (row.split("|")[1] for row in section.splitlines() if row.startswith("| `"))
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_command_is_documented():
    page = (DOCS / "cli.md").read_text()
    assert set(re.findall(r"^## `rl-teacher (\w+)", page, re.MULTILINE)) == set(COMMANDS)


def test_every_metric_is_documented_and_every_documented_metric_exists():
    assert main(shlex.split("-p synth -l 20 -e Reacher-v1 -n m -t 60000 -V")) == 0
    assert main(shlex.split("-p rl --behavior reacher-spin -n b -t 5000 -V")) == 0
    assert main(shlex.split("-p rl -e tests.envs.lucky:Lucky -n l -t 5000 -V")) == 0
    lines = [line for name in "mbl" for line in Path(f"runs/{name}/metrics.jsonl").read_text().splitlines()]
    written = {key for line in lines for key in json.loads(line)}
    rows = [row for row in (DOCS / "metrics.md").read_text().splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert written == documented


def test_every_address_of_the_api_is_documented_and_every_documented_one_exists(tmp_path):
    store = open_store(tmp_path)
    described = create_app(store, 8000).openapi()["paths"]
    store.close()
    there = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    rows = re.findall(r"^\| ([A-Z]+) `([^`]+)` \| \S", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert {f"{method} {path}" for method, path in rows} == there


def test_links_and_pictures_exist():
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_every_module_is_on_the_map():
    page = (DOCS / "architecture.md").read_text()
    for path in (ROOT / "rl_teacher").glob("*.py"):
        if path.name not in ("__init__.py", "cli.py", "errors.py"):
            assert f"`{path.name}`" in page, f"{path.name} is missing in docs/architecture.md"
