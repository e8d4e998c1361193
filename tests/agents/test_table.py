from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.agents import table
from rl_teacher.agents.registry import KINDS

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_the_table_in_the_docs_is_that_of_the_rows():
    with (DOCS / "results" / "agents.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table(rows) in (DOCS / "agents.md").read_text()


def test_every_agent_is_in_the_docs():
    page = (DOCS / "agents.md").read_text()
    for name in KINDS:
        assert f"| `{name}` | " in page


def test_a_cell_holds_its_longest_run_and_says_what_was_not_run():
    held = {"agent": "ppo", "family": "running", "seed": "1", "random": "-1.0", "seconds": "9"}
    rows = [{**held, "asked": "100", "true_return": "5.0"}, {**held, "asked": "90", "true_return": "7.0"}]
    lines = table(rows).splitlines()
    assert lines[2] == "| `ppo` | not run yet | not run yet | **5.0** · 9 s | not run yet |"
    assert "| `sb3:DQN` | – | – | – | not run yet |" in lines
    assert lines[-1] == "| random actions |  |  | -1.0 |  |"
