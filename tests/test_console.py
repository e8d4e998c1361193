from __future__ import annotations

import io

from rich.console import Console as RichConsole

from rl_teacher.console import Console


def test_in_a_log_plain_lines_only_when_the_news_changes():
    out = io.StringIO()
    console = Console("x", RichConsole(file=out, width=200))
    console.open()
    console.say("waiting for answers: 3 given, 8 open")
    console.say("waiting for answers: 4 given, 8 open")
    console.say("learning from the answers")
    console.show({"steps": "1,000"})
    console.show({"steps": "2,000"})
    console.close()
    console.close()
    lines = out.getvalue().splitlines()
    assert lines == ["waiting for answers: 3 given, 8 open", "learning from the answers", "steps 1,000"]


def test_a_run_that_waits_does_not_fill_a_log_with_the_same_line(monkeypatch):
    monkeypatch.setattr("rl_teacher.console.LOG_EVERY_SECONDS", 0.0)
    out = io.StringIO()
    console = Console("x", RichConsole(file=out, width=200))
    for steps in ("300", "300", "300", "364"):
        console.show({"steps": steps})
    assert out.getvalue().splitlines() == ["steps 300", "steps 364"]


def test_on_a_terminal_a_live_table():
    out = io.StringIO()
    console = Console("hop: Hopper-v1, human", RichConsole(file=out, width=100, force_terminal=True))
    console.open()
    console.say("waiting for answers: 3 given, 8 open")
    console.show({"steps": "1,000", "answers": "3 of 11 asked"})
    console.close()
    shown = out.getvalue()
    for text in ("hop: Hopper-v1, human", "3 of 11 asked", "waiting for answers: 3 given, 8 open"):
        assert text in shown
