"""Everything that can be seen can be taught: by poses, by the environment's own pictures, by MuJoCo's."""

from __future__ import annotations

import io
import shlex
from contextlib import closing
from pathlib import Path

import av
import mujoco
import numpy as np
import pytest

from rl_teacher.clips.making import FromPictures, FromPoses, FromStates, maker_for
from rl_teacher.clips.poses import beyond_poses, drawable
from rl_teacher.clips.video import INSTALL
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError
from rl_teacher.feedback.store import open_store
from rl_teacher.pictures import pack
from rl_teacher.sight import make_maker, why_blind
from rl_teacher.teach import main
from rl_teacher.trajectory import Trajectory
from tests.clips.test_video import needs_gl  # noqa: F401
from tests.selfdrawn import drawing
from tests.trainer import person, training

DRAWN = "gym:tests.selfdrawn:SelfDrawn-v0"
BLIND = "gym:tests.selfdrawn:Blind-v0"
ROPE = """
<mujoco>
  <worldbody>
    <geom type="plane" size="2 2 1"/>
    <geom pos="0 0 1.7" size=".05"/>
    <site name="hook" pos="0 0 1.7"/>
    <body pos="0 0 1">
      <joint type="slide" axis="0 0 1" limited="true" range="0 .5"/><geom size=".1"/><site name="ring"/>
    </body>
  </worldbody>
  <tendon><spatial width=".02" rgba="{rgba}"><site site="hook"/><site site="ring"/></spatial></tendon>
</mujoco>
"""


def rope(rgba: str = "1 0 0 1") -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(ROPE.format(rgba=rgba))


def n_frames(film: bytes) -> int:
    with av.open(io.BytesIO(film)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_the_stage_keeps_a_picture_of_every_observation():
    with closing(Stage(resolve(DRAWN), seed=0, pictures=True)) as stage:
        played = stage.play(None, 300)
    assert len(played) > 3  # episodes ended on the way
    for trajectory in played:
        assert trajectory.frames is not None
        assert len(trajectory.frames) == len(trajectory) + 1
        for obs, frame in zip(trajectory.obs, trajectory.frames, strict=True):
            assert (frame.array() == drawing(obs)).all()
        part = trajectory.segment(2, 5)
        assert part.frames == trajectory.frames[2:7]


def test_nobody_asks_for_pictures_where_nobody_looks():
    with closing(Stage(resolve(DRAWN), seed=0)) as stage:
        assert all(trajectory.frames is None for trajectory in stage.play(None, 20))
    with closing(Stage(resolve("reacher"), seed=0, pictures=True)) as stage:  # its state says more
        assert all(trajectory.frames is None for trajectory in stage.play(None, 20))


def test_there_are_as_many_pictures_as_observations():
    frame = pack(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="frames has 5 entries where 6 are needed"):
        Trajectory(np.zeros((6, 3)), np.zeros((5, 2)), np.zeros(5), frames=(frame,) * 5)


def test_why_an_environment_cannot_be_seen_is_told_in_words():
    assert why_blind(resolve("cheetah"), looked_at=True) is None
    assert why_blind(resolve(DRAWN), looked_at=True) is None
    assert why_blind(resolve(DRAWN), looked_at=False) is not None
    why = why_blind(resolve(BLIND), looked_at=True)
    assert why is not None
    assert "render_mode" in why
    with pytest.raises(UserError, match=r"people cannot see it.*rl-teacher\[pixels\]"):
        make_maker(resolve(BLIND), None, why, for_people=True)


def test_an_environment_that_cannot_be_seen_is_refused_to_people_and_taught_by_others(capsys):
    assert main(shlex.split(f"-p human -e {BLIND} -n x --no_serve")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert main(shlex.split(f"-p rl -e {BLIND} -n x -t 3000")) == 0
    assert "No video of" in capsys.readouterr().out


def test_one_place_decides_how_clips_are_made():
    spec = resolve(DRAWN)
    assert isinstance(maker_for(None, spec.env_id, 20.0, has_pictures=True), FromPictures)
    assert maker_for(None, spec.env_id, 20.0, has_pictures=False) is None
    assert isinstance(maker_for(rope(), "rope", 20.0, has_pictures=True), FromStates)
    assert isinstance(maker_for(rope("1 0 0 0"), "rope", 20.0, has_pictures=True), FromPoses)
    assert maker_for(mujoco.MjModel.from_xml_string("<mujoco/>"), "nothing", 20.0, has_pictures=True) is None
    assert beyond_poses(rope()) == ["tendons"]
    assert drawable(rope("1 0 0 0"))  # nobody could see the rope anyway


@pytest.mark.slow
@pytest.mark.usefixtures("needs_gl")
def test_what_poses_cannot_show_is_drawn_by_mujoco():
    model = rope()
    sim = np.linspace(0, 0.4, 12)[:, None].repeat(2, axis=1)
    with closing(FromStates(model, 20.0)) as maker:
        maker.check()
        played = Trajectory(np.zeros((12, 1)), np.zeros((11, 1)), np.zeros(11), sim)
        made = maker.clip(played)
        assert (made.kind, made.n_frames, made.scene) == ("video", 12, None)
        assert [n_frames(film) for film in (made.data, *made.renditions.values())] == [12, 12]
        with av.open(io.BytesIO(made.data)) as container:
            first, *_, last = (f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0))
        red = [(f[..., 0] > f[..., 1] + 40).sum() for f in (first, last)]
        assert red[0] > red[1] > 0  # the rope, and it gets shorter
        again = maker.clip(played)  # the process is still there
        assert again.n_frames == 12


def test_without_opengl_people_are_told_before_anything_begins(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    with pytest.raises(UserError, match="has tendons, which need video") as refused:
        make_maker(resolve(DRAWN), rope(), None, for_people=True)
    assert INSTALL in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_person_teaches_what_draws_itself():
    with training(f"-p human -l 8 -L 4 -e {DRAWN} -n self -t 30000") as trainer, person(trainer) as me:
        assert me.answer(8) == 8
        assert trainer.end(90) == 0, trainer.output
        assert "Videos: " in trainer.output
    with closing(open_store(Path("runs"))) as store:
        run = store.run_by_name("self")
        asked = [store.load_segments(query.id)[2] for query in store.queries(run.experiment_id)]
        clips = {side.clip_id for pair in asked for side in (pair.left, pair.right)}
        assert clips
        for clip in map(store.clip, clips):
            assert clip.kind == "video"
            assert [form.media_type.split(";")[0] for form in clip.renditions] == ["video/mp4"]
            assert n_frames(store.blobs.get(clip.blob)) == clip.n_frames == resolve(DRAWN).clip_steps
        assert store.replays(run.id)[0].clip.kind == "video"
