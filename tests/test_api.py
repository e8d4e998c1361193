"""What other programs import from `rl_teacher`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rl_teacher

PAGE = Path(__file__).resolve().parent.parent / "docs" / "plug.md"


@pytest.mark.parametrize("name", rl_teacher._WHERE)
def test_every_name_is_there_and_in_the_tutorial(name):
    if rl_teacher._WHERE[name] == "plug.sb3":
        pytest.importorskip("stable_baselines3", reason="not installed: pip install 'rl-teacher[sb3]'")
    assert getattr(rl_teacher, name).__name__ == name
    assert f"`{name}`" in PAGE.read_text()


def test_type_checkers_know_the_same_names():
    text = Path(rl_teacher.__file__).read_text()
    assert set(re.findall(r" as (\w+)\n", text)) == set(rl_teacher._WHERE)


def test_the_package_itself_imports_nothing_heavy():
    said = "import sys, rl_teacher; sys.exit(any(name in sys.modules for name in ('torch', 'gymnasium', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_rewards'"):
        _ = rl_teacher.load_rewards
