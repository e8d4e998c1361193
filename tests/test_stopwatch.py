from __future__ import annotations

import time

import pytest

from rl_teacher.stopwatch import PHASES, Stopwatch


def test_the_phases_and_other_add_up_to_everything():
    watch = Stopwatch()
    with watch.phase("stage"):
        time.sleep(0.02)
    time.sleep(0.01)
    seconds = watch.seconds()
    assert set(seconds) == {*PHASES, "other"}
    assert seconds["stage"] >= 0.02
    assert seconds["other"] >= 0.01
    assert sum(seconds.values()) == pytest.approx(watch.elapsed(), abs=0.01)


def test_waiting_and_evaluation_are_not_teaching():
    watch = Stopwatch()
    watch.add("wait", 5.0)
    watch.add("eval", 3.0)
    assert watch.teaching() < 1.0


def test_it_goes_on_where_a_run_stopped():
    before = dict.fromkeys((*PHASES, "other"), 1.0)
    watch = Stopwatch(before)
    assert watch.elapsed() >= len(before)
    assert watch.seconds()["collect"] == 1.0
    assert watch.seconds()["other"] == pytest.approx(1.0, abs=0.1)


def test_an_exception_within_a_phase_is_counted_and_passed_on():
    watch = Stopwatch()
    with pytest.raises(RuntimeError), watch.phase("eval"):
        raise RuntimeError
    assert watch.seconds()["eval"] > 0
