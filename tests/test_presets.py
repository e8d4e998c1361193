from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.config import RewardConfig
from rl_teacher.errors import UserError
from rl_teacher.presets import PRESETS, Preset, preset
from rl_teacher.queries.schedules import make_schedule
from tests.reward.test_model import by_first_number, model

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "presets.md").read_text(encoding="utf-8")


def test_unknown_presets_are_told_with_the_names():
    with pytest.raises(UserError, match=r"Unknown preset 'best'.*Allowed: default, original, paper"):
        preset("best")
    assert preset("PAPER") is PRESETS["paper"]


@pytest.mark.parametrize("name", PRESETS)
def test_each_learns_from_answers_and_its_schedule_ends_at_their_number(name):
    recipe = PRESETS[name]
    schedule = make_schedule(recipe.label_schedule, 700, 175, 1_000_000, 8_192)
    assert (schedule.desired(0), schedule.desired(1_000_000)) == (175, 700)
    settings = {field.name: getattr(recipe.reward, field.name) for field in fields(RewardConfig)}
    comparisons = by_first_number(200)
    r_hat = model(**settings)
    info = r_hat.fit(comparisons, 400)
    assert info["accuracy"] > 0.75
    sides = [[r_hat.predict(s.obs, s.act).sum() for s in (c.query.left, c.query.right)] for c in comparisons]
    assert (
        np.mean([(left > right) == (c.mu[0] > 0.5) for (left, right), c in zip(sides, comparisons, strict=True)]) > 0.75
    )


def test_paper_is_what_the_paper_says():
    reward = PRESETS["paper"].reward
    assert (reward.members, reward.bootstrap, reward.adaptive_l2, reward.error_rate) == (3, True, True, 0.1)
    assert (reward.normalise_outputs, reward.hidden, reward.slope, reward.learn_ties) == (True, (64, 64), 0.01, True)
    assert (PRESETS["paper"].queries, PRESETS["paper"].label_schedule) == ("disagreement", "hyperbolic")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("field", [f"reward.{f.name}" for f in fields(RewardConfig)] + ["queries", "label_schedule"])
def test_the_page_shows_every_setting_of_all_three(field):
    row = re.search(rf"^\| `{re.escape(field)}` \|(.*)$", PAGE, re.MULTILINE)
    assert row, f"docs/presets.md has no line for {field}"
    cells = [cell.strip().strip("*`") for cell in row[1].split("|")][:3]
    assert cells == [_shown(_value(PRESETS[name], field)) for name in ("original", "paper", "default")]


def _value(recipe: Preset, field: str) -> object:
    part, _, name = field.partition(".")
    return getattr(recipe.reward, name) if name else getattr(recipe, part)
