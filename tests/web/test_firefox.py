"""The page in Firefox ESR, where that is installed: it opens, answers to keys, and keeps what was said."""

from __future__ import annotations

import time

import pytest

from tests.system import find_firefox, tool_missing
from tests.web.firefox import firefox

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.timeout(180)
def test_firefox_opens_the_page_and_answers(site, tmp_path):
    program = find_firefox()
    if program is None:
        tool_missing("Firefox is missing. Install it as root with: apt-get install firefox-esr")
    profile = tmp_path / "profile"
    profile.mkdir()
    with firefox(program, profile) as tab:
        tab.goto(f"{site.url}#token={site.token}&go=teach/{site.experiment}")
        tab.until("document.querySelector('dialog[open]')?.innerText.includes('move right')")
        assert site.token not in tab.evaluate("location.href")
        tab.evaluate("document.querySelector('dialog button').click()")
        tab.until("!document.querySelector('dialog')")
        draws = tab.evaluate("Boolean(document.createElement('canvas').getContext('webgl2'))")
        if draws:
            tab.until("document.querySelectorAll('[data-testid=pair] .clip').length === 2")
        else:  # there is no trainer here to make videos of the clips
            tab.until("document.querySelector('[data-testid=filming]')?.innerText.includes('cannot draw clips')")
        tab.press("?")
        tab.until("document.querySelector('dialog')?.innerText.includes('Left is much better')")
        tab.press("?")
        tab.until("!document.querySelector('dialog')")
        if not draws:
            return  # no pair can be seen here, so none can be answered
        time.sleep(2)
        tab.press("3")
        tab.until("document.querySelector('[data-testid=told]').innerText.includes('left is slightly better')")
        tab.until("document.querySelector('[data-testid=delivery]').innerText === 'saved'")
        assert [str(label.strength) for label in site.store.labels_since(site.experiment, 0, 10)] == ["SLIGHT"]
        tab.press("Backspace")
        tab.until("document.querySelector('[data-testid=told]').innerText.includes('Taken back')")
