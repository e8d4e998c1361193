"""No answer is lost and none counts twice: two tabs, a killed server, no network, no room in the browser."""

from __future__ import annotations

import pytest

from tests.web.test_page import cut_off, drawn, press, teach, turn, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def query(page) -> str:
    return page.get_by_test_id("pair").get_attribute("data-query")


def second_tab(page):
    tab = page.context.new_page()
    tab.set_default_timeout(20_000)
    tab.goto(page.url)
    drawn(tab)
    return tab


def keys_in_storage(page, prefix: str) -> int:
    return page.evaluate("p => Object.keys(localStorage).filter(key => key.startsWith(p)).length", prefix)


def test_two_tabs_never_show_the_same_question_and_each_counts_once(page, site):
    site.ask_more(12)  # each holds three
    teach(page, site)
    tab = second_tab(page)
    seen = []
    for _ in range(4):
        assert query(page) != query(tab)
        seen += [query(page), query(tab)]
        press(page, site, "ArrowUp")
        press(tab, site, "ArrowUp")
    assert len(set(seen)) == 8
    assert site.store.counts(site.experiment).answered == 8


def test_the_last_tab_takes_over_what_a_closed_one_held(page, site):
    teach(page, site)
    tab = second_tab(page)
    page.wait_for_timeout(1200)
    tab.close()
    press(page, site, *["ArrowUp"] * 7)
    page.keyboard.press("ArrowUp")
    until(lambda: len(site.verdicts()) == 8, page)


def test_an_answer_left_by_a_closed_tab_is_sent_by_another(page, site):
    teach(page, site)
    tab = second_tab(page)
    page.wait_for_timeout(800)
    cut_off(page)
    tab.keyboard.press("ArrowUp")
    tab.get_by_text("offline, 1 kept here").wait_for()
    tab.close()
    assert keys_in_storage(page, "rlt-outbox/") == 1
    page.context.set_offline(False)
    # As old as what no living tab is sending.
    page.evaluate(
        """() => { for (const key of Object.keys(localStorage)) if (key.startsWith('rlt-outbox/')) {
             const entry = JSON.parse(localStorage[key]); entry.at -= 60000; localStorage[key] = JSON.stringify(entry);
           } window.dispatchEvent(new Event('online')); }"""
    )
    until(lambda: site.verdicts() == ["TIE"], page)
    until(lambda: keys_in_storage(page, "rlt-outbox/") == 0, page)


def test_a_reload_goes_on_with_the_same_questions(page, site):
    teach(page, site)
    press(page, site, "ArrowUp", "ArrowUp")
    for _ in range(3):
        page.reload()
        drawn(page)
    press(page, site, *["ArrowUp"] * 5)
    page.keyboard.press("ArrowUp")
    until(lambda: len(site.verdicts()) == 8, page)
    assert site.store.counts(site.experiment).answered == 8


def test_a_killed_server_costs_no_answer(page, site):
    teach(page, site)
    press(page, site, "ArrowUp")
    page.wait_for_timeout(1200)  # three pairs are held by now
    site.server.stop()
    for n in (1, 2):
        page.keyboard.press("ArrowDown")
        page.get_by_text(f"offline, {n} kept here").wait_for()
        drawn(page)
    page.get_by_text("The server does not answer just now").wait_for()
    site.server.start()
    until(lambda: site.verdicts() == ["TIE", "ABSTAIN", "ABSTAIN"], page)
    page.get_by_text("saved", exact=True).wait_for()
    drawn(page)
    press(page, site, "ArrowUp")
    assert page.get_by_text("The server does not answer just now").count() == 0


def test_while_the_server_is_away_the_page_does_not_say_that_nothing_is_open(page, site):
    teach(page, site)
    site.server.stop()
    for _ in range(3):  # as many pairs as are fetched ahead
        before = turn(page)
        page.keyboard.press("ArrowUp")
        until(lambda before=before: page.get_by_test_id("pair").count() == 0 or turn(page) != before, page)
        page.wait_for_timeout(450)
    page.get_by_text("The next pair cannot be fetched just now").wait_for()
    page.get_by_text("Your answers are kept here").wait_for()
    assert page.get_by_text("No question is open").count() == 0
    site.server.start()
    page.get_by_test_id("pair").wait_for()
    until(lambda: site.verdicts() == ["TIE"] * 3, page)


def test_undo_without_a_network_arrives_in_order(page, site):
    teach(page, site)
    page.wait_for_timeout(1200)
    cut_off(page)
    page.keyboard.press("ArrowUp")
    page.get_by_text("offline, 1 kept here").wait_for()
    page.keyboard.press("Backspace")
    page.get_by_text("offline, 2 kept here").wait_for()
    drawn(page)
    page.keyboard.press("ArrowDown")
    page.get_by_text("offline, 3 kept here").wait_for()
    page.context.set_offline(False)
    until(lambda: site.verdicts() == ["TIE", "WITHDRAWN", "ABSTAIN"], page)
    assert len({label.query_id for label in site.store.labels_since(site.experiment, 0, 10)}) == 1


def test_an_answer_that_comes_late_is_kept_and_told(page, site):
    teach(page, site)
    shown, me = query(page), site.store.labeller("tester")
    for claim in site.store.claim(site.experiment, me, 3):
        site.store.release(claim.lease, me)
    page.keyboard.press("ArrowUp")
    page.get_by_test_id("progress").get_by_text("That answer came late").first.wait_for()
    assert [label.query_id for label in site.store.labels_since(site.experiment, 0, 10)] == [shown]


def test_an_answer_whose_acknowledgement_is_lost_counts_once(page, site):
    """The server has it, the browser does not know: it sends again."""
    teach(page, site)
    lost = []

    def swallow(route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    page.route("**/api/v1/labels", swallow)
    before = turn(page)
    page.keyboard.press("ArrowUp")
    until(lambda: turn(page) != before, page)
    until(lambda: page.get_by_test_id("delivery").inner_text() == "saved" and bool(lost), page)
    assert lost == [200]
    assert site.verdicts() == ["TIE"]


@pytest.mark.parametrize("trouble", ["full", "forbidden"])
def test_without_room_in_the_browser_the_page_says_so_and_still_delivers(page, site, trouble):
    if trouble == "full":
        page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') };")
    else:
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError') }});"
        )
    teach(page, site)
    page.wait_for_timeout(1200)
    cut_off(page)
    page.keyboard.press("ArrowUp")
    page.get_by_text("offline, 1 here: leave this tab open").wait_for()
    warned = page.evaluate("() => !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert warned  # the browser would ask before it closes the tab
    page.context.set_offline(False)
    until(lambda: site.verdicts() == ["TIE"], page)
    page.get_by_text("saved", exact=True).wait_for()


def test_an_answer_is_never_sent_in_another_persons_name(page, site):
    teach(page, site)
    page.wait_for_timeout(1200)
    cut_off(page)
    page.keyboard.press("ArrowUp")
    page.get_by_text("offline, 1 kept here").wait_for()
    page.route("**/api/v1/labels", lambda route: route.abort())
    page.context.set_offline(False)
    bob = site.store.create_token("admin", site.store.labeller("bob"))
    page.goto(f"{site.url}#token={bob}")
    page.get_by_text("1 of another link kept here").wait_for()
    page.unroute("**/api/v1/labels")
    page.reload()
    page.get_by_text("1 of another link kept here").wait_for()
    assert site.verdicts() == []
    page.goto(f"{site.url}#token={site.token}")
    until(lambda: site.verdicts() == ["TIE"], page)
    assert site.store.labels_since(site.experiment, 0, 10)[0].labeller == site.store.labeller("tester")


PRESSES = """() => {
  for (const key of ["1", "ArrowUp"])
    for (const kind of ["keydown", "keyup"])
      document.body.dispatchEvent(new KeyboardEvent(kind, { key, bubbles: true, cancelable: true }));
}"""


def test_keys_pressed_before_anything_was_seen_answer_nothing(page, site):
    """Pressed within the page at the moment the pair comes: a test on a slow machine may take 300 ms to press."""
    site.store.edit_experiment(site.experiment, instructions="")
    page.add_init_script(f"""new MutationObserver((_, watch) => {{
      if (!document.querySelector("[data-testid=pair]")) return;
      watch.disconnect();
      ({PRESSES})();
      window.pressedEarly = true;
    }}).observe(document, {{ childList: true, subtree: true }});""")
    page.goto(f"{site.url}#token={site.token}&go=teach/{site.experiment}")
    page.get_by_test_id("pair").wait_for()
    page.wait_for_function("window.pressedEarly")
    page.wait_for_timeout(600)
    assert site.verdicts() == []
    page.evaluate(f"({PRESSES})()")
    until(lambda: len(site.verdicts()) == 1, page)
