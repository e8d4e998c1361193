"""Bodies of the routes about what was learned."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from rl_teacher.server.shapes import ClipRef, Id, LabelOut, ReplayOut


class InsightBody(BaseModel):
    """A question about what was learned."""

    kind: Literal["rewards", "best_worst", "agent_now", "disagreements", "forecast"]
    query_id: Id | None = None
    """With `rewards`: along the clips of which question."""
    run: str | None = Field(default=None, max_length=200)
    """Name of the run; by default the experiment's newest."""


class Strip(BaseModel):
    """r̂ of every step of a clip, and their sum."""

    rewards: list[float]
    sum: float


class QueryRewards(BaseModel):
    """r̂ along both clips of a question, left and right as the question has them."""

    left: Strip
    right: Strip
    p_left: float
    """P[left is better] after r̂."""


class RatedClip(Strip):
    """A clip with what r̂ says of it."""

    step: int
    clip: ClipRef


class BestWorst(BaseModel):
    """The recent clips that r̂ likes best and least, each list beginning with the extreme one."""

    n: int
    """Clips looked through."""
    answered: bool
    """Whether they are clips of answered questions; else of what the agent did last."""
    best: list[RatedClip]
    worst: list[RatedClip]


class Played(BaseModel):
    """An episode that the present policy has just played."""

    replay: ReplayOut
    strip: Strip | None


class Disagreement(LabelOut):
    """An answer that r̂ holds for unlikely."""

    p: float
    """P[this answer] after those members of r̂ that did not learn from it."""


class Disagreements(BaseModel):
    """Answers that r̂ disagrees with, the least likely first."""

    n: int
    """Answers looked through."""
    answers: list[Disagreement]


class More(BaseModel):
    """What further answers would bring: gain in held-out accuracy, with its 10th and 90th percentile."""

    answers: int
    gain: float
    low: float
    high: float


class ForecastOut(BaseModel):
    """Held-out accuracy against answers: measured, and a − b·n^(−c) drawn through it with its band."""

    measured: list[tuple[float, float]]
    """(answers, accuracy)."""
    curve: list[tuple[float, float, float, float]]
    """(answers, accuracy, 10th percentile, 90th percentile)."""
    formula: dict[str, float]
    now: float
    more: list[More]


class InsightOut(BaseModel):
    """What came of a question; of the last five fields the one of its kind is there when it is done."""

    job_id: str
    kind: str
    state: str
    """queued, taken, done or failed."""
    message: str
    """What went wrong, or who is waited for; else empty."""
    rewards: QueryRewards | None = None
    best_worst: BestWorst | None = None
    agent_now: Played | None = None
    disagreements: Disagreements | None = None
    forecast: ForecastOut | None = None


class AlarmOut(BaseModel):
    """r̂ rises while its held-out accuracy falls (docs/insight.md)."""

    line: str
    answers: int
    reward_before: float
    reward_now: float
    accuracy_before: float
    accuracy_now: float


class CurvesOut(BaseModel):
    """The curves of a run, as columns of equal length; null where nothing new was measured."""

    run: str
    predictor: str
    step: list[int]
    at: list[float]
    answers: list[float | None]
    accuracy: list[float | None]
    """r̂'s, on held-out answers."""
    reward: list[float | None]
    """Mean reward that the agent was given in its play: r̂, or the task's own in `rl` mode."""
    true_return: list[float | None]
    behavior_return: list[float | None]
    alarm: AlarmOut | None
