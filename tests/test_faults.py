"""The harnesses of benchmarks/faults/ in short; docs/reliability.md has the figures of their long form."""

from __future__ import annotations

import pytest

from benchmarks.faults.backup_under_load import back_up_again_and_again
from benchmarks.faults.kill_server import Figures, _look_at_what_is_left, kill_again_and_again
from benchmarks.faults.page import Said, school
from benchmarks.faults.stuck import full, get_stuck, locked, small_disk


@pytest.mark.slow
@pytest.mark.parametrize("n", [50])
def test_no_kill_of_the_server_loses_or_doubles_an_answer(tmp_path, n):
    figures = kill_again_and_again(n, tmp_path)
    assert figures.good, figures
    assert figures.sent_again > 0


@pytest.mark.slow
def test_nor_does_one_with_postgresql(tmp_path, postgres):
    figures = kill_again_and_again(10, tmp_path, postgres.new())
    assert figures.good, figures


@pytest.mark.slow
def test_a_backup_while_people_answer_holds_what_was_acknowledged_before(tmp_path):
    figures = back_up_again_and_again(2, 50.0, tmp_path)
    assert figures.good, figures


@pytest.mark.slow
@pytest.mark.parametrize("fault", [locked, full])
def test_a_locked_database_and_a_full_disk_cost_no_answer(tmp_path, fault):
    with small_disk() as disk:
        if disk is None:
            pytest.skip("only a root that may mount can make a small disk")
        came = get_stuck(fault.__name__, fault, 2.5, disk)
    assert came.figures.good, came
    assert came.during == 0
    assert came.again_after < 10.0
    if fault is full:
        assert came.n_busy > 0


def test_a_loss_would_be_seen(tmp_path):
    figures = Figures(acknowledged=1)
    with school(tmp_path) as here:
        here.people[0].said.append(Said({"id": "never kept"}, seq=1))
        _look_at_what_is_left(here, figures, None)
    assert (figures.lost, figures.good) == (1, False)
