"""What people see of the agent: films on the way and at the end, by the command itself."""

from __future__ import annotations

import shlex
from pathlib import Path

import av
import pytest

from rl_teacher import replays
from rl_teacher.clips.video import INSTALL
from rl_teacher.feedback.store import open_store
from rl_teacher.teach import main
from tests.clips.test_video import needs_gl  # noqa: F401


def teach(words: str) -> int:
    return main(shlex.split(words))


def frames(path: Path) -> int:
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


@pytest.mark.slow
@pytest.mark.usefixtures("needs_gl")
def test_films_are_made_now_and_then_on_the_way_and_at_the_end(monkeypatch, capsys):
    monkeypatch.setattr(replays, "VIDEO_EVERY_SECONDS", 0.0)
    assert teach("-p rl -e ShortHopper-v1 -n filmed -t 110000") == 0
    films = sorted(path.name for path in Path("runs/filmed/videos").iterdir())
    assert {"agent.webm", "agent.mp4"} < set(films)
    on_the_way = [name for name in films if name.startswith("step-")]
    assert on_the_way
    assert {frames(Path("runs/filmed/videos", name)) for name in films} == {301}
    said = capsys.readouterr().out
    assert all(name in said for name in films)
    store = open_store("runs")
    steps = {f"step-{replay.step:09d}" for replay in store.replays(store.run_by_name("filmed").id)}
    assert {Path(name).stem for name in on_the_way} <= steps  # what is filmed is what the page shows
    store.close()


@pytest.mark.slow
@pytest.mark.usefixtures("needs_gl")
def test_in_a_short_run_one_film_on_the_way_is_enough():
    assert teach("-p rl -e ShortReacher-v1 -n brief -t 150000") == 0
    films = sorted(path.name for path in Path("runs/brief/videos").glob("*.webm"))
    assert len(films) == 2
    assert films[0] == "agent.webm"


def test_without_rendering_one_line_says_what_to_install_and_the_run_goes_on(monkeypatch, capsys):
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    assert teach("-p rl -e ShortReacher-v1 -n blind -t 60000") == 0
    assert INSTALL in capsys.readouterr().out
    assert not Path("runs/blind/videos").exists() or not list(Path("runs/blind/videos").iterdir())


def test_no_videos_means_none(capsys):
    assert teach("-p rl -e ShortReacher-v1 -n silent -t 60000 -V") == 0
    assert not Path("runs/silent/videos").exists()
    assert "ideo" not in capsys.readouterr().out
