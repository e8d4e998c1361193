import os
import subprocess
import sys
from pathlib import Path

import av
import mujoco
import numpy as np
import pytest

from rl_teacher.clips.video import INSTALL, PLATFORMS, SIZE, render_videos
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from tests.system import tool_missing


def can_render() -> bool:
    """Whether a picture can be drawn here at all, found out without the code under test."""
    draw = (
        "import mujoco; m = mujoco.MjModel.from_xml_string('<mujoco/>'); r = mujoco.Renderer(m, 16, 16); r.render();"
        "r.close()"
    )
    return any(
        subprocess.run(
            [sys.executable, "-c", draw], env={**os.environ, "MUJOCO_GL": gl}, capture_output=True, check=False
        ).returncode
        == 0
        for gl in PLATFORMS
    )


@pytest.fixture(scope="module")
def needs_gl() -> None:
    if not can_render():
        tool_missing(INSTALL)


@pytest.fixture(scope="module")
def clip() -> tuple[mujoco.MjModel, np.ndarray, float]:
    spec = resolve("cheetah")
    stage = Stage(spec, seed=0)
    segment = stage.play(None, 60)[0].segment(0, spec.clip_steps)
    assert segment.sim is not None
    assert stage.model is not None
    return stage.model, segment.sim, spec.fps


@pytest.mark.slow
@pytest.mark.usefixtures("needs_gl")
def test_both_videos_show_every_frame(clip: tuple[mujoco.MjModel, np.ndarray, float], tmp_path: Path) -> None:
    made = render_videos(*clip, tmp_path / "new" / "cheetah.at-100")
    assert isinstance(made, list)
    assert [path.name for path in made] == ["cheetah.at-100.webm", "cheetah.at-100.mp4"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in made)
    for path, codec in zip(made, ("vp9", "h264"), strict=True):
        with av.open(str(path)) as film:
            stream = film.streams.video[0]
            assert stream.codec_context.name in (codec, f"lib{codec}", "libvpx-vp9")
            assert stream.codec_context.pix_fmt == "yuv420p"
            assert float(stream.average_rate or 0) == pytest.approx(20.0)
            frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in film.decode(video=0)]
        assert len(frames) == 30
        assert frames[0].shape == (SIZE, SIZE, 3)
        assert all(frame.std() > 10.0 for frame in frames)  # a picture, not one colour
        assert np.abs(frames[0] - frames[-1]).mean() > 1.0  # and something moves
    assert made[1].read_bytes().index(b"moov") < made[1].read_bytes().index(b"mdat")  # plays before it is all there


def test_without_opengl_one_line_says_what_to_install(
    clip: tuple[mujoco.MjModel, np.ndarray, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    said = render_videos(*clip, tmp_path / "clip")
    assert said == INSTALL
    assert "apt-get install libegl1 libopengl0 libgl1-mesa-dri" in INSTALL
    assert "\n" not in INSTALL
    assert list(tmp_path.iterdir()) == []
