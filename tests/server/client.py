"""A plain client that calls an app in this process, bodies in pieces included. Server errors become answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from fastapi import FastAPI


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class AppTransport(httpx.BaseTransport):
    def __init__(self, app: FastAPI) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        stream = _Pieces(list(request.stream))
        again = httpx.Request(request.method, request.url, headers=request.headers, stream=stream)

        async def ask() -> tuple[httpx.Response, bytes]:
            answer = await self._inner.handle_async_request(again)
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            return answer, b"".join([piece async for piece in answer.stream])

        with ThreadPoolExecutor(1) as aside:  # in this thread a browser's tests may have left a loop that runs
            answer, content = aside.submit(asyncio.run, ask()).result()
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content))
