"""The researcher's screens and invited people, in a real Chromium."""

from __future__ import annotations

import pytest

from rl_teacher.feedback.records import Submit
from rl_teacher.labels import Verdict
from tests.web.test_page import drawn, enter, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NASTY = "<img src=x onerror=alert(1)>"


def said_by(site, name: str, verdicts: list[Verdict]) -> None:
    who = site.store.labeller(name)
    claims = site.store.claim(site.experiment, who, len(verdicts))
    for number, (claim, verdict) in enumerate(zip(claims, verdicts, strict=True)):
        said = Submit(f"{number}-{who}", claim.query_id, who, verdict, lease=claim.lease, seconds=2.0)
        site.store.submit(said)


def test_settings_are_edited_with_a_preview_and_kept(page, site):
    enter(page, site)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Text").fill(f"# Hop\n\n*High*, {NASTY}")
    page.get_by_label("Preview").get_by_role("heading", name="Hop").wait_for()
    page.get_by_label("Preview").get_by_text(NASTY).wait_for()  # as text
    page.get_by_role("button", name="Save the instructions").click()
    page.get_by_label("Answers wanted").fill("60")
    page.get_by_label("People per pair").fill("2")
    page.get_by_label("Hidden repeats, %").fill("10")
    page.get_by_label("Gold pairs, %").fill("2.5")
    page.get_by_label("Count the answers").check()
    page.get_by_role("button", name="Save", exact=True).click()
    until(lambda: site.store.experiment_by_id(site.experiment).trust, page)
    kept = site.store.experiment_by_id(site.experiment)
    assert (kept.wanted, kept.answers_per_pair, kept.repeat_rate, kept.gold_rate) == (60, 2, 0.1, 0.025)
    assert kept.instructions == f"# Hop\n\n*High*, {NASTY}"
    page.get_by_role("button", name="Pause the agent").click()
    until(lambda: [job.kind for job in site.store.jobs(site.store.run_by_name(site.run).id)] == ["pause"], page)


def test_answers_are_narrowed_corrected_and_made_gold(page, site):
    site.store.edit_experiment(site.experiment, answers_per_pair=2)
    said_by(site, NASTY, [Verdict.LEFT, Verdict.LEFT, Verdict.TIE])
    said_by(site, "bob", [Verdict.LEFT, Verdict.RIGHT, Verdict.TIE])
    enter(page, site)
    page.get_by_role("link", name="Answers").first.click()
    rows = page.get_by_test_id("answer")
    until(lambda: rows.count() == 6, page)
    page.get_by_label("only disputed").check()
    until(lambda: rows.count() == 2, page)
    page.get_by_label("Person").select_option(label=NASTY)
    until(lambda: rows.count() == 1, page)
    rows.first.get_by_role("button", name="Correct").click()
    rows.first.get_by_role("button", name="Right is better").click()
    until(lambda: site.verdicts()[-1] == "RIGHT" and len(site.verdicts()) == 7, page)
    page.get_by_role("button", name="Show all").click()
    until(lambda: rows.count() == 7, page)
    rows.first.get_by_text("correction").wait_for()
    rows.first.get_by_role("button", name="Make it a gold pair").click()
    rows.first.get_by_role("button", name="Right is better").click()
    page.get_by_text("gold: right is better").first.wait_for()
    query = site.store.labels_since(site.experiment)[-1].query_id
    assert site.store.answers(site.experiment)[0].gold is Verdict.RIGHT
    assert any(label.overrules for label in site.store.labels_of([query])[query])
    page.get_by_role("link", name="People", exact=True).click()
    people = page.get_by_test_id("person")
    until(lambda: people.count() == 2, page)
    assert people.first.get_by_text(NASTY).count() + people.last.get_by_text(NASTY).count() == 1
    page.get_by_text("Krippendorff’s α =").wait_for()


def test_an_invited_browser_gives_a_name_once_and_answers(page, site, chromium):
    enter(page, site)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("button", name="Make a link").click()
    invitation = page.get_by_test_id("invitation")
    url = invitation.get_by_label("Link").input_value()
    image = invitation.get_by_role("img")
    until(lambda: image.evaluate("image => image.complete && image.naturalWidth > 50"), page)
    names = []
    for number in range(2):
        context = chromium.new_context(viewport={"width": 360, "height": 700})
        guest = context.new_page()
        guest.set_default_timeout(20_000)
        guest.goto(url)
        guest.get_by_label("Your name").fill("Ann")
        guest.get_by_role("button", name="Start").click()
        guest.get_by_role("dialog").wait_for()
        guest.keyboard.press("Enter")
        drawn(guest)
        guest.keyboard.press("ArrowLeft")
        until(lambda number=number: len(site.verdicts()) == number + 1, guest)
        guest.goto(f"{site.url}#/")
        guest.goto(url)  # again, in the same browser: no name is asked for
        guest.get_by_test_id("pair").wait_for()
        assert guest.get_by_label("Your name").count() == 0
        names = [person.name for person in site.store.people(site.experiment).people]
        context.close()
    assert sorted(names) == ["Ann", "Ann 2"]


def test_what_a_closed_tab_held_goes_to_somebody_else(page, site, chromium):
    """The page claims three pairs ahead; they are given back when it is closed, without waiting for the leases' end."""
    guest = chromium.new_context().new_page()
    token = site.store.create_token("labeller", site.store.labeller("Ann"), site.experiment)
    guest.goto(f"{site.url}#token={token}&go=teach/{site.experiment}")
    guest.get_by_role("dialog").wait_for()
    guest.keyboard.press("Enter")
    drawn(guest)
    bob = site.store.labeller("Bob")
    assert len(site.store.claim(site.experiment, bob, 8)) < 8
    guest.close(run_before_unload=True)
    until(lambda: len(site.store.claim(site.experiment, bob, 8)) == 8, page)


def test_an_experiment_that_is_not_there_is_told_with_a_way_out(page, site):
    enter(page, site)
    page.goto(f"{site.url}#/settings/nothing")
    page.get_by_text("There is no experiment 'nothing'").wait_for()
    page.get_by_role("link", name="See the experiments there are").click()
    page.get_by_test_id("experiment").wait_for()
