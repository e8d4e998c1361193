"""A person teaches in a real browser: trainer, server, page and keys, nothing made up but the person's taste."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from rl_teacher.feedback.store import open_store
from tests.trainer import training
from tests.web.test_page import drawn, turn, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.timeout(240)
def test_keys_pressed_in_chromium_make_the_cheetah_run(chromium, page_is_built):
    with training("-p human -L 12 -e HalfCheetah-v1 -n keys -V") as trainer:
        trainer.wait_for("#token=")
        address = re.search(r"http://\S+", trainer.output)
        assert address
        store = open_store(Path("runs"))
        page = chromium.new_page(viewport={"width": 860, "height": 640})
        swapped: dict[str, bool] = {}

        def note(response) -> None:
            if response.url.endswith("/claim") and response.ok:
                for lent in response.json()["queries"]:
                    swapped[lent["query_id"]] = lent["swapped"]

        page.on("response", note)
        page.goto(address.group())
        page.get_by_role("dialog").wait_for()  # the instructions come first
        page.keyboard.press("Enter")
        try:
            for _ in range(30):
                drawn(page)
                query_id = page.get_by_test_id("pair").get_attribute("data-query")
                left, right, _ = store.load_segments(query_id)
                left_is_better = left["env_rew"].sum() > right["env_rew"].sum()
                before = turn(page)
                page.keyboard.press("ArrowLeft" if left_is_better != swapped[query_id] else "ArrowRight")
                until(lambda before=before: turn(page) != before, page)
            trainer.wait_for("learning from the answers")
            deadline = time.monotonic() + 60
            while _metrics()[-1]["step"] < 170_000 and time.monotonic() < deadline:
                page.wait_for_timeout(300)
            page.get_by_role("button", name="Finish").click()
            page.get_by_role("button", name="Finish now").click()
            assert trainer.end() == 0
        finally:
            page.close()
            store.close()
    done = json.loads(Path("runs/keys/summary.json").read_text())
    assert done["finished"]
    assert done["labels"]["left"] + done["labels"]["right"] == 30
    assert done["true_return"]["mean"] > 200  # a cheetah that does nothing has 0


def _metrics() -> list[dict]:
    return [json.loads(line) for line in Path("runs/keys/metrics.jsonl").read_text().splitlines()]
