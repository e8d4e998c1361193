"""Who asks, and whether they may. Every route of the API but `health` and the opening of a session depends on `who`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from rl_teacher.feedback.inviting import INVITE
from rl_teacher.feedback.provenance import StoredQuery
from rl_teacher.feedback.records import Experiment, Identity, NotFoundError
from rl_teacher.feedback.store import Store
from rl_teacher.server.security import bearer, cookie_name

P = ParamSpec("P")
T = TypeVar("T")


async def get_store(request: Request) -> Store:
    """The store of the app that serves this request."""
    return request.app.state.store


async def look_up(store: Store, look: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Read one row; in a thread only where reading may have to wait: the way there and back costs more than the row."""
    if store.reads_at_once:
        return look(*given, **named)
    return await run_in_threadpool(look, *given, **named)


async def who(request: Request, store: Annotated[Store, Depends(get_store)]) -> Identity:
    """The holder of the token, which comes as `Authorization: Bearer …` or in our cookie.

    Raises:
        HTTPException: 401 without a token that is good now, 429 for whoever asks too often.
    """
    given = bearer(request.headers.get("authorization", ""))
    token = request.cookies.get(cookie_name(request.app.state.port), "") if given is None else given
    if not token:
        raise HTTPException(401, "A token is needed. Open the address that the command printed.")
    identity = await look_up(store, store.check_token, token)
    if identity is None or identity.role == INVITE:
        raise wrong_token(request)
    request.state.identity = identity  # for the audit, should they be refused
    wait = request.app.state.limits.requests.take(identity.token_id)
    if wait:
        raise _too_many("Too many requests at once.", wait)
    return identity


def wrong_token(request: Request) -> HTTPException:
    """What to say to a token that opens nothing: 401, or 429 if many such came from the same address."""
    wait = request.app.state.limits.guesses.take(address_of(request))
    if wait:
        return _too_many("Too many wrong tokens came from your address.", wait)
    return HTTPException(
        401, "This token is unknown, over or revoked. Open the newest address that the command printed."
    )


def _too_many(what: str, wait: float) -> HTTPException:
    seconds = max(1, math.ceil(wait))
    return HTTPException(429, f"{what} Try again in {seconds} s.", {"Retry-After": str(seconds)})


def address_of(request: Request) -> str:
    """Where a request comes from, as far as it is known."""
    return request.client.host if request.client else "unknown"


def note(store: Store, identity: Identity, what: str, **detail: Any) -> None:
    """A line in the audit about what somebody did."""
    store.note(name_of(identity), what, {"token": identity.token_id, **detail})


def name_of(identity: Identity) -> str:
    """What the audit calls somebody."""
    return identity.labeller_name or identity.token_id


StoreDep = Annotated[Store, Depends(get_store)]
Who = Annotated[Identity, Depends(who)]


def labeller_of(identity: Identity) -> str:
    """In whose name this token answers.

    Raises:
        HTTPException: 403 if in nobody's.
    """
    if identity.labeller_id is None:
        raise HTTPException(403, "This token may look but not answer; use one made for a labeller.")
    return identity.labeller_id


def need_researcher(identity: Identity) -> None:
    """Refuse labellers.

    Raises:
        HTTPException: 403.
    """
    if identity.role not in ("researcher", "admin"):
        raise HTTPException(403, f"A {identity.role} may not do this; use a researcher's token.")


def opens(identity: Identity, experiment_id: str) -> bool:
    """Whether this token is for this experiment."""
    return identity.experiment_id in (None, experiment_id)


async def the_experiment(experiment_id: str, store: StoreDep, identity: Who) -> Experiment:
    """The experiment of the path. One the token does not open looks like one that is not there.

    Raises:
        NotFoundError: In both cases.
    """
    experiment = await look_up(store, store.experiment_by_id, experiment_id)
    if not opens(identity, experiment.id):
        raise NotFoundError(f"There is no experiment '{experiment_id[:100]}' in this store.")
    return experiment


TheExperiment = Annotated[Experiment, Depends(the_experiment)]


def the_query(store: Store, identity: Identity, query_id: str) -> StoredQuery:
    """A question this token may answer.

    Raises:
        NotFoundError: If it is not there, or of an experiment that the token does not open.
    """
    query = store.query(query_id)
    if not opens(identity, query.experiment_id):
        raise NotFoundError(f"There is no query '{query_id[:100]}' in this store.")
    return query
