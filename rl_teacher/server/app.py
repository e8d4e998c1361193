"""The web application: routes, guards and error shapes put together around one store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI

import rl_teacher
from rl_teacher.feedback.store import Store
from rl_teacher.server import errors
from rl_teacher.server.access import who
from rl_teacher.server.limits import Limits
from rl_teacher.server.page import STATIC, page_router
from rl_teacher.server.reference import reference_router
from rl_teacher.server.refusals import Refusals
from rl_teacher.server.routes import answers, blobs, clips, experiments, insight, people, renders, session
from rl_teacher.server.security import Guard

THREADS = 8
"""Requests worked on at once. There is one interpreter and one writer: more threads only take turns more often."""


@asynccontextmanager
async def _few_threads(_app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield


def create_app(
    store: Store,
    port: int,
    allowed_hosts: Iterable[str] = (),
    static: Path = STATIC,
    address: str | None = None,
    limits: Limits | None = None,
) -> FastAPI:
    """An app that serves this store.

    Args:
        store: Where the trainer is met.
        port: The one people see in the address: names the cookie and is part of the allowed hosts.
        allowed_hosts: Names besides 127.0.0.1, localhost and [::1] that this server may be called by.
        static: The built page.
        address: How other machines call it, "http://192.168.1.5:8000", for invitations; None: as it was called.
        limits: How often somebody may ask; None: as `limits` says.
    """
    app = FastAPI(
        title="RL-Teacher",
        version=rl_teacher.__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their scripts come from a CDN: `reference` has none
        redoc_url=None,
        lifespan=_few_threads,
    )
    app.state.store = store
    app.state.port = port
    app.state.address = address
    app.state.limits = limits or Limits()
    app.add_middleware(Guard, port=port, allowed_hosts=tuple(allowed_hosts), account=Refusals(store).note)
    errors.install(app)
    app.include_router(session.public, prefix="/api/v1")
    app.include_router(reference_router(app), prefix="/api/v1")
    private = APIRouter(prefix="/api/v1", dependencies=[Depends(who)])
    private.include_router(session.private)
    for subject in (experiments, answers, people, blobs, clips, renders, insight):
        private.include_router(subject.router)
    app.include_router(private)
    app.include_router(page_router(static))
    return app
