"""What the page says to links that do not open it, and that it never asks another machine for anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.web.conftest import open_page
from tests.web.test_page import drawn, enter, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GUESS = """if (location.protocol === 'http:') for (let n = 0; n < 10; n++) {
  const request = new XMLHttpRequest();
  request.open('POST', '/api/v1/session', false);
  request.setRequestHeader('Content-Type', 'application/json');
  request.send('{"token": "wrong"}');
}"""
"""Ten wrong tokens before the page does anything."""
CLOSED = "This link does not open the page (any more)"


@pytest.mark.parametrize("kind", ["wrong", "expired", "revoked", "cut short"])
def test_a_link_that_is_over_is_told_in_one_line_with_a_way_out(page, site, kind):
    token = site.store.create_token("admin", lifetime_seconds=0.0 if kind == "expired" else 60.0)
    if kind == "revoked":
        site.store.revoke_token(site.store.check_token(token).token_id)
    given = {"wrong": "wrong", "cut short": token[:-3]}.get(kind, token)
    page.goto(f"{site.url}#token={given}")
    expect(page.get_by_role("heading", level=2)).to_have_text(CLOSED)
    expect(page.get_by_text("rl-teacher serve")).to_be_visible()
    assert given not in page.url
    assert given not in page.content()


def test_a_link_for_another_experiment_says_so(page, site):
    other = site.store.experiment("other", "Hopper-v5")
    stranger = site.store.create_token("labeller", site.store.labeller("eve"), other)
    for screen in ("teach", "answers"):
        page.goto(f"{site.url}#token={stranger}&go={screen}/{site.experiment}")
        expect(page.get_by_test_id("missing")).to_contain_text("your link may be for another experiment")
    page.get_by_role("link", name="See the experiments there are").click()
    expect(page.get_by_test_id("experiment")).to_have_count(1)
    expect(page.get_by_test_id("experiment")).to_contain_text("other")


def test_a_token_that_is_revoked_meanwhile_is_told_at_the_next_step(page, site):
    token = site.store.create_token("admin", site.store.labeller("tester"))
    page.goto(f"{site.url}#token={token}")
    page.get_by_test_id("experiment").wait_for()
    site.store.revoke_token(site.store.check_token(token).token_id)
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_have_text("You are not signed in here")


def test_who_tried_too_many_wrong_links_is_told_to_wait(page, site):
    for number in range(250):
        if page.request.post(f"{site.url}api/v1/session", data={"token": f"wrong {number}"}).status == 429:
            break
    page.add_init_script(GUESS)  # meanwhile a guess a second is allowed again
    page.goto(f"{site.url}#token=wrong")
    expect(page.get_by_role("heading", level=2)).to_have_text("Please wait a moment")
    expect(page.get_by_text("Too many wrong tokens came from your address. Try again in 1 s.")).to_be_visible()
    page.goto("about:blank")
    enter(page, site)  # a right link opens all the same


def test_no_request_leaves_the_machine_on_any_screen(chromium, site):
    asked: list[str] = []
    for page in open_page(chromium, site, viewport={"width": 1000, "height": 700}):
        page.context.on("request", lambda request: asked.append(request.url))
        enter(page, site)
        page.goto(f"{site.url}#/teach/{site.experiment}")
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Enter")
        drawn(page)
        for screen in (f"answers/{site.experiment}", f"people/{site.experiment}", f"settings/{site.experiment}"):
            page.goto(f"{site.url}#/{screen}")
            page.wait_for_load_state("networkidle")
        page.goto(f"{site.url}#/watch/{site.run}")
        until(lambda page=page: page.locator("canvas").count() > 0, page)
        names = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert len(asked) > 20
    assert any(url.endswith(".js") for url in asked)
    assert {url.split("/")[2].split(":")[0] for url in [*asked, *names] if url.startswith("http")} == {"127.0.0.1"}
