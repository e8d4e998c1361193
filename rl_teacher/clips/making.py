"""The ways to make a clip of what was played: poses for the browser, the environment's own pictures, MuJoCo's."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from rl_teacher.clips.film import Films, encode
from rl_teacher.clips.poses import beyond_poses, drawable, poses, scene
from rl_teacher.clips.video import Studio, render_videos, write_films
from rl_teacher.pictures import Picture

CLIP_SIZE = (400, 300)
"""Width and height of a clip that MuJoCo draws, pixels."""


class Played(Protocol):
    """A segment or a trajectory."""

    @property
    def sim(self) -> np.ndarray | None:
        """(F, S)."""
        ...

    @property
    def frames(self) -> tuple[Picture, ...] | None:
        """F of them."""
        ...


class Made(NamedTuple):
    """A clip as `Store.add_clip` wants it."""

    kind: str
    data: bytes
    media_type: str
    scene: bytes | None
    n_frames: int
    renditions: Films


class Maker(Protocol):
    """Makes clips in one of the ways."""

    at_once: bool
    """A clip takes a moment only; else training must not wait for it."""

    def clip(self, played: Played) -> Made:
        """What the page shows.

        Raises:
            UserError: If this machine cannot make it.
            ValueError: If there is nothing to make it of.
        """
        ...

    def films(self, played: Played, n_frames: int, stem: Path) -> list[Path] | str:
        """Video files of the first frames, `<stem>.webm` and `<stem>.mp4`; or one line that says what is missing."""
        ...

    def close(self) -> None:
        """Free what was needed."""
        ...


def maker_for(model: Any | None, env_id: str, fps: float, has_pictures: bool) -> Maker | None:
    """How clips of an environment are made; None where there is no way.

    Args:
        model: mujoco.MjModel, if it has one.
        env_id: Told to the page.
        fps: Frames per second of a clip.
        has_pictures: Whether what is played comes with pictures.
    """
    if drawable(model):
        return FromPoses(model, env_id, fps)
    if model is not None:
        return FromStates(model, fps) if beyond_poses(model) else None
    return FromPictures(fps) if has_pictures else None


class FromPoses:
    """The browser draws it. `render` gives a film to one that cannot."""

    at_once = True

    def __init__(self, model: Any, env_id: str, fps: float) -> None:
        self._model, self._fps = copy(model), fps  # of its own: the stage goes on with the other
        self._scene = scene(model, env_id)
        self._studio = Studio(model, *CLIP_SIZE)

    def clip(self, played: Played) -> Made:
        """Poses of every shape."""
        sim = _sim(played)
        return Made("poses", poses(self._model, sim), "application/octet-stream", self._scene, len(sim), {})

    def films(self, played: Played, n_frames: int, stem: Path) -> list[Path] | str:
        """Drawn by MuJoCo."""
        return render_videos(self._model, _sim(played)[:n_frames], self._fps, stem)

    def render(self, clip: bytes, n_frames: int) -> Films:
        """Films of a clip's poses.

        Raises:
            NoStudioError: If nothing can be drawn here.
            ValueError: If the clip is of another body.
        """
        return self._studio.film(self._fps, poses=np.frombuffer(clip, "<f4").reshape(n_frames, -1, 7))

    def close(self) -> None:
        """End the process that draws, if there was one."""
        self._studio.close()


class FromStates:
    """A body that poses cannot show whole: MuJoCo draws it."""

    at_once = False

    def __init__(self, model: Any, fps: float) -> None:
        self._model, self._fps = model, fps
        self._studio = Studio(model, *CLIP_SIZE)

    def check(self) -> None:
        """Find out now whether this machine can draw.

        Raises:
            NoStudioError: If not.
        """
        self._studio.open()

    def clip(self, played: Played) -> Made:
        """Drawn by MuJoCo."""
        sim = _sim(played)
        return _made(self._studio.film(self._fps, sim=sim), len(sim))

    def films(self, played: Played, n_frames: int, stem: Path) -> list[Path] | str:
        """Drawn by MuJoCo."""
        return render_videos(self._model, _sim(played)[:n_frames], self._fps, stem)

    def close(self) -> None:
        """End the process that draws, if there was one."""
        self._studio.close()


class FromPictures:
    """The environment has drawn itself while it was played."""

    at_once = False

    def __init__(self, fps: float) -> None:
        self._fps = fps

    def clip(self, played: Played) -> Made:
        """Its own pictures as a film."""
        return _made(encode((picture.array() for picture in _frames(played)), self._fps), len(_frames(played)))

    def films(self, played: Played, n_frames: int, stem: Path) -> list[Path] | str:
        """The same as files."""
        return write_films(encode((picture.array() for picture in _frames(played)[:n_frames]), self._fps), stem)

    def close(self) -> None:
        """Nothing to free."""


def _made(films: Films, n_frames: int) -> Made:
    (media_type, data), *others = films.items()
    return Made("video", data, media_type, None, n_frames, dict(others))


def _sim(played: Played) -> np.ndarray:
    if played.sim is None:
        raise ValueError("what was played without simulator state cannot be drawn")
    return played.sim


def _frames(played: Played) -> tuple[Picture, ...]:
    if played.frames is None:
        raise ValueError("what was played without pictures cannot be shown")
    return played.frames
