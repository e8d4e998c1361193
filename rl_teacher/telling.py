"""A run in figures: for the page, the terminal and summary.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rl_teacher.insight.alarm import Alarm
from rl_teacher.loop import TeachingLoop
from rl_teacher.rounds import Loop


def tally(loop: Loop) -> dict[str, int]:
    """How many questions were asked, answered, and answered left, right, tie, abstain."""
    if isinstance(loop, TeachingLoop):
        return dict(loop.teacher.tally())
    return dict.fromkeys(("asked", "answered", "left", "right", "tie", "abstain"), 0)


def about_reward(loop: Loop, latest: Mapping[str, float]) -> dict[str, Any] | None:
    """What summary.json says of r̂; None where there is none.

    Args:
        loop: Of the run.
        latest: The newest figures by the name of their metric.
    """
    if not isinstance(loop, TeachingLoop):
        return None
    return {
        "members": loop.reward.n_members,
        "fits": loop.reward.n_fits,
        "held_out_accuracy": number(latest.get("reward/held_out_accuracy", math.nan)),
        "correlation": number(latest.get("reward/correlation", math.nan)),
    }


def progress(loop: Loop, total: int | None, paused: bool, latest: Mapping[str, float], alarm: Alarm | None) -> dict:
    """What the page is told twice a second."""
    figures = {"step": loop.steps, "total": total, "paused": int(paused), **tally(loop), **latest}
    known: dict[str, Any] = {name: n for name, n in figures.items() if n is None or math.isfinite(n)}
    return known if alarm is None else {**known, "alarm": alarm.line()}


def terminal(loop: Loop, total: int | None, latest: Mapping[str, float], return_name: str) -> dict[str, str]:
    """What the terminal shows, by what stands before it."""
    figures = {"steps": f"{loop.steps:,}" + (f" of {total:,}" if total else "")}
    if "steps_per_second" in latest:
        figures["steps/s"] = f"{latest['steps_per_second']:,.0f}"
    if isinstance(loop, TeachingLoop):
        counts = tally(loop)
        figures["answers"] = f"{counts['answered']} of {counts['asked']} asked"
        figures |= held_out(latest)
    if return_name in latest:
        figures[return_name.replace("_", " ")] = f"{latest[return_name]:,.1f}"
    return figures


def held_out(latest: Mapping[str, float]) -> dict[str, str]:
    """r̂'s accuracy for the terminal; nothing while no answer is held out, as with the very first ones."""
    accuracy = latest.get("reward/held_out_accuracy", math.nan)
    return {"accuracy": f"{accuracy:.0%} on held-out answers"} if math.isfinite(accuracy) else {}


def number(value: float) -> float | None:
    """A figure for JSON, which knows no NaN."""
    return round(value, 4) if math.isfinite(value) else None
