"""The page in a real Chromium against a real server and a real store."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

import pytest

from rl_teacher.server.page import STATIC

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STANDARD_DEVIATION = """canvas => {
  const {width, height} = canvas;
  const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
  let sum = 0, squares = 0, n = 0;
  for (let i = 0; i < data.length; i += 4) { sum += data[i]; squares += data[i] ** 2; n++; }
  return Math.sqrt(squares / n - (sum / n) ** 2);
}"""


def until(true: Callable[[], bool], page, seconds: float = 15.0) -> None:
    """Wait for something that happens elsewhere, and let the page go on meanwhile."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(50)


def enter(page, site) -> None:
    page.goto(f"{site.url}#token={site.token}")
    page.get_by_test_id("experiment").wait_for()


def teach(page, site) -> dict[str, bool]:
    """Open the teaching screen behind its instructions; returns which queries are shown swapped, as they are lent."""
    swapped: dict[str, bool] = {}

    def note(response) -> None:
        if response.url.endswith("/claim") and response.ok:
            for lent in response.json()["queries"]:
                swapped.setdefault(lent["query_id"], lent["swapped"])

    page.on("response", note)
    enter(page, site)
    page.get_by_role("link", name="Teach", exact=True).click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Enter")
    drawn(page)
    return swapped


def drawn(page) -> None:
    """Wait until both clips can be seen and answered."""
    until(lambda: page.locator("[data-testid=pair] canvas").count() == 2, page)
    until(lambda: all(canvas.evaluate(STANDARD_DEVIATION) > 5 for canvas in page.locator("canvas").all()), page)
    page.wait_for_timeout(450)


def cut_off(page) -> None:
    """Take the network away, and wait until the browser knows."""
    page.context.set_offline(True)
    page.wait_for_function("!navigator.onLine")
    page.wait_for_timeout(200)


def turn(page) -> int:
    return int(page.get_by_test_id("pair").get_attribute("data-turn"))


def press(page, site, *keys: str) -> None:
    """Press keys, each as soon as the pair before it has gone and the new one can be answered."""
    for key in keys:
        before, n = turn(page), len(site.verdicts())
        page.keyboard.press(key)
        until(lambda n=n: len(site.verdicts()) == n + 1, page)
        until(lambda before=before: turn(page) != before, page)
        drawn(page)


def on_screen(verdict: str, swapped: bool) -> str:
    return {"LEFT": "RIGHT", "RIGHT": "LEFT"}.get(verdict, verdict) if swapped else verdict


def test_the_token_opens_the_page_and_leaves_the_address(page, site):
    enter(page, site)
    assert page.url == f"{site.url}#/"
    page.go_back()
    assert site.token not in page.url
    page.goto(f"{site.url}#/")
    page.get_by_test_id("experiment").wait_for()


def test_without_a_token_the_page_says_how_to_get_in(page, site):
    page.goto(f"{site.url}#token=wrong")
    page.get_by_text("This link does not open the page").wait_for()
    assert "wrong" not in page.url
    page.goto(site.url)
    page.get_by_text("Run the same command again").wait_for()


def test_keys_become_verdicts_about_the_query(page, site):
    swapped = teach(page, site)
    press(page, site, "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Shift+ArrowLeft")
    answers = list(reversed(site.store.answers(site.experiment, None, None, 50)))
    seen = [on_screen(str(a.label.verdict), swapped[a.label.query_id]) for a in answers]
    assert seen == ["LEFT", "RIGHT", "TIE", "ABSTAIN", "LEFT"]
    assert [str(a.label.strength) for a in answers] == ["PLAIN"] * 4 + ["MUCH"]
    assert len({a.label.query_id for a in answers}) == 5
    assert all(0.3 <= a.label.seconds < 60 for a in answers)
    page.get_by_text("saved", exact=True).wait_for()


def test_undo_takes_back_and_shows_the_same_pair(page, site):
    teach(page, site)
    press(page, site, "ArrowUp", "Backspace", "ArrowDown")
    said = site.store.labels_since(site.experiment, 0, 10)
    assert [str(label.verdict) for label in said] == ["TIE", "WITHDRAWN", "ABSTAIN"]
    assert len({label.query_id for label in said}) == 1
    assert site.store.counts(site.experiment).answered == 1


def test_a_held_key_answers_once(page, site):
    teach(page, site)
    for _ in range(12):
        page.keyboard.down("ArrowUp")
        page.wait_for_timeout(60)
    page.keyboard.up("ArrowUp")
    until(lambda: site.verdicts() == ["TIE"], page)
    page.wait_for_timeout(500)
    assert site.verdicts() == ["TIE"]


def test_answers_given_offline_arrive_later_even_after_a_reload(page, site):
    teach(page, site)
    page.wait_for_timeout(1500)  # three pairs are held by now
    cut_off(page)
    for n in (1, 2):
        page.keyboard.press("ArrowUp")
        page.get_by_text(f"offline, {n} kept here").wait_for()
        drawn(page)
    assert site.verdicts() == []
    page.context.set_offline(False)
    page.reload()
    until(lambda: site.verdicts() == ["TIE", "TIE"], page)
    page.get_by_text("saved", exact=True).wait_for()


def test_a_tap_on_a_button_answers_and_space_then_pauses(page, site):
    teach(page, site)
    page.get_by_role("button", name="Equally good").click()
    until(lambda: site.verdicts() == ["TIE"], page)
    drawn(page)
    page.keyboard.press("Space")
    page.get_by_role("button", name="Play", exact=False).first.wait_for()
    assert site.verdicts() == ["TIE"]
    page.keyboard.press("t")
    page.get_by_test_id("speed").get_by_text("real time").wait_for()


def test_leaving_gives_the_questions_back(page, site):
    teach(page, site)
    page.get_by_role("link", name="RL-Teacher").click()
    page.get_by_test_id("experiment").wait_for()
    other = site.store.labeller("somebody else")
    until(lambda: len(site.store.claim(site.experiment, other, 8)) == 8, page)


def test_when_all_is_answered_the_page_waits_and_finish_reaches_the_trainer(page, site):
    teach(page, site)
    press(page, site, *["ArrowUp"] * 7)
    page.keyboard.press("ArrowUp")
    page.get_by_test_id("waiting").wait_for()  # shown while the last answer may still be on its way
    until(lambda: len(site.verdicts()) == 8, page)
    page.get_by_role("button", name="Finish", exact=True).click()
    assert site.store.jobs(site.store.run_by_name(site.run).id) == []
    page.get_by_role("button", name="Finish now").click()
    page.get_by_text("The trainer has been told").wait_for()
    assert [job.kind for job in site.store.jobs(site.store.run_by_name(site.run).id)] == ["finish"]
    page.keyboard.press("Escape")
    site.server.stop()  # as the trainer does when it ends
    page.get_by_text("The trainer has ended, and this page's server with it.").wait_for()
    assert page.get_by_role("alert").count() == 0
    site.server.start()


def test_what_cannot_be_told_is_not_of_what_is_wanted_and_the_end_is_told(page, site):
    site.store.edit_experiment(site.experiment, wanted=2)
    teach(page, site)
    press(page, site, "ArrowDown")
    page.get_by_test_id("progress").get_by_text("0 of 2 answers").wait_for()
    page.get_by_test_id("progress").get_by_text("1 can't tell").wait_for()
    press(page, site, "ArrowLeft")
    page.keyboard.press("ArrowUp")  # what was fetched ahead may still come
    while page.get_by_test_id("pair").count():
        page.wait_for_timeout(450)
        page.keyboard.press("ArrowUp")
    page.get_by_text("All 2 answers are given").wait_for()


def test_an_answer_can_be_changed_and_taken_back_in_the_list(page, site):
    teach(page, site)
    press(page, site, "ArrowUp")
    page.goto(f"{site.url}#/answers/{site.experiment}")
    rows = page.get_by_test_id("answer")
    rows.first.wait_for()
    until(lambda: all(canvas.evaluate(STANDARD_DEVIATION) > 5 for canvas in page.locator("canvas").all()), page)
    for choice, verdicts in (("Right is better", ["TIE", "RIGHT"]), ("Take it back", ["TIE", "RIGHT", "WITHDRAWN"])):
        rows.first.get_by_role("button", name="Change").click()
        rows.first.get_by_role("button", name=choice).click()
        until(lambda wanted=verdicts: site.verdicts() == wanted, page)
        page.locator(f"[data-testid=answer][data-verdict={verdicts[-1]}]").wait_for()


def test_on_a_desk_all_tools_stand_in_one_row(page, site):
    page.set_viewport_size({"width": 1280, "height": 800})
    teach(page, site)
    tops = {round(button.bounding_box()["y"]) for button in page.locator(".playbar button").all()}
    assert len(tops) == 1
    clip = page.get_by_test_id("pair").bounding_box()
    assert clip["height"] > 500
    page.get_by_role("button", name="r̂ of the last answer").click()
    page.get_by_text("r̂ appears here after your next answer").wait_for()


def test_watch_plays_the_newest_replay(page, site):
    enter(page, site)
    page.get_by_role("link", name="Watch").click()
    page.get_by_text("true return 123.0").wait_for()
    tabs = page.get_by_role("navigation", name="Experiment").get_by_role("link")
    assert tabs.all_inner_texts() == ["Teach", "Answers", "People", "Settings", "Watch"]
    canvas = page.locator("canvas").first
    until(lambda: canvas.evaluate(STANDARD_DEVIATION) > 5, page)
    first = canvas.screenshot()
    until(lambda: canvas.screenshot() != first, page)


@pytest.mark.parametrize("place", ["teach/none", "answers/none", "watch/none", "people/none", "settings/none", "none"])
def test_an_address_of_nothing_helps_on(page, site, place):
    enter(page, site)
    page.goto(f"{site.url}#/{place}")
    page.get_by_test_id("missing").get_by_text("none").wait_for()
    page.get_by_role("link", name="See the experiments there are").click()
    page.get_by_text("Hopper-v5").first.wait_for()


def test_the_alarm_is_told_to_whoever_teaches_but_not_to_invited_people(page, site):
    run = site.store.run_by_name(site.run)
    site.store.report(run.id, "training", "learning", {"alarm": "Look at the agent: r̂ rises."})
    teach(page, site)
    page.get_by_test_id("alarm").get_by_text("Look at the agent").wait_for()
    guest = site.store.create_token("labeller", site.store.labeller("guest"), site.experiment)
    page.goto("about:blank")
    page.goto(f"{site.url}#token={guest}&go=teach/{site.experiment}")
    page.get_by_test_id("pair").wait_for()
    assert page.get_by_test_id("alarm").count() == 0


def test_the_first_load_and_the_drawing_stay_small(page_is_built):
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in STATIC.rglob("*") if path.is_file()}
    drawing = sum(size for name, size in sizes.items() if name.startswith("engine-"))
    assert 0 < drawing <= 160_000
    assert sum(sizes.values()) - drawing <= 60_000
