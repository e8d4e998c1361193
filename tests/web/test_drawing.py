"""What the page draws is what MuJoCo would draw: silhouettes from the same camera, in a real Chromium."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import mujoco
import numpy as np
import pytest

from rl_teacher.clips.camera import camera
from rl_teacher.clips.poses import drawable, poses, scene
from rl_teacher.clips.video import PLATFORMS
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from tests.clips.test_video import needs_gl  # noqa: F401
from tests.web.test_page import enter, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALIKE = 0.95
"""Intersection over union that is asked for; measured 0.97 to 0.99."""
RED = [0.9, 0.1, 0.1, 1.0]
SEGMENTS = """
import sys, json, numpy as np, mujoco
folder, width, height, distance = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
view, state = json.load(open(folder + "/camera.json")), np.load(folder + "/state.npy")
model = mujoco.MjModel.from_binary_path(folder + "/model.mjb")
model.vis.global_.offwidth, model.vis.global_.offheight, model.vis.global_.fovy = width, height, 45.0
data = mujoco.MjData(model)
data.qpos[:] = state[: model.nq]
mujoco.mj_forward(model, data)
eye = mujoco.MjvCamera()
eye.distance, eye.azimuth, eye.elevation, eye.lookat = distance, view["azimuth"], view["elevation"], view["lookat"]
renderer = mujoco.Renderer(model, height, width)
renderer.enable_segmentation_rendering()
renderer.update_scene(data, eye)
ids = renderer.render()
np.save(folder + "/ids.npy", np.where(ids[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM), ids[..., 0], -1))
renderer.close()
"""
SHAPES = """
<mujoco>
  <asset><mesh name="wedge" vertex="-.2 -.2 -.2  .2 -.2 -.2  .2 .2 -.2  -.2 .2 -.2  0 0 .3"/></asset>
  <worldbody>
    <geom type="plane" size="3 3 1"/>
    <body pos="-1.2 0 .5"><geom type="sphere" size=".25"/></body>
    <body pos="-.6 0 .5"><geom type="capsule" size=".1 .25" euler="0 30 0"/></body>
    <body pos="0 0 .5"><geom type="box" size=".15 .2 .25" euler="0 20 30"/></body>
    <body pos=".6 0 .5"><geom type="cylinder" size=".15 .25" euler="20 30 0"/></body>
    <body pos="1.2 0 .5"><geom type="ellipsoid" size=".15 .2 .3" euler="0 40 0"/></body>
    <body pos="0 0 1.2"><geom type="mesh" mesh="wedge"/></body>
  </worldbody>
</mujoco>
"""


def put(site, content: dict[str, Any], blob: bytes, n_frames: int) -> None:
    """Let the page's Watch screen show this clip."""
    data = json.dumps(content).encode()
    clip = site.store.add_clip("poses", blob, "application/octet-stream", data, n_frames, 20.0, 0.05)
    site.store.add_replay(site.store.run_by_name(site.run).id, 5000, clip)


def of_shapes(content: dict[str, Any], blob: bytes, n_frames: int, keep: Callable[[dict], bool]) -> tuple[dict, bytes]:
    """The scene and its poses with those shapes only, seen from a camera that stands still."""
    numbers = [i for i, geom in enumerate(content["geoms"]) if keep(geom)]
    rows = np.frombuffer(blob, "<f4").reshape(n_frames, -1, 7)[:, numbers]
    geoms = [dict(content["geoms"][i], rgba=RED) for i in numbers]
    still = {"follow": {"axis": "none"}, "track": [], "floor": any(geom["type"] == "plane" for geom in geoms)}
    return {**content, **still, "geoms": geoms}, np.ascontiguousarray(rows).tobytes()


def picture(page, site) -> np.ndarray:
    """(H, W, 3) of the clip that Watch shows."""
    page.goto("about:blank")
    enter(page, site)
    page.get_by_role("link", name="Watch").click()
    canvas = page.locator("canvas.clip").first
    until(lambda: bool((body(read(canvas))).any()), page)
    page.wait_for_timeout(300)
    return read(canvas)


def read(canvas) -> np.ndarray:
    return iio.imread(base64.b64decode(canvas.evaluate("canvas => canvas.toDataURL()").split(",")[1]))[..., :3]


def body(drawn: np.ndarray) -> np.ndarray:
    """(H, W): what is red, in light or shade."""
    red, green, blue = np.moveaxis(drawn.astype(int), -1, 0)
    return red > 1.4 * np.maximum(green, blue) + 10


def segments(model, state: np.ndarray, view: dict[str, Any], shape: tuple[int, ...], folder: Path) -> np.ndarray:
    """(H, W): the geom that MuJoCo draws in each pixel, or -1."""
    height, width = shape[:2]
    mujoco.mj_saveModel(model, str(folder / "model.mjb"), None)
    np.save(folder / "state.npy", state)
    (folder / "camera.json").write_text(json.dumps(view))
    distance = view["distance"] / min(1.0, max(width / height, 0.55))  # as the page steps back from narrow views
    words = [sys.executable, "-c", SEGMENTS, str(folder), str(width), str(height), str(distance)]
    for platform in PLATFORMS:
        if (
            subprocess.run(
                words, env={**os.environ, "MUJOCO_GL": platform}, capture_output=True, check=False
            ).returncode
            == 0
        ):
            return np.load(folder / "ids.npy")
    pytest.fail("MuJoCo draws nothing here")


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.usefixtures("needs_gl")
@pytest.mark.parametrize("name", ["hopper", "cheetah", "ant", "humanoid"])
def test_the_page_draws_the_silhouette_that_mujoco_draws(page, site, tmp_path, name, record_property):
    with_stage = Stage(resolve(name), seed=3)
    sim, model = with_stage.play(None, 40)[0].sim, with_stage.model
    assert sim is not None
    assert model is not None
    sim = np.repeat(sim[-1:], 3, axis=0)
    blob = poses(model, sim)
    content = json.loads(scene(model, name))
    tracked = np.frombuffer(blob, "<f4").reshape(3, -1, 7)[0, content["track"], :3].mean(axis=0)
    for axis in range(len(content["follow"]["axis"])):
        content["camera"]["lookat"][axis] = float(tracked[axis])
    put(site, *of_shapes(content, blob, 3, lambda geom: geom["type"] != "plane"), 3)
    drawn = picture(page, site)
    ids = segments(model, sim[0], content["camera"], drawn.shape, tmp_path)
    planes = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE)
    found = overlap(body(drawn), (ids >= 0) & ~np.isin(ids, planes))
    record_property("overlap", found)
    print(f"overlap of {name}: {found:.3f}")  # noqa: T201
    assert found > ALIKE
    with_stage.close()


@pytest.mark.usefixtures("needs_gl")
def test_every_shape_is_drawn_where_mujoco_draws_it(page, site, tmp_path):
    model = mujoco.MjModel.from_xml_string(SHAPES)
    assert drawable(model)
    sim = np.zeros((3, 0))
    content = json.loads(scene(model, "shapes"))
    assert {geom["type"] for geom in content["geoms"]} == {
        "plane", "sphere", "capsule", "box", "cylinder", "ellipsoid", "mesh",
    }  # fmt: skip
    put(site, *of_shapes(content, poses(model, sim), 3, lambda geom: geom["type"] != "plane"), 3)
    drawn = picture(page, site)
    ids = segments(model, sim[0], camera(model), drawn.shape, tmp_path)
    for geom in range(1, model.ngeom):
        rows, columns = np.nonzero(ids == geom)
        box = np.s_[max(rows.min() - 3, 0) : rows.max() + 4, max(columns.min() - 3, 0) : columns.max() + 4]
        found = overlap(body(drawn)[box], (ids > 0)[box])
        print(f"overlap of {content['geoms'][geom]['type']}: {found:.3f}")  # noqa: T201
        assert found > 0.93, content["geoms"][geom]["type"]


def test_bodies_cast_shadows_on_the_ground(page, site):
    model = mujoco.MjModel.from_xml_string(SHAPES)
    content, blob = json.loads(scene(model, "shapes")), poses(model, np.zeros((3, 0)))
    put(site, {**content, "geoms": [dict(g, rgba=RED) for g in content["geoms"]]}, blob, 3)
    with_bodies = picture(page, site).astype(int)
    shapes = body(with_bodies)
    page.goto("about:blank")
    low = np.frombuffer(blob, "<f4").reshape(3, -1, 7).copy()
    low[:, 1:, 2] -= 1000.0  # the same bodies, far below the ground
    put(site, {**content, "env_id": "bare", "geoms": [dict(g, rgba=RED) for g in content["geoms"]]}, low.tobytes(), 3)
    enter(page, site)
    page.get_by_role("link", name="Watch").click()
    canvas = page.locator("canvas.clip").first
    until(lambda: read(canvas).std() > 5 and not body(read(canvas)).any(), page)
    bare = read(canvas).astype(int)
    assert bare.std() > 5  # the ground has squares
    darker = (bare - with_bodies).sum(axis=-1) > 30
    assert 0.005 < (darker & ~shapes).mean() < 0.3


def test_the_camera_follows_and_turns_when_dragged(page, site):
    stage = Stage(resolve("hopper"), seed=3)
    sim, model = stage.play(None, 4)[0].sim, stage.model
    assert sim is not None
    assert model is not None
    sim = np.repeat(sim[:1], 40, axis=0)
    sim[:, 0] += np.linspace(0, 20, 40)  # metres
    content, blob = json.loads(scene(model, "hopper")), poses(model, sim)
    content["geoms"] = [dict(geom, rgba=RED) for geom in content["geoms"]]
    put(site, content, blob, 40)
    first = picture(page, site)
    canvas = page.locator("canvas.clip").first
    middles = []
    for _ in range(8):
        middles.append(np.nonzero(body(read(canvas)))[1].mean() / first.shape[1])
        page.wait_for_timeout(150)
    assert np.ptp(middles) < 0.05  # it has gone twenty times its length
    page.keyboard.press("Space")
    page.wait_for_timeout(200)
    before = body(read(canvas))
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 150, y + 20, steps=5)
    page.mouse.up()
    until(lambda: overlap(before, body(read(canvas))) < 0.9, page)
    canvas.dblclick()
    until(lambda: overlap(before, body(read(canvas))) > 0.999, page)
    stage.close()
