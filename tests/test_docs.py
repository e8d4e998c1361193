"""Every option, metric and command is documented, and what the docs point at exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from rl_teacher.cli import COMMANDS
from rl_teacher.options import parser
from rl_teacher.teach import main

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def test_every_option_is_documented_and_every_documented_option_exists():
    page = (DOCS / "cli.md").read_text()
    table = page.split("## `rl-teacher teach`")[1].split("## `rl-teacher watch")[0]
    documented = {name for row in table.splitlines() if row.startswith("| `") for name in _names(row.split("|")[1])}
    options = {
        name
        for action in parser()._actions
        for name in action.option_strings
        if name not in ("-h", "--help") and not (name.startswith("--") and "-" in name[2:])
    }
    assert documented == options


def _names(cell: str) -> list[str]:
    return re.findall(r"`(-[^`]+)`", cell)


def test_every_command_is_documented():
    page = (DOCS / "cli.md").read_text()
    assert set(re.findall(r"^## `rl-teacher (\w+)", page, re.MULTILINE)) == set(COMMANDS)


def test_every_metric_is_documented_and_every_documented_metric_exists():
    assert main(shlex.split("-p synth -l 20 -e Reacher-v1 -n m -t 60000 -V")) == 0
    written = {key for line in Path("runs/m/metrics.jsonl").read_text().splitlines() for key in json.loads(line)}
    rows = [row for row in (DOCS / "metrics.md").read_text().splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert written == documented


def test_links_and_pictures_exist():
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_every_module_is_on_the_map():
    page = (DOCS / "architecture.md").read_text()
    for path in (ROOT / "rl_teacher").glob("*.py"):
        if path.name not in ("__init__.py", "cli.py", "errors.py"):
            assert f"`{path.name}`" in page, f"{path.name} is missing in docs/architecture.md"
