"""People's answers are not kept by SQLite on a network file system."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from rl_teacher.cli import main
from rl_teacher.errors import UserError
from rl_teacher.feedback import mounts
from rl_teacher.feedback.mounts import network_file_system
from rl_teacher.feedback.place import check_for_people
from rl_teacher.feedback.store import open_store
from tests.commands import refused, teach

LINES = """\
24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 24 0:40 / /home/ann rw shared:2 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/ann/here rw - xfs /dev/sdb rw
32 24 0:42 / /mnt/with\\040a\\040blank rw - cifs //nas/share rw
33 24 0:43 / /far rw - fuse.sshfs me@far: rw
34 24 0:44 / /near rw - fuse.encfs encfs rw
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mountinfo").write_text(LINES)
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mountinfo")


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/feedback.db", None),
        ("/home/bob/feedback.db", None),
        ("/home/ann/runs/feedback.db", "nfs4"),
        ("/home/annie/feedback.db", None),
        ("/home/ann/here/runs/feedback.db", None),
        ("/mnt/with a blank/feedback.db", "cifs"),
        ("/far/feedback.db", "fuse.sshfs"),
        ("/near/feedback.db", None),
    ],
)
def test_the_kind_is_that_of_the_nearest_mount(machine, file: str, kind: str | None):
    assert network_file_system(Path(file)) == kind


def test_this_machine_s_own_mounts_can_be_read(tmp_path: Path):
    listed = subprocess.run(["stat", "-f", "-c", "%T", str(tmp_path)], capture_output=True, text=True, check=True)
    if listed.stdout.strip() in ("ext2/ext3", "tmpfs", "xfs", "btrfs", "overlayfs"):
        assert network_file_system(tmp_path / "feedback.db") is None


def test_where_the_system_does_not_tell_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "nothing")
    check_for_people(tmp_path, None)


def test_people_are_refused_with_a_line_that_names_postgresql(machine):
    with pytest.raises(UserError, match=r"network file system \(nfs4\).*PostgreSQL"):
        check_for_people(Path("/home/ann/runs"), None)
    with pytest.raises(UserError, match=r"PostgreSQL"):
        check_for_people(Path("/runs"), "sqlite:////far/x.db")
    check_for_people(Path("/home/ann/runs"), "postgresql://ann@db/answers")
    check_for_people(Path("/home/ann/runs"), "sqlite:////var/x.db")


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here everything lies on a network file system."""
    (tmp_path / "mountinfo").write_text("24 1 254:0 / / rw - nfs server:/ rw\n")
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mountinfo")


def test_commands_for_people_are_refused_there_and_the_others_go_on(far, capsys, tmp_path: Path):
    assert "PostgreSQL" in refused("-p human -e Reacher-v1 -n a", capsys)
    assert teach("-p rl -e Reacher-v1 -n b -t 5000 -V") == 0
    capsys.readouterr()
    assert main(shlex.split("serve")) == 2
    assert "PostgreSQL" in capsys.readouterr().err


def test_the_journal_needs_no_shared_memory_there(far, tmp_path: Path):
    store = open_store(tmp_path)
    with store.read() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "truncate"
    store.close()
