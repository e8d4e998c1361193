"""How long a person waits: from the key press until both clips of the next pair are drawn."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from tests.web.test_page import teach, turn, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BOUND_MS = 100
N = 100
BUSY = 2.5
"""Processes per processor from which the tail says more about them than about the page."""
KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "3", "5", "Shift+ArrowLeft")
OBSERVE = """
  window.waits = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntriesByName('rlt-next-pair')) window.waits.push(entry.duration);
  }).observe({type: 'measure'});
"""


def waits(page, n: int) -> np.ndarray:
    """Answer n pairs, each as soon as the guard lets it through: milliseconds from each press to the next pair."""
    page.evaluate("window.waits = []")
    for done in range(n):
        before = turn(page)
        page.keyboard.press(KEYS[done % len(KEYS)])
        until(lambda before=before: turn(page) != before, page)
        page.wait_for_function("n => window.waits.length > n", arg=done)
        page.wait_for_timeout(330)  # the guard's least time for a look
    return np.array(page.evaluate("window.waits"))


@pytest.mark.timeout(400)
def test_the_next_pair_is_there_within_a_tenth_of_a_second(page, site):
    site.ask_more(2 * N)
    page.add_init_script(OBSERVE)
    teach(page, site)
    found = waits(page, N)
    if np.percentile(found, 95) > BOUND_MS:  # other processes may have had the processor: once more
        found = waits(page, N)
    median, high, worst = np.percentile(found, [50, 95, 100])
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    said = f"median {median:.0f} ms, 95th percentile {high:.0f} ms, worst {worst:.0f} ms"
    sys.stdout.write(f"{N} presses: {said}; {load:.1f} processes want each processor\n")  # seen with pytest -s
    assert median <= BOUND_MS, said
    if load > BUSY and high > BOUND_MS:
        pytest.skip(f"NOT TESTED: {load:.1f} processes want each processor, so others are measured, too: {said}")
    assert high <= BOUND_MS, said
