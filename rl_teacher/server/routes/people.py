"""Looking after many people: figures, corrections, gold pairs, export, invitations (researchers only)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Annotated, Literal

import segno
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from rl_teacher.feedback.exporting import FORMATS
from rl_teacher.feedback.records import Identity, NotFoundError, Submit
from rl_teacher.server import people_shapes, shapes, views
from rl_teacher.server.access import (
    StoreDep,
    TheExperiment,
    Who,
    labeller_of,
    name_of,
    need_researcher,
    note,
    opens,
    the_query,
)

LOCAL = re.compile(r"https?://(localhost|127\.[\d.]+|\[::1\])(:\d+)?")
DAY = 86_400.0


async def a_researcher(identity: Who) -> Identity:
    """Whoever may look after people."""
    need_researcher(identity)
    return identity


router = APIRouter(tags=["people"])
Researcher = Annotated[Identity, Depends(a_researcher)]


@router.get("/experiments/{experiment_id}/people")
def read_people(experiment: TheExperiment, store: StoreDep, identity: Researcher) -> people_shapes.PeopleOut:
    """How well everybody answers."""
    return people_shapes.PeopleOut.model_validate(store.people(experiment.id))


@router.post("/corrections")
def correct(body: people_shapes.CorrectionBody, store: StoreDep, identity: Researcher) -> shapes.LabelSaved:
    """Correct what was said of a pair: an event of your own that stands above the others, which stay as they are."""
    query = the_query(store, identity, body.query_id)
    said = Submit(
        body.id, query.id, labeller_of(identity), body.verdict, body.strength, key="correction", overrules=True
    )
    saved = store.submit(said)
    if not saved.repeated:
        note(store, identity, "answer corrected", query=query.id, verdict=str(body.verdict))
    counts = views.counts(store, query.experiment_id, identity)
    return shapes.LabelSaved(seq=saved.seq, repeated=saved.repeated, late=saved.late, counts=counts)


@router.put("/queries/{query_id}/gold")
def set_gold(
    query_id: str, body: people_shapes.GoldBody, store: StoreDep, identity: Researcher
) -> people_shapes.GoldSaved:
    """Say which answer to a pair is right, so that it can test people."""
    query = the_query(store, identity, query_id)
    verdict = None if body.verdict is None else people_shapes.Verdict(body.verdict)
    store.set_gold(query.id, verdict, name_of(identity))
    note(store, identity, "expected answer set", query=query.id, verdict=body.verdict)
    return people_shapes.GoldSaved(query_id=query.id, verdict=verdict)


@router.get("/experiments/{experiment_id}/export", response_class=StreamingResponse)
def export(
    experiment: TheExperiment,
    store: StoreDep,
    identity: Researcher,
    form: Annotated[Literal["jsonl", "csv"], Query(alias="format")] = "jsonl",
) -> StreamingResponse:
    """All questions and answers as a file."""
    name = re.sub(r"[^0-9A-Za-z._-]+", "-", experiment.name).strip("-.") or "answers"
    lines: Iterator[str] = store.export(experiment.id, form)
    note(store, identity, "answers exported", experiment=experiment.name, format=form)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return StreamingResponse(lines, media_type=f"{FORMATS[form]}; charset=utf-8", headers=headers)


@router.post("/invites")
def invite(
    body: people_shapes.InviteBody, request: Request, store: StoreDep, identity: Researcher
) -> people_shapes.InviteMade:
    """A link for people who are to answer. Everybody who opens it gives a name, and needs nothing else."""
    experiment_id = body.experiment_id or identity.experiment_id
    if experiment_id is not None:
        if not opens(identity, experiment_id):
            raise NotFoundError(f"There is no experiment '{experiment_id[:100]}' in this store.")
        store.experiment_by_id(experiment_id)
    token, made = store.invite(experiment_id, body.days * DAY, name_of(identity))
    address = request.app.state.address or f"{request.url.scheme}://{request.headers['host']}"
    url = f"{address}/#token={token}" + (f"&go=teach/{experiment_id}" if experiment_id else "")
    return people_shapes.InviteMade(
        invite=people_shapes.InviteOut.model_validate(made),
        url=url,
        qr_svg=_qr_svg(url),
        local=LOCAL.fullmatch(address) is not None,
    )


@router.get("/invites")
def list_invites(store: StoreDep, identity: Researcher) -> people_shapes.InviteList:
    """Invitations that let people in now."""
    mine = [one for one in store.invitations() if identity.experiment_id in (None, one.experiment_id)]
    return people_shapes.InviteList(invites=[people_shapes.InviteOut.model_validate(one) for one in mine])


@router.post("/invites/{invite_id}/end")
def end_invite(invite_id: str, store: StoreDep, identity: Researcher) -> people_shapes.Ended:
    """Let nobody in by it any more, nor those who came by it; their answers stay."""
    mine = [one for one in store.invitations() if identity.experiment_id in (None, one.experiment_id)]
    if all(one.id != invite_id for one in mine):
        raise HTTPException(404, f"There is no invitation '{invite_id[:100]}' that lets people in.")
    store.end_invitation(invite_id, name_of(identity))
    return people_shapes.Ended()


def _qr_svg(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=3, xmldecl=False, light="#fff")
    return out.getvalue().decode()
