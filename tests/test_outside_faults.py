"""Faults that are not the program's: a full disk, an environment that was changed, what the shell's variables say."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rl_teacher.feedback.store import open_store
from rl_teacher.runs import RunFolder
from rl_teacher.teach import main
from tests.moody import in_a_mood
from tests.trainer import SCRIPT


def typed(words: str, at: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *shlex.split(words)]
    return subprocess.run(
        command, cwd=at, capture_output=True, text=True, check=False, env={**os.environ, **variables}, timeout=120
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[Path]:
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only a root that may mount can make a small disk")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


@pytest.mark.parametrize(
    ("size", "full_at"),
    [("300k", "database"), ("600k", "reward.safetensors"), ("850k", "teacher.safetensors")],
)
def test_a_full_disk_is_one_line_the_page_is_told_and_no_draft_holds_the_space(size, full_at, tmp_path):
    with small_disk(tmp_path / "small", size) as disk:
        said = one_line(typed("-p synth -l 200 -e Reacher-v1 -n a -t 20000 -V", at=disk))
        assert full_at in said
        assert "is full" in said or "No space left on device" in said
        assert not list(disk.rglob("*.tmp"))
        if full_at == "database":  # then there is nobody to tell
            return
        assert (disk / "runs/a/summary.json").exists()
        shutil.copytree(disk / "runs", tmp_path / "roomy")
    with closing(open_store(tmp_path / "roomy")) as store:
        run = store.run_by_name("a")
        assert run.status == "failed"
        assert "No space left" in str(run)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with closing(RunFolder(tmp_path, "x")) as folder:

        def half(draft: Path) -> None:
            (draft / "agent.safetensors").write_bytes(b"half")
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space"):
            folder.save(1, half)
        assert not list((folder.path / "checkpoints").iterdir())


@pytest.mark.parametrize("changed", [{"obs_size": 4}, {"act_size": 3}])
@pytest.mark.parametrize("predictor", ["rl", "synth -l 4"])
def test_an_environment_of_another_size_is_named(predictor, changed, capsys):
    words = shlex.split(f"-p {predictor} -e gym:tests.moody:Moody-v0 -n x -t 5000 -V")
    assert main(words) == 0
    Path("runs/x/summary.json").unlink()  # as if it had not come to its end
    capsys.readouterr()
    with in_a_mood(**changed):
        assert main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the environment's observation or action space has changed" in error
    assert "another name with -n" in error
    assert main(words) == 0  # as it was: goes on


def test_a_wrong_variable_of_mujoco_is_named():
    said = one_line(typed("-p rl -e Reacher-v1 -n x -t 5000 -V", MUJOCO_GL="nonsense"))
    assert "environment variable MUJOCO_GL: nonsense" in said


def test_a_console_that_knows_few_letters_ends_no_run():
    done = typed("-p synth -l 2 -e Reacher-v1 -n x -t 5000 -V", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "True return" in done.stdout
