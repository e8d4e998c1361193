"""axe on every screen, light and dark; and the settings people make for their eyes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system import tool_missing
from tests.web.conftest import open_page
from tests.web.test_page import cut_off, drawn, press, teach

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  const where = nodes => nodes.map(node => node.target.join(' ')).join(', ');
  return found.violations.map(({id, impact, nodes}) => `${impact} ${id}: ${where(nodes)}`);
}"""


def check(page) -> None:
    """Nothing serious; and as long as it stays so, nothing at all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    assert page.evaluate(RUN) == []


@pytest.fixture(params=["light", "dark"])
def page(chromium, site, request):
    if not AXE.is_file():
        tool_missing("axe-core is missing. Install it with: python web/build.py --check")
    yield from open_page(chromium, site, viewport={"width": 1000, "height": 720}, color_scheme=request.param)


def test_the_teaching_screen_and_its_dialogs(page, site):
    good = f"![good](clip:{site.segments[0].clip_id})"
    text = f"# Hop\n\nLike **this**:\n\n{good}\n![gone](clip:gone)\n\n- one\n- two\n"
    site.store.edit_experiment(site.experiment, instructions=text)
    page.goto(f"{site.url}#token={site.token}&go=teach/{site.experiment}")
    page.get_by_test_id("example").first.wait_for()
    page.wait_for_timeout(500)
    check(page)
    page.keyboard.press("Enter")
    drawn(page)
    check(page)
    page.keyboard.press("?")
    page.get_by_role("button", name="Equally good: ↑").click()
    page.keyboard.press("t")
    check(page)
    page.keyboard.press("Escape")  # no new key
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("button", name="Finish").click()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    cut_off(page)
    page.keyboard.press("ArrowUp")
    page.get_by_text("offline, 1 kept here").wait_for()
    page.wait_for_timeout(2500)
    check(page)


def test_the_screen_with_nothing_to_answer(page, site):
    teach(page, site)
    press(page, site, *["ArrowUp"] * 7)
    page.keyboard.press("ArrowUp")
    page.get_by_test_id("waiting").wait_for()
    page.wait_for_timeout(4500)  # what was said has faded
    check(page)


def test_the_other_screens(page, site):
    page.goto(site.url)
    page.get_by_text("You are not signed in here").wait_for()
    check(page)
    teach(page, site)
    press(page, site, "ArrowUp", "3")
    of_one = [f"#/{screen}/{site.experiment}" for screen in ("answers", "people", "settings")]
    for place in ("#/", *of_one, "#/watch/hop-1", "#/teach/none", "#/nowhere"):
        page.goto(site.url + place)
        page.wait_for_timeout(1200)
        check(page)
    page.route("**/api/v1/session", lambda route: route.abort())
    page.reload()
    page.get_by_role("button", name="Try again").wait_for()
    check(page)


def test_without_motion_or_with_forced_colours_it_still_works(page, site):
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    teach(page, site)
    press(page, site, "ArrowUp")
    assert page.evaluate("getComputedStyle(document.querySelector('.said-last')).animationName") == "none"
    page.get_by_role("button", name="Equally good").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    check(page)
