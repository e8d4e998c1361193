"""Where environments come from: a name with a colon in it, and what is made of it."""

from __future__ import annotations

import gymnasium as gym

from rl_teacher.envs import dmc, metaworld
from rl_teacher.envs.atari import ATARI, AtariGame, check_horizon
from rl_teacher.envs.fast import Fast
from rl_teacher.envs.faults import Blame
from rl_teacher.envs.horizon import FixedHorizon
from rl_teacher.envs.layout import in_a_row
from rl_teacher.envs.own import make_own
from rl_teacher.envs.stock import make_stock, prepare

STOCK = "gym:"
"""Prefix of a stock Gymnasium environment, with its own reward and its own ending."""


def make_env(env_id: str, render_mode: str | None = None, horizon: str | None = None) -> gym.Env:
    """One copy, with its own time limit; its observations in a row, if they can be laid out in one.

    Args:
        env_id: "gym:ID", "dm:DOMAIN-TASK", "metaworld:TASK", "atari:GAME", or "package.module:factory" for one of the
            user's own.
        render_mode: "rgb_array" has it draw itself when asked; None does without all that drawing needs.
        horizon: How its episodes are made to last until the clock (`horizon.HORIZONS`); None: they may end early.

    Raises:
        UserError: If it does not exist or cannot be built here.
        BrokenEnvironmentError: If its own code raises something else.
    """
    prepare(render_mode)
    if env_id.startswith(ATARI):
        check_horizon(env_id, horizon)
        return AtariGame(env_id, pictures=render_mode is not None)
    if env_id.startswith(STOCK):
        env = make_stock(env_id.removeprefix(STOCK), render_mode)
    elif env_id.startswith(dmc.PREFIX):
        with Blame(env_id):
            env = dmc.make_dmc(env_id)
    elif env_id.startswith(metaworld.PREFIX):
        with Blame(env_id):
            env = metaworld.make_metaworld(env_id)
    else:
        env = make_own(env_id, render_mode)
    with Blame(env_id, env):  # it may have no spaces at all
        env = in_a_row(env)
    return env if horizon is None else FixedHorizon(env, horizon)


def fast_form(env_id: str) -> Fast | None:
    """EnvPool's form of an environment from elsewhere; None where it has none that gives the same numbers."""
    return dmc.fast_form(env_id) if env_id.startswith(dmc.PREFIX) else None


def called(env_id: str) -> str:
    """An environment from elsewhere as it is called everywhere, however the user writes it.

    Raises:
        UserError: If it is of Meta-World, and the package is not installed or has no such task.
    """
    return metaworld.known_task(env_id) if env_id.startswith(metaworld.PREFIX) else env_id
