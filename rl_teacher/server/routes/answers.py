"""Asking for questions, answering them, looking back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from rl_teacher.feedback.listing import AnswerFilter
from rl_teacher.feedback.records import Submit
from rl_teacher.labels import Verdict
from rl_teacher.server import shapes, views
from rl_teacher.server.access import StoreDep, TheExperiment, Who, labeller_of, the_query

router = APIRouter(tags=["answers"])


@router.post("/experiments/{experiment_id}/claim")
def claim(experiment: TheExperiment, body: shapes.ClaimBody, store: StoreDep, identity: Who) -> shapes.ClaimList:
    """Up to n questions, yours until their leases end; those you hold already come again."""
    lent = store.claim(experiment.id, labeller_of(identity), body.n)
    return shapes.ClaimList(queries=[views.claim(one) for one in lent])


@router.post("/labels")
def submit(body: shapes.LabelBody, store: StoreDep, identity: Who) -> shapes.LabelSaved:
    """Answer, change an answer, or take it back (WITHDRAWN). It is on disk when you hear of it."""
    query = the_query(store, identity, body.query_id)
    saved = store.submit(Submit(labeller_id=labeller_of(identity), **body.model_dump()))
    counts = views.counts(store, query.experiment_id, identity)
    return shapes.LabelSaved(seq=saved.seq, repeated=saved.repeated, late=saved.late, counts=counts)


@router.post("/leases/heartbeat")
def heartbeat(body: shapes.LeasesBody, store: StoreDep, identity: Who) -> shapes.LeaseList:
    """Go on holding questions while they are looked at."""
    kept = store.heartbeat(body.leases, labeller_of(identity))
    return shapes.LeaseList(leases=[shapes.LeaseOut(lease=one, lease_expires_at=end) for one, end in kept.items()])


@router.post("/leases/{lease}/release")
def release(lease: str, store: StoreDep, identity: Who) -> shapes.Released:
    """Give a question back unanswered."""
    return shapes.Released(released=store.release(lease, labeller_of(identity)))


@router.get("/experiments/{experiment_id}/labels")
def list_labels(
    experiment: TheExperiment,
    store: StoreDep,
    identity: Who,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    labeller: Annotated[str | None, Query(max_length=64)] = None,
    verdict: Verdict | None = None,
    run: Annotated[str, Query(max_length=200)] = "",
    why: Annotated[str, Query(max_length=100)] = "",
    disputed: bool = False,
    kind: Literal["question", "repeat", "gold"] | None = None,
) -> shapes.LabelList:
    """Answers, newest first. A labeller sees only their own, and not which of them were checks."""
    only = AnswerFilter(labeller, verdict, run, why, disputed, kind or "")
    if identity.role == "labeller":
        only = replace(only, labeller_id=labeller_of(identity), disputed=False, kind="")
    found = store.answers(experiment.id, only, before, limit)
    return shapes.LabelList(labels=[views.answer(one, identity) for one in found])
