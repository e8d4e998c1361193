"""`rl-teacher doctor`: on a machine that has everything, and on machines that lack something."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rl_teacher import doctor
from rl_teacher.cli import main
from rl_teacher.doctor import TRIALS, Line, Trial
from rl_teacher.feedback.store import open_store


def trial(name: str) -> Trial:
    return next(one for one in TRIALS if one.name == name)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make `import NAME` do something else in the probes."""

    def fake(name: str, code: str) -> None:
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return fake


@pytest.mark.slow
def test_this_machine_can_teach(capsys):
    began = time.monotonic()
    assert main(["doctor"]) == 0
    assert time.monotonic() - began < 40  # 15 s where nobody else is at work
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Ready to teach."
    names = [line[6:].partition(":")[0] for line in lines[:-1]]
    assert names[:7] == ["Python", "run folder", "SQLite", "database", "port", "page", "GPU"]
    assert names[7:] == [one.name for one in TRIALS]
    assert "ok    torch: 2." in "\n".join(lines)
    assert not Path("runs").exists()  # it only looks


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('No module named torch')", "it fails (ImportError: No module named torch). Install it:"),
        ("import os; os.abort()", "it was ended by SIGABRT. Install it:"),
        ("import os; os._exit(3)", "it ended with exit code 3"),
    ],
)
def test_what_is_missing_or_aborts_is_told_in_one_line_with_what_to_do(broken, code, said):
    broken("torch", code)
    line = trial("torch").run()
    assert not line.ok
    assert said in str(line)
    assert "torch==2.13.0" in str(line)
    assert str(line).startswith("MEND  torch: ")
    assert "\n" not in str(line)


def test_what_hangs_is_given_up(broken, monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 1.0)
    broken("envpool", "import time; time.sleep(60)")
    began = time.monotonic()
    line = trial("EnvPool").run()
    assert time.monotonic() - began < 20
    assert str(line).startswith("--    EnvPool: no answer in 1 s.")


def test_a_database_is_looked_at_and_not_changed(tmp_path):
    assert doctor.database(tmp_path, None).ok
    open_store(tmp_path).close()
    file = tmp_path / "feedback.db"
    assert str(doctor.database(tmp_path, None)).startswith("ok    database: version 0")
    assert doctor.database(tmp_path / "elsewhere", f"sqlite:///{file}").ok
    with sqlite3.connect(file) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    line = str(doctor.database(tmp_path, None))
    assert line.startswith("MEND  database: version 9999 is newer than this RL-Teacher (")
    file.write_bytes(b"no database at all" * 1000)
    before = file.read_bytes()
    line = str(doctor.database(tmp_path, None))
    assert line.startswith("MEND  database: it cannot be read (file is not a database)")
    assert file.read_bytes() == before
    for wrong in ("mysql://x", "nonsense", "postgresql+psycopg://nobody@127.0.0.1:9/none"):
        assert not doctor.database(tmp_path, wrong).ok


def test_a_folder_that_cannot_be_written_or_is_full_is_told(tmp_path, monkeypatch):
    assert doctor.folder(tmp_path / "not" / "yet" / "there").ok
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in str(doctor.folder(tmp_path / "file" / "runs"))
    full = shutil.disk_usage(tmp_path)._replace(free=300_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert str(doctor.folder(tmp_path)).startswith("MEND  run folder: ")
    assert "0.3 GB left" in str(doctor.folder(tmp_path))


def test_a_port_in_use_is_told(capsys):
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(1)
        port = door.getsockname()[1]
        assert str(doctor.free_port(port)).startswith(f"MEND  port: {port} is in use.")
    assert doctor.free_port(port).ok
    assert doctor.free_port(None).ok
    assert main(["doctor", "--port", "x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_exit_code_is_1_only_where_something_needed_is_missing(monkeypatch, tmp_path):
    for needed, code in ((True, 1), (False, 0)):
        said: list[str] = []
        found = [Line("a", True, "here"), Line("b", False, "two\nlines", needed)]
        monkeypatch.setattr(doctor, "examine", lambda *_, found=found: iter(found))
        assert doctor.doctor(tmp_path, None, None, said.append) == code
        assert len(said) == 3
        assert all(line.count("\n") == 1 for line in said)


def test_it_starts_without_anything_that_may_be_missing():
    heavy = "{'torch', 'mujoco', 'gymnasium', 'av', 'numpy', 'sqlalchemy'}"
    code = f"import sys, rl_teacher.doctor; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_it_tells_to_install_is_what_is_installed_here():
    pins = (Path(__file__).parents[1] / "constraints.txt").read_text().splitlines()
    told = [word for one in TRIALS for word in one.mend.split() if "==" in word]
    assert len(told) == 2
    assert set(told) <= set(pins)
