import json
import time

import mujoco
import numpy as np
import pytest

from rl_teacher.clips.camera import camera, follows, tracked, view
from rl_teacher.clips.poses import beyond_poses, drawable, poses, scene
from rl_teacher.envs.nine import TASKS
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError

WORLD = """
<mujoco>
  <asset>
    <material name="red" rgba="1 0 0 1"/>
    <mesh name="tetra" vertex="0 0 0  1 0 0  0 1 0  0 0 1"/>
    <hfield name="hills" nrow="2" ncol="2" size="1 1 1 0.1"/>
  </asset>
  <worldbody>
    <geom name="ground" type="plane" size="5 5 1"/>
    <geom name="terrain" type="hfield" hfield="hills"/>
    <body name="thing" pos="0 0 1">
      <freejoint/>
      <geom name="trunk" type="box" size="0.1 0.2 0.3" material="red"/>
      <geom name="tilted" type="cylinder" size="0.1 0.4" euler="30 40 50" pos="0.5 0.2 0.1" rgba="0 1 0 0.5"/>
      <geom name="ghost" type="sphere" size="0.1" rgba="1 1 1 0"/>
      <geom name="collision" type="sphere" size="0.1" group="3"/>
      <geom name="stone" type="mesh" mesh="tetra"/>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def world() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(WORLD)


def unpacked(blob: bytes, n_frames: int) -> np.ndarray:
    return np.frombuffer(blob, "<f4").reshape(n_frames, -1, 7)


def states(model: mujoco.MjModel, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, model.nq + model.nv))


def played(name: str) -> tuple[mujoco.MjModel, np.ndarray]:
    spec = resolve(name)
    stage = Stage(spec, seed=0)
    sim = stage.play(None, 2 * spec.clip_steps)[0].segment(0, spec.clip_steps).sim
    model = stage.model
    assert sim is not None
    assert model is not None
    return model, sim


@pytest.mark.parametrize("name", TASKS)
def test_every_shape_is_where_mujoco_puts_it(name: str) -> None:
    model, sim = played(name)
    found = unpacked(poses(model, sim), len(sim))
    geoms = json.loads(scene(model, name))["geoms"]
    assert found.shape == (TASKS[name].clip_steps, len(geoms), 7)
    data = mujoco.MjData(model)
    for frame in (0, len(sim) - 1):
        data.qpos[:] = sim[frame, : model.nq]
        mujoco.mj_forward(model, data)
        for i, geom in enumerate(geoms):
            g = i if geom["name"].startswith("geom") else data.geom(geom["name"]).id
            turn = np.empty(9)
            mujoco.mju_quat2Mat(turn, found[frame, i, 3:].astype(np.float64))
            np.testing.assert_allclose(found[frame, i, :3], data.geom_xpos[g], atol=1e-5)
            np.testing.assert_allclose(turn, data.geom_xmat[g], atol=1e-5)
    assert np.abs(found[0] - found[-1]).max() > 0.01  # it moved


def test_what_cannot_be_seen_or_drawn_is_left_out(world: mujoco.MjModel) -> None:
    content = json.loads(scene(world, "gym:World"))
    assert [geom["name"] for geom in content["geoms"]] == ["ground", "trunk", "tilted", "stone"]
    assert [geom["type"] for geom in content["geoms"]] == ["plane", "box", "cylinder", "mesh"]
    assert (content["version"], content["env_id"], content["floor"]) == (1, "gym:World", True)
    assert unpacked(poses(world, states(world, 3)), 3).shape == (3, 4, 7)


def test_shapes_have_their_sizes_and_colours(world: mujoco.MjModel) -> None:
    _, trunk, tilted, stone = json.loads(scene(world, "w"))["geoms"]
    assert trunk["size"] == [0.1, 0.2, 0.3]
    assert trunk["rgba"] == [1.0, 0.0, 0.0, 1.0]  # its material's
    assert tilted["rgba"] == [0.0, 1.0, 0.0, 0.5]
    assert tilted["size"][:2] == [0.1, 0.4]
    assert trunk["mesh"] is None
    assert len(stone["mesh"]["vertices"]) == 4 * 3
    assert len(stone["mesh"]["faces"]) == 4 * 3
    assert set(stone["mesh"]["faces"]) == {0, 1, 2, 3}


def test_turned_shapes_on_turned_bodies_agree_with_mujoco(world: mujoco.MjModel) -> None:
    sim = states(world, 4)
    found = unpacked(poses(world, sim), 4)
    data = mujoco.MjData(world)
    for frame in range(4):
        data.qpos[:] = sim[frame, :7]
        mujoco.mj_kinematics(world, data)
        for i, name in enumerate(("ground", "trunk", "tilted", "stone")):
            turn = np.empty(9)
            mujoco.mju_quat2Mat(turn, found[frame, i, 3:].astype(np.float64))
            np.testing.assert_allclose(turn, data.geom(name).xmat, atol=1e-6)
            np.testing.assert_allclose(found[frame, i, :3], data.geom(name).xpos, atol=1e-6)


def test_the_same_clip_gives_the_same_bytes() -> None:
    model, sim = played("cheetah")
    assert poses(model, sim) == poses(model, sim.copy())
    assert scene(model, "cheetah") == scene(played("cheetah")[0], "cheetah")
    assert poses(model, sim) != poses(model, sim + 0.01)
    assert len(poses(model, sim)) == 30 * 9 * 7 * 4


def test_states_of_another_body_are_refused() -> None:
    model, sim = played("reacher")
    with pytest.raises(ValueError, match=r"\(15, 7\) where \(F, 8\)"):
        poses(model, sim[:, :-1])


def test_a_clip_is_cheap() -> None:
    model, sim = played("humanoid")
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        poses(model, sim)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.02  # some 1 ms on a quiet core


def test_drawable_says_whether_there_is_anything_to_draw(world: mujoco.MjModel) -> None:
    assert drawable(Stage(resolve("humanoid"), seed=0).model)  # its tendons are no strings, only bonds of joints
    assert not drawable(world)
    assert beyond_poses(world) == ["height fields"]
    assert not drawable(None)
    assert not drawable(Stage(resolve("gym:CartPole-v1"), seed=0).model)
    assert not drawable(mujoco.MjModel.from_xml_string("<mujoco/>"))


VIEWS = {
    "reacher": ("top", "none"),
    "hopper": ("side", "x"),
    "walker": ("side", "x"),
    "swimmer": ("top", "xy"),
    "cheetah": ("side", "x"),
    "ant": ("corner", "xy"),
    "humanoid": ("corner", "xy"),
    "pendulum": ("side", "none"),
    "doublependulum": ("side", "none"),
}


@pytest.mark.parametrize("name", TASKS)
def test_each_body_is_seen_from_where_it_is_best_judged(name: str) -> None:
    model, sim = played(name)
    assert (view(model), follows(model)) == VIEWS[name]
    content = json.loads(scene(model, name))
    assert content["follow"] == {"axis": follows(model)}
    assert content["camera"] == camera(model)
    moving = [content["geoms"][i]["body"] for i in content["track"]]
    assert all(body > 0 for body in moving)
    assert bool(moving) == (follows(model) != "none")
    # nothing that moves leaves the picture, which is 45 degrees high
    found = unpacked(poses(model, sim), len(sim))
    bodies = np.array([geom["body"] for geom in content["geoms"]])
    places = found[:, bodies > 0, :3]
    middle = np.array(content["camera"]["lookat"])
    off = places - middle
    for axis in range(len(follows(model)) if moving else 0):
        off[..., axis] = places[..., axis] - places[..., axis].mean(axis=1, keepdims=True)
    half_height = content["camera"]["distance"] * np.tan(np.radians(22.5))
    assert np.abs(off).max() < half_height
    assert half_height < 4 * np.abs(off).max() + 0.3  # nor is it lost in it


def test_a_body_without_joints_has_a_camera_all_the_same() -> None:
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    assert (view(model), follows(model), len(tracked(model))) == ("corner", "none", 0)
    assert camera(model)["distance"] > 1.0


def test_a_model_that_says_its_view_is_seen_from_there_and_the_camera_stays() -> None:
    free = "<body><freejoint/><geom size='1'/></body>"
    custom = "<custom><numeric name='rl-teacher-view' data='1.5 160 -30 0 .6 .15'/></custom>"
    model = mujoco.MjModel.from_xml_string(f"<mujoco>{custom}<worldbody>{free}</worldbody></mujoco>")
    seen = {"distance": 1.5, "azimuth": 160.0, "elevation": -30.0, "lookat": [0.0, 0.6, 0.15]}
    assert (camera(model), follows(model)) == (seen, "none")
    assert len(tracked(model)) == 0


@pytest.mark.parametrize("data", ["1.5 160 -30", "0 160 -30 0 .6 .15", "1 2 3 4 5 6 7"])
def test_a_view_that_is_none_is_told_in_one_line(data: str) -> None:
    model = mujoco.MjModel.from_xml_string(
        f"<mujoco><custom><numeric name='rl-teacher-view' data='{data}'/></custom>"
        "<worldbody><body><joint/><geom size='1'/></body></worldbody></mujoco>"
    )
    with pytest.raises(UserError, match="six numbers are wanted: a distance above 0"):
        camera(model)
