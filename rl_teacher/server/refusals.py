"""Refused attempts, noted in the audit in a bounded number."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from rl_teacher.feedback.store import Store
from rl_teacher.server.limits import Buckets


class Refusals:
    """Writes down who was refused what. At most a line a minute in the long run; what is left out is counted.

    Args:
        store: With the audit.
        pace: How many lines may be written.
    """

    def __init__(self, store: Store, pace: Buckets | None = None) -> None:
        self._store = store
        self._pace = pace or Buckets(rate=1 / 60, burst=60)
        self._left_out = 0
        self._lock = threading.Lock()

    def note(self, who: str, detail: Mapping[str, Any]) -> None:
        """Note one. While another is being written, or where the database is away, it is only counted."""
        if not self._lock.acquire(blocking=False):
            self._left_out += 1
            return
        try:
            if self._pace.take(""):
                self._left_out += 1
                return
            written = self._store.note_refused(who, {**detail, "left_out": self._left_out})
            self._left_out = 0 if written else self._left_out + 1
        finally:
            self._lock.release()
