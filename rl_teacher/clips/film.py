"""Pictures as films: webm (VP9), which every browser plays that we know of, and mp4 (H.264) for the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

ENDINGS = {'video/webm; codecs="vp9"': ".webm", 'video/mp4; codecs="avc1.64001f"': ".mp4"}
"""Media types, the first choice first, and how files of each end."""
LONGEST = 480
"""Pixels of the longer side of a film; a small picture is enlarged by a whole factor, as long as it stays below."""
_KEY_FRAME_EVERY = 30
"""Frames: how far a player has to look back for the frame that it is sent to."""
_CODECS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    ".webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "33", "b": "0"}, {}),
    ".mp4": ("libx264", {"preset": "veryfast", "crf": "23"}, {"movflags": "faststart"}),
}

Films = dict[str, bytes]
"""The same film by media type, the first choice first."""


def encode(pictures: Iterable[np.ndarray], fps: float) -> Films:
    """Make films of pictures (H, W, 3) uint8, one frame of each, at `fps`.

    Raises:
        ValueError: If there are no pictures.
    """
    with tempfile.TemporaryDirectory(prefix="rl-teacher-film-") as name:  # faststart wants a true file
        paths = {media_type: Path(name, f"clip{ending}") for media_type, ending in ENDINGS.items()}
        frames = iter(pictures)
        first = next(frames, None)
        if first is None:
            raise ValueError("a film of no pictures cannot be made")
        with ExitStack() as stack:
            films = [stack.enter_context(_Film(path, fps, *_size(first))) for path in paths.values()]
            for picture in _chain(first, frames):
                for film in films:
                    film.add(picture)
        return {media_type: path.read_bytes() for media_type, path in paths.items()}


def _chain(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest


def _size(picture: np.ndarray) -> tuple[int, int]:
    """Width and height of the film: even, as the codecs want them."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    scale = LONGEST / longer if longer > LONGEST else LONGEST // longer
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class _Film:
    """One file in the making."""

    def __init__(self, path: Path, fps: float, width: int, height: int) -> None:
        codec, options, container_options = _CODECS[path.suffix]
        self._container = av.open(str(path), "w", options=container_options)
        self._stream: Any = self._container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        self._stream.options = {"g": str(_KEY_FRAME_EVERY), **options}
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1  # the other cores simulate

    def add(self, picture: np.ndarray) -> None:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        enlarged = self._stream.width > frame.width
        frame = frame.reformat(
            self._stream.width, self._stream.height, "yuv420p", interpolation="POINT" if enlarged else "AREA"
        )
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> _Film:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
