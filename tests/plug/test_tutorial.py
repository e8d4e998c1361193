"""docs/plug.md: every line of it runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rl_teacher.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plug.md"
SMALLER = {"-l 100": "-l 8", "-t 2e5": "-t 3000 -V -w 1", "n_labels=100": "n_labels=8", "200_000": "2_048"}
"""What takes too long for a test."""


@pytest.mark.slow
def test_the_tutorial_runs_from_top_to_bottom():
    pytest.importorskip("stable_baselines3", reason="not installed: pip install 'rl-teacher[sb3]'")
    names: dict[str, Any] = {}
    text = PAGE.read_text()
    for long, short in SMALLER.items():
        assert long in text
        text = text.replace(long, short)
    for language, block in re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL):
        if language == "bash":
            for line in block.splitlines():
                assert main(shlex.split(line)[1:]) == 0
        else:
            exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    assert names["rew"].shape == (200,)
    assert np.isfinite(names["rew"]).all()
