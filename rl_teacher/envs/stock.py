"""Stock Gymnasium environments: what can be used, and how long a clip of it should be."""

from __future__ import annotations

import importlib
import logging
import os
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher.choices import choices
from rl_teacher.envs import layout
from rl_teacher.envs.faults import Blame
from rl_teacher.envs.horizon import clock
from rl_teacher.errors import UserError, unknown
from rl_teacher.importing import look_here
from rl_teacher.stacks import is_picture

CLIP_SECONDS = 1.5
"""Of the environment's own time, if the number of steps allows it."""
SHORTEST_CLIP, LONGEST_CLIP = 15, 60
"""Steps."""
SECONDS_ON_SCREEN = 1.0
"""At least; a clip of few steps is slowed down, as those of our own tasks are."""
USUAL_FPS = 20
"""Taken where an environment does not say how fast it is to be shown."""
LONGEST_SPACE = 200
"""Letters shown of a space that cannot be used."""
LONGEST_ID = 60
"""Letters shown of an id that is not known."""
LIST_ALL = (
    'All: python -c "import gymnasium; gymnasium.pprint_registry()". '
    "Your own: gym:MODULE:ID, with MODULE on PYTHONPATH or in this folder."
)
SAYS = "Choose the clip that comes closer to what you want."
"""What people are told where neither the environment (`metadata["instructions"]`) nor the user says anything."""
_TRIALS = 11
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What an environment says of itself; the fields are those of `tasks.EnvSpec`."""

    gym_id: str
    episode_steps: int | None
    clip_steps: int
    fps: float
    dt: float | None
    choices: tuple[int, ...]
    pixels: bool
    instructions: str


def is_registered(gym_id: str) -> bool:
    """Whether Gymnasium has an environment of exactly this id."""
    return gym_id in gym.registry


def make_stock(gym_id: str, render_mode: str | None = None) -> gym.Env:
    """The environment with its own time limit, not checked on every step.

    Args:
        gym_id: Gymnasium's id.
        render_mode: "rgb_array" has it draw itself when asked; None does without all that drawing needs.

    Raises:
        UserError: If it does not exist or cannot be built here.
        BrokenEnvironmentError: If its own code raises something else.
    """
    options: dict[str, Any] = {"disable_env_checker": True}
    if render_mode is not None:  # not all of them take the argument
        options["render_mode"] = render_mode
    look_here()  # gym:MODULE:ID
    with Blame(gym_id):
        try:
            return gym.make(gym_id, **options)
        except gym.error.UnregisteredEnv as error:
            raise unknown("Gymnasium environment", gym_id[:LONGEST_ID], gym.registry, LIST_ALL) from error
        except (gym.error.Error, ImportError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise UserError(
                f"The environment '{gym_id}' cannot be built here: {reason}. Install what it needs, or choose another "
                "one."
            ) from error


def prepare(render_mode: str | None) -> None:
    """What is to be said to libraries before an environment is made: to be quiet, and to open no window."""
    route_warnings()
    gym.logger.min_level = gym.logger.ERROR  # else "deprecated" stands in the way of the one line that counts
    if render_mode is not None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def route_warnings() -> None:
    """Send MuJoCo's warnings to the log; else it prints them and writes MUJOCO_LOG.TXT wherever the user stands."""
    mujoco: Any = importlib.import_module("mujoco")  # not above: it fails if an environment variable of its is wrong
    mujoco.set_mju_user_warning(_warn)


def _warn(message: str) -> None:
    old_model = "settotalmass" in message  # HalfCheetah's XML; nothing the user can do about it
    _LOG.log(logging.DEBUG if old_model else logging.WARNING, "MuJoCo: %s", message)


def inspect(env_id: str, env: gym.Env) -> Found:
    """Look at an environment and close it.

    Args:
        env_id: What lines call it.
        env: As `sources.make_env` gives it.

    Raises:
        UserError: If it has spaces that cannot be used.
        BrokenEnvironmentError: If its own code raises something.
    """
    with Blame(env_id, env):
        try:
            check_spaces(env_id, env)
            return _describe(env)
        finally:
            env.close()


def _describe(env: gym.Env) -> Found:
    spec = env.spec
    render_fps = env.metadata.get("render_fps")
    fps = float(render_fps or USUAL_FPS)
    clip_steps = env.metadata.get("clip_steps")
    if clip_steps is None:
        clip_steps = int(np.clip(round(CLIP_SECONDS * fps), SHORTEST_CLIP, LONGEST_CLIP))
        clip_steps = min(clip_steps, _usual_length(env, clip_steps))
    dt = getattr(env.unwrapped, "dt", None) or (1.0 / fps if render_fps else None)
    return Found(
        spec.id if spec else "",
        clock(env),
        clip_steps,
        min(fps, clip_steps / SECONDS_ON_SCREEN),
        dt,
        choices(env.action_space),
        is_picture(env.observation_space),
        str(env.metadata.get("instructions", SAYS)),
    )


def _usual_length(env: gym.Env, enough: int) -> int:
    """Median length of a few random episodes, counted up to `enough` steps.

    An environment that can end early would otherwise never show an untrained agent for the length of a clip.
    """
    env.action_space.seed(0)
    return int(np.median([_play(env, seed, enough) for seed in range(_TRIALS)]))


def _play(env: gym.Env, seed: int, enough: int) -> int:
    """Random steps until the episode ends, or `enough`."""
    env.reset(seed=seed)
    for n_steps in range(1, enough):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            return n_steps
    return enough


def check_spaces(env_id: str, env: gym.Env) -> None:
    """Refuse what no agent here can use.

    Raises:
        UserError: Unless observations are numbers that can be laid out in a row and actions are a bounded Box or
            Discrete.
    """
    obs, act = env.observation_space, env.action_space
    if why := layout.why_not(obs):
        raise _unusable(env_id, "observation", obs, layout.ALLOWED, why)
    bounded = isinstance(act, gym.spaces.Box) and act.is_bounded() and np.issubdtype(act.dtype, np.floating)
    if (not bounded or 0 in (act.shape or ())) and not choices(act):
        allowed = "a bounded Box of floats with a number in it, Discrete, MultiDiscrete or MultiBinary"
        raise _unusable(env_id, "action", act, allowed)


def _unusable(env_id: str, which: str, space: gym.Space, allowed: str, why: str = "") -> UserError:
    text = " ".join(str(space).split())
    text = text if len(text) <= LONGEST_SPACE else f"{text[:LONGEST_SPACE]} …"
    has = f", with {why}" if why and why != text else ""
    return UserError(
        f"The environment '{env_id}' has the {which} space {text}{has}. Allowed: {allowed}. "
        "Choose another environment, or wrap this one so that its space fits."
    )
