"""The mistakes a user can make, told in one line each."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable

from rl_teacher.shell import tell


class UserError(Exception):
    """Something the user gave cannot be used.

    The message is one line with three things: what was given, what is allowed, what to do. The command prints it
    without a traceback and exits with code 2.
    """


class NotFiniteError(UserError):
    """A NaN or an infinity where a number was needed; the message names where. The run's last good state is kept."""


class BrokenEnvironmentError(UserError):
    """The environment's own code raised something, which is `__cause__`; the message names what and where."""


def refuse(error: Exception) -> int:
    """How a command ends by an error: one line on standard error; returns the exit code 2.

    Args:
        error: What was raised. It is raised again where it is neither the user's mistake nor a fault from outside.
    """
    message = str(error) if isinstance(error, UserError) else outside_fault(error)
    if message is None:
        raise error
    tell(sys.stderr, f"rl-teacher: {' '.join(message.split())}\n")
    return 2


def outside_fault(error: Exception) -> str | None:
    """One line about a fault of disk, file system, database or environment variable; None for one of this program.

    Args:
        error: What was raised.
    """
    driver = getattr(error, "orig", None)  # of SQLAlchemy's DBAPIError, which is not imported here: it is heavy
    if driver is not None and type(error).__name__ in ("OperationalError", "DatabaseError"):
        what = f"The database cannot be used ({driver})"
    elif isinstance(error, OSError) and error.errno is not None:
        what = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    elif isinstance(error, (RuntimeError, ImportError)) and "environment variable" in str(error):  # says MuJoCo
        what = str(error).rstrip(".")
    else:
        return None
    return f"{what}. Mend it and start the same command again: a run goes on from its last checkpoint."


def unknown(kind: str, given: str, allowed: Iterable[str], elsewhere: str | None = None) -> UserError:
    """A name that is not known, with the near names first and all allowed ones after them.

    Args:
        kind: What the name stands for, "environment" for example.
        given: The name as the user wrote it.
        allowed: Every name that would have done.
        elsewhere: What to say in place of the allowed names where they are too many for one line.
    """
    names = sorted(allowed)
    folded = {name.lower(): name for name in names}
    near = [folded[key] for key in difflib.get_close_matches(given.lower(), folded, n=3, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    rest = elsewhere or f"Allowed: {', '.join(names)}. Choose one of them."
    return UserError(f"Unknown {kind} '{given}'.{hint} {rest}")
