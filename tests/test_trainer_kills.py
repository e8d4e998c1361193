"""The trainer is killed again and again; the long form is benchmarks/faults/trainer.py."""

from __future__ import annotations

import pytest

from benchmarks.faults.trainer import human, synth


@pytest.mark.slow
def test_a_killed_trainer_always_goes_on_and_no_answer_is_lost(tmp_path):
    found = human(tmp_path, n_kills=3)
    assert found.faults == []
    assert found.kills == 3
    assert found.in_checkpoints
    assert found.acknowledged


@pytest.mark.slow
def test_a_killed_synthetic_run_ends_as_one_that_never_was(tmp_path):
    found = synth(tmp_path, n_kills=3)
    assert found.faults == []
    assert found.kills == 3
