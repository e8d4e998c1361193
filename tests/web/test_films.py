"""Clips that are films, and films in place of drawings, in a real Chromium."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from rl_teacher.clips.film import encode
from rl_teacher.clips.making import FromPoses
from rl_teacher.desk import Desk
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment
from rl_teacher.feedback.schema import audit
from rl_teacher.feedback.store import Store
from tests.clips.test_video import needs_gl  # noqa: F401
from tests.web.test_page import drawn, enter, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRAMES, FPS, WIDE = 24, 8.0, 240
NO_WEBGL = (
    "const get = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
    "  return kind.startsWith('webgl') ? null : get.call(this, kind, ...more) };"
)
KEEP_CONTEXTS = (
    "window.contexts = []; const get = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
    "  const made = get.call(this, kind, ...more); if (kind === 'webgl2' && made) window.contexts.push(made);"
    "  return made };"
)
# The picture shows its own number: a white bar that many tenths of the way to the right.
NUMBERS = """() => [...document.querySelectorAll('[data-testid=pair] video')].map(video => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [240, 80];
  const paint = canvas.getContext('2d');
  paint.drawImage(video, 0, 0, 240, 80);
  const {data} = paint.getImageData(0, 40, 240, 1);
  let sum = 0, weight = 0;
  for (let x = 0; x < 240; x++) if (data[4 * x] > 128) { sum += x; weight += 1; }
  return weight ? Math.floor(sum / weight / 10) : -1;
})"""


def numbered(n_frames: int, shade: int) -> Iterator[np.ndarray]:
    for number in range(n_frames):
        picture = np.full((80, WIDE, 3), shade, np.uint8)
        picture[:, 10 * number : 10 * number + 10] = 255
        yield picture


def add_films(store: Store, experiment: str, run: str) -> None:
    """Two questions, newer than all others, whose clips are films."""
    sides = []
    for n in range(4):
        first, *others = encode(numbered(FRAMES, 10 * n), FPS).items()
        clip = store.add_clip("video", first[1], first[0], None, FRAMES, FPS, 0.05, renditions=dict(others))
        arrays = pack_arrays({"obs": np.full((FRAMES, 2), n, np.float32), "act": np.zeros((FRAMES, 1), np.float32)})
        key = hashlib.sha256(arrays).hexdigest()
        sides.append(NewSegment(key=key, data=arrays, clip_id=clip, step=2000, n_steps=FRAMES))
    pairs = [(sides[0], sides[1]), (sides[2], sides[3])]
    store.add_queries(run, [NewQuery(pair=f"film{n}", left=a, right=b, step=2000) for n, (a, b) in enumerate(pairs)])


def open_lesson(page, site) -> None:
    enter(page, site)
    page.get_by_role("link", name="Teach", exact=True).click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Enter")


def test_two_films_run_in_step_and_stand_on_the_same_frame(page, site):
    add_films(site.store, site.experiment, site.store.run_by_name(site.run).id)
    open_lesson(page, site)
    page.locator("[data-testid=pair] video").nth(1).wait_for()
    until(lambda: min(page.evaluate(NUMBERS)) >= 0, page)
    apart, seen = [], set()
    for _ in range(60):
        left, right = page.evaluate(NUMBERS)
        apart.append(abs(left - right))
        seen |= {left, right}
        page.wait_for_timeout(60)
    assert np.mean([frames <= 1 for frames in apart]) > 0.9  # the rest is the jump back to the start
    assert len(seen) > 15
    page.keyboard.press("Space")
    page.wait_for_timeout(600)  # both may still be on their way to where the clock stands
    until(lambda: len(set(page.evaluate(NUMBERS))) == 1, page)
    stands = page.evaluate(NUMBERS)
    page.wait_for_timeout(400)
    assert page.evaluate(NUMBERS) == stands
    page.keyboard.press("ArrowLeft")
    until(lambda: len(site.verdicts()) == 1, page)
    assert site.store.labels_since(site.experiment, 0, 10)[0].seconds > 1.0
    with site.store.read() as conn:
        assert conn.execute(sa.text("SELECT renderer FROM labels")).scalar() == "video/1"


@contextmanager
def trainer(site) -> Iterator[Desk]:
    """The desk of a run of Hopper that looks after what the page asks for."""
    spec = resolve("Hopper-v5")
    with closing(Stage(spec, seed=0)) as stage:
        maker = FromPoses(stage.model, spec.env_id, spec.fps)
        desk = Desk(
            site.store, spec, maker, name="hop", seed=0, predictor="human", instructions="", is_new=False, wanted=50
        )
        with closing(desk):
            yield desk


@pytest.mark.usefixtures("needs_gl")
def test_without_webgl_the_page_gets_films_from_the_trainer(page, site, tmp_path):
    site.store.report(site.store.run_by_name(site.run).id, "stopped", "stopped")
    page.add_init_script(NO_WEBGL)
    open_lesson(page, site)
    page.get_by_test_id("filming").get_by_text("is not running: start it").wait_for()
    assert page.locator("video").count() == 0
    with trainer(site) as desk:

        def films_are_there() -> bool:
            desk.report("training", "", {})
            desk.attend()
            return page.locator("[data-testid=pair] video").count() == 2

        until(films_are_there, page, seconds=60)
        page.wait_for_timeout(1000)
        page.keyboard.press("ArrowRight")
        until(lambda: len(site.verdicts()) == 1, page)
        until(lambda: desk.attend() or page.get_by_test_id("filming").count() == 0, page, seconds=60)
    page.goto(f"{site.url}#/answers/{site.experiment}")
    page.locator("[data-testid=answer] video").nth(1).wait_for()


def test_where_nobody_can_draw_one_line_says_what_to_do(page, site, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    page.add_init_script(NO_WEBGL)
    open_lesson(page, site)
    with trainer(site) as desk:
        line = page.get_by_role("alert").get_by_text("Open this page in a browser with WebGL 2")
        until(lambda: desk.attend() or line.count() > 0, page, seconds=30)
        assert "apt-get install libegl1" in line.inner_text()


@pytest.mark.usefixtures("needs_gl")
def test_when_the_graphics_context_is_lost_for_good_films_take_over(page, site):
    page.add_init_script(KEEP_CONTEXTS)
    open_lesson(page, site)
    drawn(page)
    page.evaluate("contexts.forEach(gl => gl.isContextLost() || gl.getExtension('WEBGL_lose_context').loseContext())")
    with trainer(site) as desk:
        until(lambda: desk.attend() or page.locator("[data-testid=pair] video").count() == 2, page, seconds=60)


def test_a_pair_whose_clip_is_missing_is_taken_back_and_the_next_one_comes(page, site):
    with site.store.read() as conn:
        number = sa.text("SELECT id, left_segment_id FROM queries ORDER BY number DESC LIMIT 1")
        first, segment = conn.execute(number).one()
        query = sa.text("SELECT c.blob FROM clips c JOIN segments s ON s.clip_id = c.id WHERE s.id = :id")
        blob = conn.execute(query, {"id": segment}).scalar_one()
    path = site.store.blobs.path(blob)
    assert isinstance(path, Path)
    path.unlink()
    open_lesson(page, site)
    drawn(page)
    assert page.get_by_test_id("pair").get_attribute("data-query") != first
    assert site.store.query(first).state == "expired"
    with site.store.read() as conn:
        noted = conn.execute(sa.select(audit.c.detail).where(audit.c.what == "pairs withdrawn")).scalar_one()
    assert noted == {"blob": blob, "queries": [first]}
