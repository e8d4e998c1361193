"""Answering without a mouse: the whole scale, undo, keys of one's own, dialogs, and what must not answer."""

from __future__ import annotations

import pytest

from tests.web.test_page import drawn, on_screen, press, teach, turn, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def focus(page) -> str:
    """The name of what has the keyboard."""
    return page.evaluate(
        """() => {
          const focused = document.activeElement, copy = focused.cloneNode(true);
          copy.querySelectorAll('[aria-hidden]').forEach(hidden => hidden.remove());
          return focused.getAttribute('aria-label') || copy.textContent.trim() || focused.tagName;
        }"""
    )


def tab_to(page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if focus(page).startswith(name):
            return
    pytest.fail(f"the Tab key does not lead to '{name}'")


def answer_of(page, name: str):
    return page.get_by_role("group", name="Your answer").get_by_role("button", name=name)


def test_one_to_seven_are_the_whole_scale(page, site):
    swapped = teach(page, site)
    press(page, site, *"1234567")
    answers = list(reversed(site.store.answers(site.experiment, None, None, 50)))
    seen = [(on_screen(str(a.label.verdict), swapped[a.label.query_id]), str(a.label.strength)) for a in answers]
    left = [("LEFT", "MUCH"), ("LEFT", "PLAIN"), ("LEFT", "SLIGHT")]
    right = [("RIGHT", strength) for _, strength in reversed(left)]
    assert seen == [*left, ("TIE", "PLAIN"), *right]
    assert [a.label.key for a in answers] == list("1234567")


def test_the_last_ten_answers_can_be_undone_and_no_more(page, site):
    site.ask_more(6)
    teach(page, site)
    press(page, site, *["ArrowLeft", "ArrowRight"] * 6)
    undo = page.get_by_role("button", name="Undo")
    for n in range(10):
        page.keyboard.press("Backspace" if n % 2 else "Control+z")
    until(lambda: site.verdicts().count("WITHDRAWN") == 10, page)
    assert undo.is_disabled()
    page.keyboard.press("Backspace")
    page.wait_for_timeout(500)
    assert site.store.counts(site.experiment).answered == 2


def test_keys_can_be_changed_and_the_buttons_say_so(page, site):
    teach(page, site)
    page.keyboard.press("?")
    page.get_by_role("button", name="Equally good: ↑").click()
    page.keyboard.press("t")
    page.get_by_text("T already means “Real time”").wait_for()
    page.get_by_role("button", name="Leave it").click()
    page.get_by_role("button", name="Equally good: ↑").click()
    page.keyboard.press("Tab")  # leads on, as everywhere
    page.get_by_role("button", name="Equally good: ↑").click()
    page.keyboard.press("e")
    page.get_by_text("E now means “Equally good”").wait_for()
    page.keyboard.press("Escape")
    assert answer_of(page, "Equally good").inner_text().split() == ["E", "Equally", "good"]
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(300)
    assert site.verdicts() == []
    press(page, site, "e")
    page.reload()
    drawn(page)
    press(page, site, "e")
    assert site.verdicts() == ["TIE", "TIE"]
    page.keyboard.press("?")
    page.get_by_role("button", name="Reset to the usual keys").click()
    page.get_by_role("button", name="Equally good: ↑").wait_for()


def test_a_swap_of_two_keys_leaves_each_with_one_meaning(page, site):
    teach(page, site)
    page.keyboard.press("?")
    page.get_by_role("button", name="Left is better: ←").click()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Swap the two").click()
    page.get_by_role("button", name="Right is better: ←").wait_for()
    page.get_by_role("button", name="Close").click()
    swapped = teach_again(page)
    press(page, site, "ArrowRight")
    label = site.store.labels_since(site.experiment, 0, 10)[0]
    assert on_screen(str(label.verdict), swapped[label.query_id]) == "LEFT"


def teach_again(page) -> dict[str, bool]:
    """Load the page anew and note which queries are swapped."""
    swapped: dict[str, bool] = {}

    def note(response) -> None:
        if response.url.endswith("/claim") and response.ok:
            for lent in response.json()["queries"]:  # what came first is shown, even if it is lent anew meanwhile
                swapped.setdefault(lent["query_id"], lent["swapped"])

    page.on("response", note)
    page.reload()
    drawn(page)
    return swapped


def test_nothing_answers_behind_a_dialog_nor_by_a_held_enter(page, site):
    teach(page, site)
    before = turn(page)
    page.keyboard.press("h")
    page.get_by_role("dialog").wait_for()
    for key in ("ArrowLeft", "1", "Backspace"):
        page.keyboard.press(key)
    page.keyboard.press("h")  # the key that opened it closes it
    page.get_by_role("dialog").wait_for(state="detached")
    assert turn(page) == before
    page.wait_for_timeout(400)
    answer_of(page, "Can't tell").focus()
    for _ in range(12):
        page.keyboard.down("Enter")
        page.wait_for_timeout(60)
    page.keyboard.up("Enter")
    until(lambda: site.verdicts() == ["ABSTAIN"], page)
    page.wait_for_timeout(500)
    assert site.verdicts() == ["ABSTAIN"]


def test_alt_with_an_arrow_stays_the_browsers(page, site):
    teach(page, site)
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_timeout(300)
    assert site.verdicts() == []


def test_everything_can_be_done_with_the_keyboard_alone(page, site):
    teach(page, site)
    tab_to(page, "Left is better")
    names = [focus(page)]
    for _ in range(3):
        page.keyboard.press("Tab")
        names.append(focus(page))
    assert names == ["Left is better", "Equally good", "Can't tell", "Right is better"]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    until(lambda: len(site.verdicts()) == 1, page)
    page.get_by_test_id("told").get_by_text("You said: right is better").wait_for()
    assert focus(page) == "Right is better"  # the focus stays where it was
    tab_to(page, "Keys")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert focus(page) == "Close"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.matches('.answer, .tool, .brand')")  # it does not leave
        seen.add(focus(page))
    assert "Equally good: ↑" in seen
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert focus(page) == "Keys"
    tab_to(page, "RL-Teacher: all")
    page.keyboard.press("Enter")
    page.get_by_test_id("experiment").wait_for()


def test_the_clips_can_be_slowed_stopped_and_stepped(page, site):
    teach(page, site)
    factor = page.get_by_test_id("factor")
    for key, shown in zip("[[]]]]]", (0.75, 0.5, 0.75, 1, 1.5, 2, 2), strict=True):
        page.keyboard.press(key)
        assert factor.inner_text() == f"{shown}×"
    page.get_by_test_id("speed").get_by_text("4.2× slower than life").wait_for()
    page.keyboard.press(".")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.wait_for_timeout(300)
    canvas = page.locator("[data-testid=pair] canvas").first
    still = canvas.screenshot()
    page.wait_for_timeout(300)
    assert canvas.screenshot() == still
    page.keyboard.press(".")
    until(lambda: canvas.screenshot() != still, page)
    page.keyboard.press(",")
    until(lambda: canvas.screenshot() == still, page)
    press(page, site, "ArrowUp")
    assert factor.inner_text() == "2×"  # stays for the next pair
    page.get_by_role("button", name="Pause", exact=True).wait_for()


def test_instructions_show_example_clips_and_come_back_when_they_change(page, site):
    clip = site.segments[0].clip_id
    text = f"Like this:\n\n![a good hop](clip:{clip})\n![not this](clip:gone)\n\n<img src=x onerror=alert(1)>"
    site.store.edit_experiment(site.experiment, instructions=text)
    teach(page, site)
    site.store.edit_experiment(site.experiment, instructions=text + "\n\nAnd be quick.")
    page.get_by_text("And be quick.").wait_for()  # within seconds, without a reload
    examples = page.get_by_test_id("example")
    assert examples.count() == 2
    canvas = examples.nth(0).locator("canvas")
    canvas.wait_for()
    first = canvas.screenshot()
    until(lambda: canvas.screenshot() != first, page)
    examples.nth(1).get_by_text("This example clip is missing").wait_for()
    page.get_by_text("<img src=x onerror=alert(1)>").wait_for()
    page.get_by_role("button", name="Start").click()
    page.reload()
    drawn(page)
    assert page.get_by_role("dialog").count() == 0
