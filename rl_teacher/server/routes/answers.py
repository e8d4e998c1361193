"""Asking for questions, answering them, looking back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rl_teacher.feedback.records import Submit
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
    counts = views.counts(store, query.experiment_id)
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
) -> shapes.LabelList:
    """Answers, newest first. A labeller sees only their own."""
    own = labeller_of(identity) if identity.role == "labeller" else None
    return shapes.LabelList(labels=[views.answer(one) for one in store.answers(experiment.id, own, before, limit)])
