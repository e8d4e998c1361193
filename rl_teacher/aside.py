"""Work that the training thread does not wait for: clips that take longer than a moment to make."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

NICENESS = 10
"""Where the system can tell threads apart: training comes first."""


class Aside:
    """One thread of low priority that does one thing after the other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "aside", initializer=_step_back)
        self._under_way: list[Future[Any]] = []

    def submit(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do this when all before it is done."""
        future = self._pool.submit(task, *arguments)
        self._under_way.append(future)
        return future

    def check(self) -> None:
        """Raise here what was raised there."""
        over = [future for future in self._under_way if future.done()]
        self._under_way = [future for future in self._under_way if not future.done()]
        for future in over:
            if not future.cancelled() and (error := future.exception()) is not None:
                raise error

    def close(self) -> None:
        """Finish what is in the making, drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _step_back() -> None:
    if hasattr(os, "setpriority") and hasattr(os, "PRIO_PROCESS"):
        with suppress(OSError):  # it may not be allowed, and on some systems means the whole process: then let it be
            if os.uname().sysname == "Linux":
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
