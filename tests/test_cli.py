from __future__ import annotations

import json
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
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import open_store
from rl_teacher.labels import Verdict
from tests.feedback.lesson import make_lesson
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


def test_serve_share_prints_a_link_for_one_experiment_and_its_qr_code(tmp_path):
    lesson = make_lesson(tmp_path / "runs")
    command = [sys.executable, "-m", "rl_teacher.cli", "serve", "--share", "--experiment", "hop"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as served:
        assert served.stdout is not None
        lines = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(served.stdout.readline())
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0
    output = "".join(lines)
    assert re.search(r"Open http://127\.0\.0\.1:\d+/#token=", output)
    link = re.search(rf"http://[\d.]+:\d+/#token=(\S+)&go=teach/{lesson.experiment}", output)
    assert link, output
    assert output.count("█") > 100
    (made,) = lesson.store.invitations()
    assert (made.experiment_id, made.n_people) == (lesson.experiment, 0)
    lesson.store.close()


def test_export_writes_files_and_tells_mistakes(tmp_path, capsys):
    lesson = make_lesson(tmp_path / "runs")
    (query,) = lesson.ask(1)
    lesson.store.submit(Submit("one", query, lesson.store.labeller("ann"), Verdict.LEFT))
    lesson.store.close()
    assert main(["export", "labels", "hop"]) == 0
    assert [json.loads(line)["type"] for line in Path("hop.jsonl").read_text().splitlines()] == [
        "experiment",
        "query",
        "label",
    ]
    assert main(["export", "labels", "hop", "--format", "csv", "--out", "-"]) == 0
    assert "pair-0" in capsys.readouterr().out
    for words, said in (
        ("labels nothing", "There is no experiment 'nothing'"),
        ("clips hop", "Allowed: labels"),
        ("labels hop --format xls", "Allowed: csv, jsonl"),
        ("labels hop --out no/such/folder/x", "cannot be written"),
        ("labels hop --run_dir elsewhere", "No answers in elsewhere"),
    ):
        assert main(["export", *words.split()]) == 2
        assert said in capsys.readouterr().err
    assert main(["serve", "--experiment", "hop"]) == 2
    assert "without --share" in capsys.readouterr().err
    assert main(["serve", "--share", "--experiment", "nothing"]) == 2
    assert "There is no experiment" in capsys.readouterr().err
