from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.feedback.arrays import pack_arrays, unpack_arrays
from rl_teacher.stacks import folded, layout, regions, thin, unfolded, why_no_picture
from rl_teacher.trajectory import Segment, Trajectory


def stacks(n: int = 25, rng: np.random.Generator | None = None) -> np.ndarray:
    """(n, 4, 84, 84) of which each shares three frames with the next."""
    frames = (rng or np.random.default_rng(0)).integers(0, 255, (n + 3, 84, 84), dtype=np.uint8)
    return np.stack([frames[i : i + 4] for i in range(n)])


def broken(n: int = 25) -> np.ndarray:
    """The same, but a game begins anew in the middle."""
    obs = stacks(n)
    obs[n // 2 :] = stacks(n, np.random.default_rng(1))[n // 2 :]
    return obs


KINDS = {
    "stacks": stacks(),
    "broken": broken(),
    "colours": np.random.default_rng(2).integers(0, 255, (5, 50, 60, 3), dtype=np.uint8),
    "grey": np.random.default_rng(3).integers(0, 255, (5, 50, 60), dtype=np.uint8),
    "numbers": np.random.default_rng(4).normal(size=(5, 7)).astype(np.float32),
    "one": stacks(1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_in_little_room_is_the_same_and_of_the_same_type(kind):
    obs = KINDS[kind]
    arrays = {"obs": obs, "act": np.arange(len(obs)), "env_rew": np.zeros(len(obs))}
    back = unpack_arrays(pack_arrays(folded(arrays)))
    assert back.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(back[name], value)
        assert back[name].dtype == value.dtype
    np.testing.assert_array_equal(thin(obs), obs)
    assert unfolded(folded(arrays)).keys() == arrays.keys()


def test_a_segment_keeps_each_frame_once_and_not_the_whole_play():
    play = Trajectory(stacks(101), np.zeros(100, int), np.zeros(100))
    segment = play.segment(10, 25)
    held = segment.obs
    while held.base is not None:
        held = held.base
    assert held.nbytes == 28 * 84 * 84
    np.testing.assert_array_equal(segment.obs, play.obs[10:35])
    assert segment.obs.dtype == np.uint8
    assert segment.key == Segment(np.array(play.obs[10:35]), segment.act, segment.env_rew).key


def test_a_segment_is_packed_once():
    segment = Segment(stacks(), np.zeros(25, int), np.zeros(25))
    assert segment.stored()["obs.packed"] is segment.stored()["obs.packed"]


def test_channels_come_first_or_last():
    assert layout((4, 84, 84)) == (4, 84, 84, False)
    assert layout((210, 160, 3)) == (3, 210, 160, True)
    assert layout((64, 48)) == (1, 64, 48, False)


def test_sizes_that_no_network_fits_are_named():
    assert "42×84 pixels; each side must have 43 to 256" in (why_no_picture((4, 42, 84)) or "")
    assert why_no_picture((300, 100, 3))
    assert why_no_picture((43, 43)) is None


@pytest.mark.parametrize("shape", [(4, 84, 84), (84, 60, 3), (84, 84)])
def test_every_bright_region_is_noticed(shape):
    dark = np.zeros((2, *shape), np.uint8)
    bright = dark.copy()
    spot = bright[:, -1] if shape[0] == 4 else bright
    spot[:, 40:44, 30:34] = 255
    assert (regions(dark, 22) == 0).all()
    assert (regions(bright, 22) > 0).any()
