from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.pictures import pack


def test_a_picture_comes_out_as_it_went_in():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert (pack(picture).array() == picture).all()
    assert (pack(picture[:, ::-1]).array() == picture[:, ::-1]).all()


def test_flat_colours_take_little_room():
    assert len(pack(np.full((400, 600, 3), 200, np.uint8)).data) < 7200  # a hundredth


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused_with_its_shape(wrong):
    with pytest.raises(ValueError, match=r"\(height, width, 3\) uint8, not \(.*float64|uint8"):
        pack(wrong)
