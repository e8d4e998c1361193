"""Who you are: a token becomes a cookie. And whether the server is up."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.background import BackgroundTask

import rl_teacher
from rl_teacher.feedback.inviting import INVITE
from rl_teacher.feedback.records import Identity
from rl_teacher.server import shapes
from rl_teacher.server.access import StoreDep, Who, address_of, note, wrong_token
from rl_teacher.server.security import cookie_name

public = APIRouter(tags=["session"])
private = APIRouter(tags=["session"])


@public.get("/health")
def health() -> shapes.Health:
    """Whether the server is up."""
    return shapes.Health(version=rl_teacher.__version__)


@public.post("/session", status_code=204)
def open_session(body: shapes.OpenSession, request: Request, store: StoreDep) -> Response:
    """Swap the token of the printed address for a cookie that no script can read.

    An invitation needs the name of whoever opens it (428 without), and makes a labeller of this browser. One that is
    somebody already stays who it is.
    """
    identity, token = store.check_token(body.token), body.token
    if identity is None:
        raise wrong_token(request)
    circumstances = {"address": address_of(request), "role": identity.role}
    done = BackgroundTask(note, store, identity, "signed in", **circumstances)  # nobody waits for the audit to come in
    if identity.role == INVITE:
        name = cookie_name(request.app.state.port)
        known = store.check_token(request.cookies.get(name, ""))
        if known is not None and _may_stay(known, identity):
            return Response(status_code=204)
        if body.name is None:
            raise HTTPException(428, "Say who you are: the invitation is for several people. Give a name.")
        joined = store.join(identity, body.name)
        if joined is None:  # ended while they typed their name
            raise wrong_token(request)
        token = joined
        done = BackgroundTask(note, store, replace(identity, labeller_name=body.name), "signed in", **circumstances)
    response = Response(status_code=204, background=done)
    left = None if identity.expires_at is None else max(0, int(identity.expires_at - store.clock()))
    name = cookie_name(request.app.state.port)
    secure = request.url.scheme == "https"
    response.set_cookie(name, token, max_age=left, path="/", secure=secure, httponly=True, samesite="strict")
    return response


def _may_stay(known: Identity, invitation: Identity) -> bool:
    """Whether the invitation opens nothing that this person may not see already."""
    return known.role != INVITE and known.experiment_id in (None, invitation.experiment_id)


@private.get("/session")
def read_session(identity: Who) -> shapes.Session:
    """Who you are and what your token opens."""
    labeller = None
    if identity.labeller_id is not None:
        labeller = shapes.Labeller(id=identity.labeller_id, name=identity.labeller_name or "")
    return shapes.Session(role=identity.role, labeller=labeller, experiment_id=identity.experiment_id)
