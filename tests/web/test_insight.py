"""What was learned, in a real Chromium: a run that a person taught and stopped, its worker, its server, its page."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rl_teacher.feedback.store import Store, open_store
from rl_teacher.insight.curves import Curves
from tests.trainer import person, training
from tests.web.conftest import ROOT
from tests.web.test_page import STANDARD_DEVIATION, drawn, press, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

N_ANSWERS = 40
WRONG = 0.15


@dataclass(frozen=True)
class Taught:
    """A stopped run, served, with a worker beside it."""

    url: str
    token: str
    store: Store
    experiment: str

    def verdicts(self) -> list[str]:
        return [str(label.verdict) for label in self.store.labels_since(self.experiment, 0, 1000)]

    def open(self, page, where: str) -> None:
        page.goto(f"{self.url}#token={self.token}")
        page.get_by_test_id("experiment").wait_for()
        page.goto(f"{self.url}#/{where}")


@pytest.fixture(scope="module")
def taught_folder(tmp_path_factory) -> Iterator[tuple[Path, str, str]]:
    """The folder of runs, the experiment, and the labeller who taught it; some answers are slips."""
    folder = tmp_path_factory.mktemp("taught")
    before = Path.cwd()
    os.chdir(folder)
    slips = random.Random(1)
    try:
        with training("-p human -L 12 -e HalfCheetah-v1 -n seen -V") as trainer, person(trainer) as me:

            def judge(query_id: str) -> str:
                better = me.better(query_id)
                return better if slips.random() > WRONG else {"LEFT": "RIGHT", "RIGHT": "LEFT"}[better]

            me.answer(12, judge)
            trainer.wait_for("learning from the answers")
            while me.experiment()["counts"]["answered"] < N_ANSWERS:
                me.answer(3, judge)
                time.sleep(1.0)  # a round or two, each of which fits r̂ to what was said
            trainer.process.send_signal(signal.SIGINT)
            assert trainer.end(90) == 0
            who = me.store.answers(me.experiment_id, None, None, 1)[0].label.labeller
            yield folder / "runs", me.experiment_id, who
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def site(taught_folder, page_is_built) -> Iterator[Taught]:
    """A server and a worker over the run; the tests go on with the same store."""
    runs, experiment, who = taught_folder
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    serve = [sys.executable, "-m", "rl_teacher.server", "--run-dir", str(runs), "--port", "0"]
    work = [sys.executable, "-m", "rl_teacher.cli", "worker", "--run_dir", str(runs)]
    with (runs / "worker.log").open("w") as log:
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=here)
        worker = subprocess.Popen(work, stdout=log, stderr=log, env=here)
    store = open_store(runs)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        deadline = time.monotonic() + 60
        while "Ready" not in (runs / "worker.log").read_text():
            assert time.monotonic() < deadline, (runs / "worker.log").read_text()
            time.sleep(0.2)
        yield Taught(line[line.index("http://") :].strip(), store.create_token("admin", who), store, experiment)
    finally:
        for process in (server, worker):
            process.terminate()
            process.wait(timeout=10)
        if server.stdout is not None:
            server.stdout.close()
        store.close()


def fits_the_window(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_watch_shows_curves_that_can_be_read_by_keyboard_and_as_a_table(page, site):
    site.open(page, "watch/seen")
    charts = page.get_by_test_id("chart")
    page.get_by_text("Accuracy of r̂ on held-out answers", exact=True).wait_for()
    assert charts.count() == 4
    drawing = charts.first.get_by_role("img")
    drawing.focus()
    page.keyboard.press("Home")
    first = charts.first.get_by_role("status").inner_text()
    assert re.fullmatch(r"environment steps [\d.]+( k)?: \d+ %", first)
    page.keyboard.press("ArrowRight")
    assert charts.first.get_by_role("status").inner_text() != first
    charts.first.get_by_text("As a table").click()
    rows = charts.first.locator("tbody tr")
    until(lambda: rows.count() > 3, page)
    assert first.split()[2].rstrip(":") == rows.first.locator("td").first.inner_text().split()[0]
    page.get_by_role("button", name="against answers").click()
    until(lambda: charts.count() == 3, page)
    drawing.focus()
    page.keyboard.press("End")
    assert charts.first.get_by_role("status").inner_text().startswith("answers ")


def test_the_agent_plays_now_and_r_hat_runs_along_below(page, site):
    site.open(page, "watch/seen")
    before = len(site.store.replays(site.store.run_by_name("seen").id, 100))
    page.get_by_role("button", name="Play now").click()
    page.locator(".player").get_by_test_id("strip").wait_for()
    assert len(site.store.replays(site.store.run_by_name("seen").id, 100)) == before + 1
    canvas = page.locator("canvas").first
    until(lambda: canvas.evaluate(STANDARD_DEVIATION) > 5, page)
    cursor = page.locator(".strip .cursor")
    place = cursor.get_attribute("x1")
    until(lambda: cursor.get_attribute("x1") != place, page)


def test_best_and_worst_clips_and_the_forecast_are_shown_on_a_phone_too(page, site):
    page.set_viewport_size({"width": 360, "height": 740})
    site.open(page, "watch/seen")
    page.get_by_test_id("best-worst").scroll_into_view_if_needed()
    rated = page.get_by_test_id("rated")
    until(lambda: rated.count() == 6, page)
    means = [float(rated.nth(i).locator("small").first.inner_text().split()[-1].replace("−", "-")) for i in range(6)]
    assert min(means[:3]) > max(means[3:])
    assert means == [*sorted(means[:3], reverse=True), *sorted(means[3:])]
    page.get_by_test_id("forecast").scroll_into_view_if_needed()
    line = page.get_by_test_id("forecast-line")
    line.wait_for()
    assert re.match(r"At \d+ % now, (50|100) more answers would ", line.inner_text())
    assert fits_the_window(page)


def test_an_answer_that_r_hat_doubts_is_kept_or_corrected_with_one_click(page, site):
    site.open(page, "watch/seen")
    page.get_by_test_id("disagreements").scroll_into_view_if_needed()
    rows = page.get_by_test_id("disagreement")
    rows.first.wait_for()
    title = rows.first.locator(".strong").inner_text()
    said = re.fullmatch(r"You said (left|right), r̂ says (left|right): check\?", title)
    assert said
    assert said[1] != said[2]
    before = len(site.verdicts())
    rows.first.get_by_role("button", name=f"Correct: {said[2]}").click()
    page.get_by_text(f"Corrected: {said[2]} is better.").wait_for()
    until(lambda: len(site.verdicts()) == before + 1, page)
    corrected = site.store.labels_since(site.experiment, 0, 1000)[-1]
    assert (str(corrected.verdict), corrected.key) == (said[2].upper(), "corrected")
    newest = site.store.labels_of([corrected.query_id])[corrected.query_id]
    assert [label.seq for label in newest] == [corrected.seq]  # a new event in the place of the old one
    rows.first.get_by_role("button", name="Keep").click()
    page.get_by_text("Kept.").wait_for()
    until(lambda: len(site.verdicts()) == before + 2, page)
    kept = site.store.labels_since(site.experiment, 0, 1000)[-1]
    assert kept.key == "kept"
    page.wait_for_timeout(5_500)  # an answer to the same question is not asked for again within five seconds
    page.reload()
    page.get_by_test_id("disagreements").scroll_into_view_if_needed()
    rows.first.wait_for()
    job = site.store.same_job(site.store.run_by_name("seen").id, "disagreements", {}, 0.0)
    doubted = [row["query_id"] for row in site.store.job(job)[1].data["answers"]]
    assert kept.query_id in doubted  # r̂ still disagrees …
    answers = site.store.standing_answers(doubted)
    assert page.get_by_role("status").filter(has_text="answers.").count() >= 1
    assert sum(answer.label.key != "kept" for answer in answers) < len(doubted)  # … but it is not brought up


def test_r_hat_along_a_clip_is_seen_in_the_list_of_answers(page, site):
    site.open(page, f"answers/{site.experiment}")
    row = page.get_by_test_id("answer").first
    row.get_by_role("button", name="What r̂ says").click()
    until(lambda: row.get_by_test_id("strip").count() == 2, page)
    assert re.search(r"r̂ (says (left|right) is better, \d+ % sure|hardly sees a difference)", row.inner_text())
    described = row.get_by_test_id("strip").first.get_by_role("img").get_attribute("aria-label")
    assert described.startswith("r̂ along the left clip: mean ")


def test_while_teaching_r_hat_is_off_until_asked_for_and_never_before_the_answer(page, site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/insight" in request.url else None)
    site.open(page, f"teach/{site.experiment}")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Enter")
    drawn(page)
    press(page, site, "ArrowLeft")
    assert asked == []
    page.get_by_role("button", name="r̂ of the last answer").click()
    panel = page.get_by_role("complementary", name="Last answer")
    until(lambda: panel.get_by_test_id("strip").count() == 2, page)
    assert "You said: Left is better" in panel.inner_text()
    first = panel.inner_text()
    press(page, site, "ArrowRight")
    until(lambda: panel.get_by_test_id("strip").count() == 2 and panel.inner_text() != first, page)
    assert "You said: Right is better" in panel.inner_text()
    press(page, site, "Backspace")
    panel.get_by_text("appears here after your next answer").wait_for()


def test_a_labeller_is_shown_nothing_of_r_hat(page, site):
    somebody = site.store.create_token("labeller", site.store.labeller("somebody"), site.experiment)
    page.goto(f"{site.url}#token={somebody}")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Enter")
    page.get_by_test_id("pair").wait_for()
    assert page.get_by_text("r̂ of the last answer").count() == 0
    page.goto(f"{site.url}#/watch/seen")
    page.get_by_test_id("replay").first.wait_for()
    page.wait_for_timeout(500)
    assert page.get_by_test_id("curves").count() == 0
    assert page.get_by_role("button", name="Play now").count() == 0
    for screen in ("settings", "people"):
        page.goto(f"{site.url}#/{screen}/{site.experiment}")
        page.get_by_text("This page is for whoever runs the experiment").wait_for()
        page.goto(f"{site.url}#/")
        page.get_by_test_id("experiment").wait_for()


def test_the_alarm_stands_above_the_curves(page, site):
    curves = Curves(site.store, site.store.run_by_name("seen").id, 10**12)
    step = site.store.points(site.store.run_by_name("seen").id)[-1].step
    site.open(page, "watch/seen")
    page.get_by_test_id("chart").first.wait_for()
    assert page.get_by_test_id("alarm").count() == 0
    for i, n in enumerate(range(200, 300, 5)):
        figures = {"reward/comparisons": n, "labels/answered": n, "reward/fitted": 1.0}
        curves.add(step + 4_096 * (i + 1), figures | {"reward/held_out_accuracy": 0.9 - i / 50, "rew_mean": 1 + i / 10})
    page.get_by_test_id("alarm").wait_for()
    assert "It may be pleasing r̂ and not you" in page.get_by_test_id("alarm").inner_text()
    curves.add(step + 4_096 * 30, {"reward/comparisons": 400, "reward/fitted": 1.0})
    until(lambda: page.get_by_test_id("alarm").count() == 0, page)
