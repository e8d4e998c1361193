from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rl_teacher import checkpoints
from rl_teacher.checkpoints import KEEP
from rl_teacher.errors import UserError
from rl_teacher.files import write_json
from rl_teacher.runs import RunFolder
from tests.unprivileged import run_unprivileged

STATE = {"steps": 1, "loop": {}, "leg": False, "seconds": {}, "evaluated_at": 0, "latest": {}, "true_return": None}


def writer(text: str, state: object = STATE):
    return lambda folder: ((folder / "part").write_text(text), write_json(folder / "state.json", state))


@pytest.fixture
def folder(tmp_path):
    held = RunFolder(tmp_path, "x", ["part"])
    yield held
    held.close()


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "..", "a..b", "", ".hidden", "a b", "-x", "a" * 101, "blobs", "feedback.db", "feedback.db-wal"],
)
def test_names_that_are_no_folder_are_refused(tmp_path, name):
    with pytest.raises(UserError, match="allowed are up to 100 ASCII letters"):
        RunFolder(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_held_by_one_process(folder, tmp_path):
    with pytest.raises(UserError, match="being run by another process"):
        RunFolder(tmp_path, "x")
    folder.close()
    RunFolder(tmp_path, "x").close()


def test_another_configuration_is_refused_with_the_differences(folder, tmp_path):
    settings = {"seed": 1, "ppo": {"lr": 0.1, "hidden": (64, 64)}}
    folder.compare(settings)
    folder.configure(settings, {"workers": 2})
    folder.compare(settings)
    with pytest.raises(UserError, match=r"ppo\.lr was 0\.1, now 0\.2; seed was 1, now 2"):
        folder.compare({"seed": 2, "ppo": {"lr": 0.2, "hidden": (64, 64)}})
    assert json.loads((tmp_path / "x" / "config.json").read_text())["settings"]["seed"] == 1


def test_the_newest_whole_checkpoint_is_used_and_damaged_ones_named(folder, tmp_path):
    assert folder.latest(pytest.fail) is None
    folder.save(10, writer("old"))
    newest = folder.save(20, writer("new"))
    assert folder.latest(pytest.fail) == newest
    (newest / "part").write_text("altered")
    warnings: list[str] = []
    found = folder.latest(warnings.append)
    assert found is not None
    assert (found / "part").read_text() == "old"
    assert "step-000000000020 is damaged (part changed)" in warnings[0]
    assert newest.with_name("step-000000000020.damaged").exists()


@pytest.mark.parametrize("manifest", ["{}", "[]", "{", None])
def test_with_no_whole_checkpoint_left_it_starts_afresh_and_says_so(folder, manifest):
    damaged = folder.save(500, writer("x"))
    if manifest is None:
        (damaged / "manifest.json").unlink()
    else:
        (damaged / "manifest.json").write_text(manifest)
    warnings: list[str] = []
    assert folder.latest(warnings.append) is None
    assert "starting afresh" in warnings[-1]
    fresh = folder.save(50, writer("y"))
    assert folder.latest(pytest.fail) == fresh


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({}, "state.json holds no usable steps, loop, leg, seconds, evaluated_at, latest, true_return"),
        ([], "state.json holds no usable steps"),
        ({name: value for name, value in STATE.items() if name != "latest"}, "state.json holds no usable latest"),
        (STATE | {"steps": "many"}, "state.json holds no usable steps"),
    ],
)
def test_a_checkpoint_whose_state_is_no_state_is_passed_over(folder, state, says):
    good = folder.save(10, writer("good"))
    folder.save(20, writer("bad", state))
    warnings: list[str] = []
    assert folder.latest(warnings.append) == good
    assert says in warnings[0]


@pytest.mark.parametrize("missing", ["part", "state.json"])
def test_a_checkpoint_that_never_held_a_part_is_passed_over(folder, missing):
    good = folder.save(10, writer("good"))
    folder.save(20, lambda draft: (writer("bad")(draft), (draft / missing).unlink()))
    warnings: list[str] = []
    assert folder.latest(warnings.append) == good
    assert missing in warnings[0]


@pytest.mark.parametrize("name", ["config.json", "summary.json"])
def test_damaged_json_is_named(folder, name):
    (folder.path / name).write_text("{half")
    with pytest.raises(UserError, match=f"{name} is damaged"):
        folder.compare({}) if name == "config.json" else folder.summary()


def test_a_checkpoint_that_fails_half_way_leaves_the_one_before(folder, tmp_path):
    good = folder.save(10, writer("good"))

    def fail(draft: Path) -> None:
        (draft / "part").write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        folder.save(20, fail)
    assert folder.latest(pytest.fail) == good
    folder.save(20, writer("whole"))
    assert folder.latest(pytest.fail) != good


def test_a_kill_while_old_checkpoints_are_removed_is_no_damage(folder, monkeypatch):
    def killed(path, ignore_errors=False):
        if path.suffix == ".gone" and path.exists():
            next(path.iterdir()).unlink()
            raise KeyboardInterrupt

    for step in range(KEEP):
        folder.save(step, writer("x"))
    with monkeypatch.context() as power:
        power.setattr(checkpoints.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.save(KEEP, writer("x"))
    assert folder.latest(pytest.fail) == folder.path / "checkpoints" / f"step-{KEEP:012d}"
    folder.save(KEEP + 1, writer("x"))
    assert len(list((folder.path / "checkpoints").iterdir())) == KEEP


def test_only_the_newest_checkpoints_are_kept(folder, tmp_path):
    for step in range(1, KEEP + 4):
        folder.save(step, writer(str(step)))
    assert len(list((folder.path / "checkpoints").iterdir())) == KEEP


def test_an_unwritable_run_folder_is_refused_in_one_line(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    code = f"from pathlib import Path\nfrom rl_teacher.runs import RunFolder\nRunFolder(Path({str(locked)!r}), 'x')\n"
    done = run_unprivileged([sys.executable, "-c", code])
    last = done.stderr.strip().splitlines()[-1]
    assert "cannot be written" in last
    assert "--run-dir" in last
