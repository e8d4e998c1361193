"""A phone: 360 pixels wide, fingers instead of keys."""

from __future__ import annotations

import pytest

from tests.web.conftest import open_page
from tests.web.test_page import drawn, on_screen, teach, turn, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(chromium, site):
    yield from open_page(chromium, site, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)


class Fingers:
    """Touches as the device sends them."""

    def __init__(self, page) -> None:
        self._session = page.context.new_cdp_session(page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def pull(self, start: tuple[float, float], dx: float, dy: float) -> None:
        """One finger, down and moved, not lifted."""
        x, y = start
        self.send("touchStart", start)
        for share in (0.25, 0.5, 0.75, 1.0):
            self.send("touchMove", (x + share * dx, y + share * dy))

    def swipe(self, start: tuple[float, float], dx: float, dy: float) -> None:
        self.pull(start, dx, dy)
        self.send("touchEnd")


def middle(page, clip: int) -> tuple[float, float]:
    box = page.locator("[data-testid=pair] canvas").nth(clip).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def camera(page) -> str:
    """The left clip, standing still: what was drawn, without what the browser makes of it at the edges."""
    return page.locator("[data-testid=pair] canvas").first.evaluate("canvas => canvas.toDataURL()")


def test_swipes_on_the_clips_answer(page, site):
    swapped = teach(page, site)
    fingers = Fingers(page)
    for n, (dx, dy) in enumerate([(-120, 5), (120, 0), (5, -120), (0, 120)]):
        before = turn(page)
        fingers.swipe(middle(page, n % 2), dx, dy)
        until(lambda n=n: len(site.verdicts()) == n + 1, page)
        until(lambda before=before: turn(page) != before, page)
        drawn(page)
    labels = site.store.labels_since(site.experiment, 0, 10)
    seen = [on_screen(str(label.verdict), swapped[label.query_id]) for label in labels]
    assert seen == ["LEFT", "RIGHT", "TIE", "ABSTAIN"]
    assert {label.key for label in labels} == {"swipe"}


def test_a_swipe_shows_what_it_would_say_and_can_be_taken_back(page, site):
    teach(page, site)
    fingers, cue = Fingers(page), page.get_by_test_id("cue")
    fingers.pull(middle(page, 1), 30, 0)
    cue.get_by_text("Right is better").wait_for()
    cue.get_by_text("further").wait_for()
    x, y = middle(page, 1)
    fingers.send("touchMove", (x + 100, y))
    cue.get_by_text("let go to answer").wait_for()
    fingers.send("touchMove", (x + 2, y))
    cue.wait_for(state="detached")
    fingers.send("touchEnd")
    fingers.swipe((x, y), 40, 0)
    page.wait_for_timeout(400)
    assert site.verdicts() == []


def test_two_fingers_turn_the_clips_and_answer_nothing(page, site):
    teach(page, site)
    page.get_by_role("button", name="Pause").tap()
    page.wait_for_timeout(300)
    before = camera(page)
    fingers, (x, y) = Fingers(page), middle(page, 0)
    fingers.pull((x, y), -20, 0)
    fingers.send("touchCancel")
    page.wait_for_timeout(300)
    assert camera(page) == before  # one finger does not turn
    fingers.send("touchStart", (x - 20, y), (x + 40, y))
    for step in range(1, 9):
        fingers.send("touchMove", (x - 20 - 12 * step, y), (x + 40 - 12 * step, y))
    fingers.send("touchEnd")
    until(lambda: camera(page) != before, page)
    page.wait_for_timeout(300)
    assert site.verdicts() == []


def test_taps_answer_and_everything_fits(page, site):
    teach(page, site)
    before = turn(page)
    page.get_by_role("group", name="Or by how much").get_by_role("button", name="3 slightly left").tap()
    until(lambda: len(site.verdicts()) == 1, page)
    until(lambda: turn(page) != before, page)
    label = site.store.labels_since(site.experiment, 0, 10)[0]
    assert (str(label.strength), label.key) == ("SLIGHT", "tap")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in page.locator(".answers button, .scale button, .playbar button").all():
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["y"] + box["height"] <= 740, f"{button.inner_text()} is below the edge"
        assert box["height"] >= 40
    page.get_by_role("button", name="Keys", exact=True).tap()
    assert page.evaluate("(d => d.scrollWidth <= d.clientWidth)(document.querySelector('dialog'))")


def test_a_tapped_answer_does_not_look_chosen_for_the_next_pair(page, site):
    teach(page, site)
    for name in ("Equally good", "2 better left"):
        before = turn(page)
        page.get_by_role("button", name=name, exact=True).tap()
        until(lambda before=before: turn(page) != before, page)
        drawn(page)
    look = "button => { const s = getComputedStyle(button); return s.borderColor + s.backgroundColor + s.color; }"
    tie, abstain = (page.locator(f".answer.{name}").evaluate(look) for name in ("tie", "abstain"))
    assert tie == abstain
    assert page.locator(".scale button").nth(1).evaluate(look) == page.locator(".scale button").nth(2).evaluate(look)


@pytest.mark.parametrize("place", ["#/", "#/answers/{}", "#/people/{}", "#/settings/{}", "#/watch/hop-1", "#/nowhere"])
def test_no_screen_is_wider_than_the_phone(page, site, place):
    page.goto(f"{site.url}#token={site.token}")
    page.get_by_test_id("experiment").wait_for()
    page.goto(site.url + place.format(site.experiment))
    page.wait_for_timeout(700)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
