from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import av
import numpy as np
import pytest

from rl_teacher.clips.film import ENDINGS, LONGEST, encode


def moving(n_frames: int, height: int, width: int) -> Iterator[np.ndarray]:
    """A white bar that goes to the right, a tenth of the width in ten frames."""
    for number in range(n_frames):
        picture = np.zeros((height, width, 3), np.uint8)
        at = number * width // 40
        picture[:, at : at + width // 20] = 255
        yield picture


def seen(film: bytes) -> tuple[list[np.ndarray], float]:
    with av.open(io.BytesIO(film)) as container:
        stream = container.streams.video[0]
        return [f.to_ndarray(format="rgb24") for f in container.decode(stream)], float(stream.average_rate or 0)


def test_both_films_hold_every_frame_in_order_at_the_speed_asked_for():
    films = encode(moving(31, 100, 200), 12.5)
    assert list(films) == list(ENDINGS)
    assert [media_type.split(";")[0] for media_type in films] == ["video/webm", "video/mp4"]
    for film in films.values():
        frames, fps = seen(film)
        assert len(frames) == 31
        assert fps == pytest.approx(12.5)
        places = [float(np.nonzero(frame[..., 0] > 128)[1].mean()) for frame in frames]
        assert all(before < after for before, after in pairwise(places))
    mp4 = films[list(ENDINGS)[1]]
    assert mp4.index(b"moov") < mp4.index(b"mdat")  # plays before it is all there


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ((210, 160), (420, 320)),  # Atari: twice as large, each pixel a square of four
        ((400, 600), (320, 480)),  # Gymnasium's own: no larger than needed
        ((9, 9), (476, 476)),  # even, as the codecs want it
        ((1, 2000), (2, 480)),
    ],
)
def test_films_have_a_size_that_codecs_and_people_can_use(given, made):
    for film in encode(moving(2, *given), 10.0).values():
        assert seen(film)[0][0].shape[:2] == made
    assert max(made) <= LONGEST


def test_a_film_needs_a_picture():
    with pytest.raises(ValueError, match="no pictures"):
        encode([], 10.0)
