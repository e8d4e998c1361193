"""What was asked, as the store knows it, and where its clips came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A question as the store knows it."""

    id: str
    experiment_id: str
    run_id: str
    pair: str
    left_segment_id: str
    right_segment_id: str
    why: str
    score: float
    step: int
    state: str
    answers_wanted: int
    n_answers: int
    created_at: float
    expired_at: float | None
    kind: str
    """question, or what only tests one person: repeat, gold."""


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """Where a segment came from."""

    id: str
    key: str
    run: str
    """Name of the run that played it."""
    step: int
    episode: int
    start: int
    n_steps: int
    data_blob: str
    clip_id: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where both sides of a question came from, and why it was asked."""

    query: StoredQuery
    left: StoredSegment
    right: StoredSegment
