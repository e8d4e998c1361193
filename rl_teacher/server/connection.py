"""What a connection may cost before anybody knows who is there: the head of a request has a size and a time.

uvicorn keeps whatever comes until a head is whole, however long it gets and however long that takes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT = 64 * 1024
"""Bytes of a head, besides what came in its first piece. Cookies of all ports of 127.0.0.1 are in it."""
HEAD_SECONDS = 30.0
"""Until a head must be whole. Browsers open connections in advance; they do not mind when those are closed."""


class Connection(HttpToolsProtocol):
    """One connection of a browser or a script."""

    _head = 0
    """Bytes of the head that is not whole yet."""
    _waits_for_head = True
    _is_fresh = False
    """The head began in the piece that is being read."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Somebody is there."""
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._unset_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        self._is_fresh = False
        super().data_received(data)
        if not self._waits_for_head:
            return
        if self._deadline is None:
            self._set_deadline()
        self._head = 0 if self._is_fresh else self._head + len(data)
        if self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_fresh = self._waits_for_head = True

    def on_headers_complete(self) -> None:
        """Its head is whole; what comes now is counted by `security`."""
        self._waits_for_head = False
        self._unset_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is whole: another may follow, and until it begins uvicorn's own time for idle connections runs."""
        super().on_message_complete()
        self._head = 0

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _unset_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
