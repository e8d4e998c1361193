"""Faults that are not the program's: a full disk, an environment that was changed, what the shell's variables say."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rl_teacher.feedback.driver import choose_driver
from rl_teacher.feedback.store import open_store
from rl_teacher.runs import RunFolder
from rl_teacher.teach import main
from tests.moody import in_a_mood
from tests.trainer import SCRIPT, training


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


def test_a_disk_that_is_full_from_the_start_is_one_line(tmp_path):
    with small_disk(tmp_path / "small", "300k") as disk:
        said = one_line(typed("-p synth -l 200 -e Reacher-v1 -n a -t 20000 -V", at=disk))
        assert "database" in said
        assert "is full" in said or "No space left on device" in said


@pytest.mark.parametrize("size", ["600k", "850k"])
def test_a_run_waits_while_the_disk_is_full_and_then_goes_on(size, tmp_path):
    with small_disk(tmp_path / "small", size) as disk:
        with training(f"-p synth -l 200 -e Reacher-v1 -n a -t 20000 -V --run_dir {disk}/runs") as trainer:
            trainer.wait_for("waiting: the disk")
            assert not list(disk.rglob("*.tmp"))  # no draft holds the space
            subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
            assert trainer.end() == 0
        assert trainer.output.count("waiting:") == trainer.output.count("going on\n") >= 1
        lines = (disk / "runs/a/metrics.jsonl").read_text().splitlines()
        assert all(json.loads(line)["step"] for line in lines)
        assert json.loads((disk / "runs/a/summary.json").read_text())["finished"]
        with closing(open_store(disk / "runs")) as store:
            assert store.run_by_name("a").status == "finished"


def test_a_run_that_waits_for_room_can_be_ended(tmp_path):
    with small_disk(tmp_path / "small", "850k") as disk:
        with training(f"-p synth -l 200 -e Reacher-v1 -n a -t 20000 -V --run_dir {disk}/runs") as trainer:
            trainer.wait_for("waiting: the disk")
            trainer.process.send_signal(signal.SIGTERM)
            assert trainer.end() == 2
        assert "No space left on device" in trainer.output
        assert "Traceback" not in trainer.output
        assert not list(disk.rglob("*.tmp"))


def test_a_run_waits_while_somebody_locks_the_database(tmp_path):
    with training("-p synth -l 20 -e Reacher-v1 -n a -t 1e6 -V") as trainer:
        trainer.wait_for("answers")
        with closing(choose_driver().module.connect("runs/feedback.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            trainer.wait_for("waiting: another process has locked the database")
            other.execute("COMMIT")
        trainer.wait_for("going on")
        trainer.process.send_signal(signal.SIGTERM)
        assert trainer.end() == 0


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
