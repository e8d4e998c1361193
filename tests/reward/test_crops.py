from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_teacher.reward.crops import crop_sums, segment_sums


def steps(seed: int, n_members: int = 2, n: int = 3, k: int = 7) -> torch.Tensor:
    return torch.randn(n_members, n, 2, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(0, 99), st.floats(0.1, 1.0), st.floats(0.5, 1.0))
@settings(max_examples=25)
def test_every_crop_is_the_sum_of_some_run_of_steps_as_long_on_the_left_as_on_the_right(seed, shortest, discount):
    rew = steps(seed)
    k = rew.shape[-1]
    crops = crop_sums(rew, 4, shortest, discount, torch.Generator().manual_seed(seed))
    assert crops.shape == (2, 3, 2, 4)
    weights = discount ** torch.arange(k - 1, -1, -1, dtype=torch.float64)
    for b in range(3):
        for c in range(4):
            lengths = [
                {
                    n
                    for n in range(1, k + 1)
                    for a in range(k - n + 1)
                    if torch.allclose((rew * weights)[:, b, side, a : a + n].sum(-1), crops[:, b, side, c])
                }
                for side in (0, 1)
            ]
            both = lengths[0] & lengths[1]
            assert both
            assert max(both) >= shortest * k


def test_whole_crops_are_the_segments():
    rew = steps(0)
    crops = crop_sums(rew, 3, 1.0, 0.9, torch.Generator().manual_seed(0))
    assert torch.allclose(crops, segment_sums(rew, 0.9).unsqueeze(-1).expand_as(crops))


def test_a_discount_weighs_the_last_step_most():
    assert float(segment_sums(torch.tensor([1.0, 1.0, 1.0]), 0.5)) == pytest.approx(0.25 + 0.5 + 1.0)
    assert float(segment_sums(torch.tensor([1.0, 2.0, 3.0]))) == 6.0


def test_crops_differ_from_one_draw_to_the_next():
    rew, generator = steps(0), torch.Generator().manual_seed(0)
    assert not torch.equal(crop_sums(rew, 2, 0.5, 1.0, generator), crop_sums(rew, 2, 0.5, 1.0, generator))
