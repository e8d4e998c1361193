"""An environment of the user's own, `-e package.module:factory`: a function that returns a `gymnasium.Env`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import gymnasium as gym

from rl_teacher.envs.faults import LONGEST, Blame
from rl_teacher.errors import UserError
from rl_teacher.importing import import_own

NEEDED = "wanted is MODULE:FACTORY, a function without arguments that returns a new gymnasium.Env with each call"
_made: WeakSet[gym.Env] = WeakSet()


def make_own(env_id: str, render_mode: str | None = None) -> gym.Env:
    """What the user's factory returns.

    Args:
        env_id: "package.module:factory"; the module is on PYTHONPATH or in the present folder.
        render_mode: Given to a factory that takes it; None: to none.

    Raises:
        UserError: If there is no such module or factory, or it returns something else.
        BrokenEnvironmentError: If the module or the factory raises something.
    """
    factory = _found(env_id)
    options = {"render_mode": render_mode} if render_mode is not None and _takes_render_mode(factory) else {}
    with Blame(env_id):
        env = factory(**options)
    if not isinstance(env, gym.Env):
        raise UserError(f"-e {env_id} given, which returned {_shown(env)}; {NEEDED}. Mend it.")
    if env.unwrapped in _made:
        raise UserError(
            f"-e {env_id} given, which returned the same environment twice; {NEEDED}. Make it within the function."
        )
    _made.add(env.unwrapped)
    return env


def _found(env_id: str) -> Callable[..., Any]:
    module, _, name = env_id.partition(":")
    if not name or not all(part.isidentifier() for part in module.split(".")):
        raise UserError(f"-e {env_id[:LONGEST]} given; {NEEDED}. Give both.")
    with Blame(env_id):
        try:
            found: Any = import_own(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise  # of something that it imports
            raise UserError(
                f"-e {env_id} given, but there is no module '{error.name}' on PYTHONPATH or in this folder; {NEEDED}."
            ) from error
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise UserError(f"-e {env_id} given, but {module} has no '{name}'; {NEEDED}. Mend the name.")
    if not callable(found):
        raise UserError(f"-e {env_id} given, which is no function but {_shown(found)}; {NEEDED}.")
    return found


def _takes_render_mode(factory: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # made in C
        return False
    return any(p.name == "render_mode" or p.kind is p.VAR_KEYWORD for p in parameters)


def _shown(thing: object) -> str:
    """What it is, in a few words."""
    kind = type(thing)
    return "None" if thing is None else f"a {kind.__module__}.{kind.__qualname__}".replace("builtins.", "")
