from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from rl_teacher.cli import COMMANDS, main
from rl_teacher.feedback.store import open_store
from tests.person import Person
from tests.system import required


def test_without_a_command_it_lists_them(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("teech", "Unknown command 'teech'. Did you mean teach"),
        ("watch x", "No runs in runs"),
        ("serve --run_dir nowhere", "No runs in nowhere"),
        ("watch", "required: name"),
        ("serve --port 0", "--port 0 given"),
    ],
)
def test_mistakes_get_one_line_and_code_2(words, says, capsys):
    assert main(shlex.split(words)) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_fault_of_the_disk_is_one_line_there_too(capsys):
    open_store("runs").close()
    Path("runs/server.log").mkdir()
    assert main(["serve", "--port", "18765"]) == 2
    error = capsys.readouterr().err
    assert "Is a directory: runs/server.log" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_watch_serves_the_replay_of_a_run_with_videos_beside_it(capsys):
    assert main(shlex.split("teach -p rl -e Reacher-v1 -n seen -t 10000")) == 0
    said = capsys.readouterr().out
    videos = {path.suffix for path in Path("runs/seen/videos").glob("*")} if "Videos:" in said else {"none"}
    assert videos == {".webm", ".mp4"} or ("apt-get install" in said and not required())
    assert main(shlex.split("watch nobody")) == 2
    assert "nobody" in capsys.readouterr().err

    log = Path("watch.log").open("w+")  # noqa: SIM115
    server = subprocess.Popen(
        [sys.executable, "-m", "rl_teacher.cli", "watch", "seen"], stdout=log, stderr=subprocess.STDOUT
    )
    try:
        deadline = time.monotonic() + 30
        while not re.search(r"#token=\S+&go=watch/seen", Path("watch.log").read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        viewer = _open(deadline)
        run = viewer.call("GET", "/runs/seen")
        assert len(run["replays"]) >= 1
        clip = run["replays"][0]["clip"]
        with urllib.request.urlopen(f"{viewer.address}/") as page:
            assert page.status == 200
        request = urllib.request.Request(viewer.address + clip["url"], headers=viewer.headers)
        with urllib.request.urlopen(request) as blob:
            n_geoms = len(blob.read()) / (4 * 7 * clip["n_frames"])
        assert n_geoms == int(n_geoms)
        assert clip["n_frames"] == 51
        viewer.close()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=15) == 0
        log.close()


def _open(deadline: float) -> Person:
    while True:
        try:
            return Person(Path("watch.log").read_text(), Path("runs"))
        except OSError:  # still starting
            assert time.monotonic() < deadline
            time.sleep(0.1)
