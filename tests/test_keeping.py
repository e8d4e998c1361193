"""The commands backup, restore and prune, as a user types them."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from rl_teacher.cli import main
from rl_teacher.feedback.records import Submit
from rl_teacher.labels import Verdict
from tests.feedback.lesson import make_lesson


def typed(words: str) -> int:
    return main(shlex.split(words))


@pytest.fixture
def taught() -> Path:
    """A run dir in which one of two questions is answered."""
    lesson = make_lesson(Path("runs"))
    query, _ = lesson.ask(2)
    lesson.store.submit(Submit("one", query, lesson.store.labeller("ann"), Verdict.LEFT))
    lesson.store.close()
    return Path("runs")


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert typed(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


def test_back_up_lose_everything_and_bring_it_back(taught, capsys):
    assert typed("backup --out kept") == 0
    assert capsys.readouterr().out == "kept: 1 answers, 9 clips and segments (0.0 MiB).\n"
    shutil.rmtree(taught)
    assert typed("restore kept") == 0
    assert "1 answers" in capsys.readouterr().out
    assert typed("export labels hop --out -") == 0
    assert '"verdict": "LEFT"' in capsys.readouterr().out


def test_without_a_name_a_backup_is_named_by_the_time(taught, capsys):
    assert typed("backup") == 0
    (made,) = Path().glob("backup-2*")
    assert capsys.readouterr().out.startswith(f"{made}: ")


def test_a_backup_that_lacks_what_was_lost_before_says_so_by_its_exit_code(taught, capsys):
    for path in sorted(file for file in (taught / "blobs").rglob("*") if file.is_file())[:2]:
        path.unlink()
    assert typed("backup --out kept") == 1
    assert "2 clips or segments were missing or damaged" in capsys.readouterr().err
    assert typed("restore kept --run-dir new") == 0


def test_pruning_tells_what_it_freed(taught, capsys):
    assert typed("prune --dry-run") == 0
    said = capsys.readouterr().out
    assert said.startswith("Would remove 0 pairs nobody answered, 0 finished jobs, 0 films, 0 clips; 0 files, 0.0 MiB")
    assert typed("prune --answered --days 1") == 0
    assert "Removed 0 pairs nobody answered, 0 answered pairs with their answers" in capsys.readouterr().out


def test_mistakes_are_one_line(taught, capsys):
    assert "at least 1 is allowed" in refused("prune --days 0.5", capsys)
    assert "at least 1 is allowed" in refused("prune --days nan", capsys)
    assert "holds no manifest.json" in refused("restore runs --run-dir new", capsys)
    assert "holds no feedback.db" in refused("backup --run-dir nowhere", capsys)
    assert typed("backup --out kept") == 0
    assert "there already" in refused("backup --out kept", capsys)
    assert "overwrites nothing" in refused("restore kept", capsys)
    (Path("kept") / "feedback.db").write_bytes(b"altered")
    assert "is damaged: feedback.db is missing or was altered" in refused("restore kept --run-dir new", capsys)
    assert not Path("new").exists()
