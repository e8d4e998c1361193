"""What an environment's own code raises, told in one line that its author can use."""

from __future__ import annotations

import inspect
import os
import traceback
from types import TracebackType

import gymnasium as gym

import rl_teacher
from rl_teacher.errors import BrokenEnvironmentError, UserError

MEND = "Mend it and start the same command again."
LONGEST = 300
"""Letters shown of what was raised; the log has the rest."""
_OURS = os.path.dirname(rl_teacher.__file__) + os.sep
_GYMNASIUM = os.path.dirname(gym.__file__) + os.sep


class Blame:
    """A block in which an environment's own code runs: what it raises becomes a BrokenEnvironmentError.

    One object serves every step, at next to no cost.

    Args:
        env_id: What the line calls the environment.
        env: The environment, or None as long as it is not made.

    Raises:
        BrokenEnvironmentError: At the end of the block, from what was raised in it; a UserError passes as it is.
    """

    __slots__ = ("_env", "_env_id")

    def __init__(self, env_id: str, env: gym.Env | None = None) -> None:
        self._env_id = env_id
        self._env = env

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, (UserError, KeyboardInterrupt)):
            return
        said = " ".join(str(error).split())[:LONGEST]
        raise BrokenEnvironmentError(
            f"The environment '{self._env_id}' raised {type(error).__name__}{f': {said}' if said else ''} "
            f"({where(error, _home(self._env))}). {MEND}"
        ) from error


def _home(env: gym.Env | None) -> str | None:
    """The file that defines the environment, or None where that cannot be told."""
    try:
        return None if env is None else inspect.getsourcefile(type(env.unwrapped))
    except (TypeError, OSError):  # made in C, or typed in
        return None


def where(error: BaseException, home: str | None) -> str:
    """File and line: the last in the environment's own file, else the last that is neither ours nor Gymnasium's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == home]
    foreign = [frame for frame in frames if not frame.filename.startswith((_OURS, _GYMNASIUM, "<"))]
    if own or foreign:
        last = (own or foreign)[-1]
        return f"{last.filename}:{last.lineno}"
    return home or "while it was made"  # it answered something that cannot be used
