"""What goes into the store and comes out of it, as plain data. Times are Unix seconds, ids hexadecimal text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rl_teacher.errors import UserError
from rl_teacher.labels import Label, Strength, Verdict

ALIVE_SECONDS = 30.0
"""A trainer that has said nothing for this long is taken for gone."""


class NotFoundError(UserError):
    """Nothing in the store has this id."""


class ConflictError(UserError):
    """What is asked for contradicts what the store holds."""


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment on its way into the store."""

    key: str
    """trajectory.Segment.key."""
    data: bytes
    """Its arrays, from `arrays.pack_arrays`."""
    clip_id: str
    """From `Store.add_clip`."""
    step: int = 0
    episode: int = 0
    start: int = 0
    n_steps: int = 0


@dataclass(frozen=True, slots=True)
class NewQuery:
    """A question on its way into the store."""

    pair: str
    """trajectory.Query.id: the same for (left, right) and (right, left)."""
    left: NewSegment
    right: NewSegment
    why: str = "random"
    score: float = 0.0
    step: int = 0
    """Environment steps of the run when it is asked."""
    answers_wanted: int | None = None
    """People who are to answer it; None: as many as the experiment says."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A further form of a clip: what a browser plays that cannot play the first."""

    media_type: str
    blob: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A segment made visible, and where its bytes are."""

    id: str
    kind: str
    blob: str
    media_type: str
    scene_blob: str | None
    n_frames: int
    fps: float
    """Frames per second at 1×."""
    dt: float
    """Simulated seconds per frame."""
    renditions: tuple[Rendition, ...] = ()
    """In the order in which they should be tried."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far an experiment is."""

    asked: int = 0
    """Questions ever put."""
    open: int = 0
    """Questions not expired that want more answers."""
    unanswered: int = 0
    """Those of them that nobody has answered yet."""
    answered: int = 0
    """Questions with at least one answer that stands ("can't tell" is one)."""
    decided: int = 0
    """Those of them with one that expresses a preference."""
    left: int = 0
    """From here on: newest labels, one per question and labeller."""
    right: int = 0
    tie: int = 0
    abstain: int = 0
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A question lent to one labeller for a while."""

    query_id: str
    lease: str
    expires_at: float
    swapped: bool
    """Show left on the right-hand side; drawn once per lease, and for a check once and for all."""
    left: Clip
    right: Clip


@dataclass(frozen=True, slots=True)
class Submit:
    """What a labeller says. Left and right are the query's own, however they were shown."""

    id: str
    """Made by the client; the same id again has no second effect."""
    query_id: str
    labeller_id: str
    verdict: Verdict
    strength: Strength = Strength.PLAIN
    lease: str | None = None
    seconds: float = 0.0
    key: str = ""
    swapped: bool = False
    renderer: str = ""
    overrules: bool = False
    """A researcher's correction: while it stands, what others said of the question does not count."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The answer is durable."""

    seq: int
    repeated: bool
    """It was there already."""
    late: bool
    """It came after its lease or its question had ended; it counts all the same."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One event of the record, with what a list needs beside it."""

    label: Label
    labeller_name: str
    late: bool
    superseded: bool
    """The same labeller said something newer about this question."""
    why: str
    step: int
    left: Clip
    right: Clip
    run: str
    """Name of the run that asked."""
    kind: str
    """question, repeat or gold."""
    gold: Verdict | None
    """The answer a researcher expects of this pair, if it is a gold one."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One thing one person teaches."""

    id: str
    name: str
    env_id: str
    instructions: str
    status: str
    wanted: int | None
    created_at: float
    updated_at: float
    answers_per_pair: int
    """How many people are to answer each question."""
    repeat_rate: float
    """Share of the pairs served that the same person has answered before."""
    gold_rate: float
    """Share of the pairs served whose answer is known."""
    trust: bool
    """Whether the trainer softens what unreliable people say."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, as it last reported."""

    id: str
    experiment_id: str
    name: str
    seed: int
    predictor: str
    status: str
    message: str
    progress: Mapping[str, Any]
    started_at: float
    heartbeat_at: float

    def is_alive(self, now: float) -> bool:
        """Whether its trainer is there."""
        return self.status in ("training", "waiting") and now - self.heartbeat_at < ALIVE_SECONDS


@dataclass(frozen=True, slots=True)
class Replay:
    """The agent's play at some step of a run."""

    step: int
    true_return: float | None
    created_at: float
    clip: Clip


@dataclass(frozen=True, slots=True)
class Point:
    """Figures of a run at one of its steps."""

    step: int
    at: float
    data: Mapping[str, Any]
    """By the name of their metric (docs/metrics.md)."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something a person asked of the trainer."""

    id: str
    experiment_id: str
    run_id: str | None
    kind: str
    args: Mapping[str, Any]
    state: str
    created_at: float
    taken_at: float | None = None
    done_at: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job."""

    ok: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    blob: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who holds a token, and what it opens."""

    token_id: str
    role: str
    labeller_id: str | None
    labeller_name: str | None
    experiment_id: str | None
    """None opens every experiment."""
    expires_at: float | None
