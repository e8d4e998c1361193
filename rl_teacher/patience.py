"""Faults that pass: a full disk, a locked database, a database server that starts again. The run says so and waits."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from rl_teacher.feedback.faults import passing_fault

T = TypeVar("T")
PAUSE_SECONDS = 0.5
"""From one try to the next."""
AT_ONCE = ("close", "clock", "draw")
"""What is never waited for."""
FULL = (errno.ENOSPC, errno.EDQUOT)


class Patience:
    """Does a thing again and again until what stands in its way has passed.

    Args:
        say: Tells a line when it begins to wait, and when it goes on.
    """

    def __init__(self, say: Callable[[str], None]):
        self._say = say
        self._telling = threading.Lock()
        self._told = False
        self.should_stop: Callable[[], bool] = lambda: False
        """Whether the run is to end: then nothing is waited for any more."""

    def __call__(self, do: Callable[[], T]) -> T:
        """What `do` returns; whatever it changed when it failed must not stand in its own way.

        Raises:
            Exception: What it raised, where that does not pass, or the run is to end.
        """
        waited = False
        while True:
            try:
                done = do()
            except Exception as error:
                fault = _fault(error)
                if fault is None or self.should_stop():
                    raise
                waited = True
                self._tell(f"waiting: {fault}. Mend it, and the run goes on by itself; Ctrl-C ends it.")
                time.sleep(PAUSE_SECONDS)
            else:
                if waited:
                    self._over()
                return done

    def _tell(self, line: str) -> None:
        with self._telling:
            if not self._told:  # once, not at every try of every thread
                self._told = True
                self._say(line)

    def _over(self) -> None:
        with self._telling:
            if self._told:
                self._told = False
                self._say("going on")


def patient(thing: T, patience: Patience) -> T:
    """The same thing, each of whose verbs waits until it can be done.

    Args:
        thing: A store, for example: whatever undoes what fails half-way, so that it can be said again.
        patience: How it waits.
    """
    return cast(T, _Patient(thing, patience))


class _Patient:
    """Passes everything on."""

    def __init__(self, thing: Any, patience: Patience):
        self._thing, self._patience = thing, patience

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._thing, name)
        if name in AT_ONCE or not callable(verb):
            return verb

        @wraps(verb)
        def again(*args: Any, **options: Any) -> Any:
            return self._patience(lambda: verb(*args, **options))

        return again


def _fault(error: Exception) -> str | None:
    """What stands in the way, if it may pass."""
    if isinstance(error, OSError) and error.errno in FULL:
        return f"the disk is full ({error.filename})" if error.filename else "the disk is full"
    return passing_fault(error)
