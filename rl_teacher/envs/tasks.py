"""What a user writes after `-e`, resolved: one of our nine tasks, or an environment from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rl_teacher.choices import choices
from rl_teacher.envs.atari import ATARI, CLIP_STEPS, FPS, LONGEST_GAME, known_game
from rl_teacher.envs.fast import Fast
from rl_teacher.envs.horizon import NEVER_DONE
from rl_teacher.envs.nine import NAMES, TASKS, RewardFormula, Task
from rl_teacher.envs.sources import STOCK, called, fast_form, make_env
from rl_teacher.envs.stock import inspect, is_registered
from rl_teacher.errors import UserError, unknown

_OTHER_NAMES = {
    "walker2d": "walker",
    "invertedpendulum": "pendulum",
    "inverteddoublependulum": "doublependulum",
}
_FOLDED = {name.lower(): task for name, task in NAMES.items()} | {name: name for name in TASKS} | _OTHER_NAMES


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """An environment, resolved: all that the rest of the system has to know before it is built."""

    env_id: str
    """As the user wrote it; of Meta-World and Atari as it is called everywhere."""
    gym_id: str
    """Gymnasium's id of the simulation; as the user wrote it where it has none."""
    task: Task | None
    """One of ours, or None for an environment from elsewhere."""
    episode_steps: int | None
    """The clock; None where there is none."""
    clip_steps: int
    """Steps in a segment."""
    fps: float
    """Frames per second of a clip at 1×."""
    dt: float | None
    """Simulated seconds per step; None where the environment does not tell."""
    instructions: str
    """What a person is told if the experiment says nothing else; one line."""
    behavior: str | None = None
    """What is taught in place of the task, as the user wrote it: then the true reward is its judge."""
    judge: RewardFormula | None = None
    """The judge where there is no task to hold it: of a stock environment, in place of its own reward."""
    fixed_horizon: str | None = None
    """How the episodes of a stock environment are made to last until the clock; None: they may end early."""
    choices: tuple[int, ...] = ()
    """How many actions there are to choose from, for each choice that makes one; (): they are continuous."""
    pixels: bool = False
    """Whether an observation is a picture: uint8, never laid out in a row."""
    fast: Fast | None = None
    """Where the learner's copies of an environment from elsewhere are EnvPool's; None: they are as on the stage."""


def resolve(env_id: str, horizon: str | None = None) -> EnvSpec:
    """The environment that `env_id` names.

    The original's names, with any version and optionally `Short` in front ("Reacher-v1", "ShortHopper-v5"), and the
    tasks' short names ("cheetah") mean our tasks; "gym:CartPole-v1" is the stock environment,
    "dm:walker-walk" a task of DeepMind Control, "metaworld:button-press" one of Meta-World, "atari:Pong" a game,
    "package.module:factory" what a function of the user's own returns.

    Args:
        env_id: As the user wrote it.
        horizon: How a stock environment's episodes are made to last (`horizon.HORIZONS`); None: as they come.

    Raises:
        UserError: If there is no such environment, no such variant, or its spaces cannot be used.
    """
    if env_id.startswith(ATARI):
        return _game(env_id, horizon)
    if ":" in env_id:
        return _from_elsewhere(called(env_id), horizon)
    if horizon is not None:
        raise UserError(
            f"--fixed_horizon {horizon} given with '{env_id}'; it is for environments from elsewhere ({STOCK}ID, "
            "MODULE:FACTORY). In our tasks nothing ends an episode but the clock. Leave it out."
        )
    name = re.sub(r"-v\d+$", "", env_id).lower()
    short = name.startswith("short")
    task = TASKS.get(_FOLDED.get(name.removeprefix("short"), ""))
    if task is None:
        raise unknown("environment", env_id, _suggestions(env_id))
    if short and task.short_steps is None:
        raise UserError(
            f"'{env_id}' given, but {task.name} has no short variant. Short ones: {', '.join(_short_names())}. "
            f"Use '{env_id[len('Short') :]}'."
        )
    steps = task.short_steps if short and task.short_steps else task.episode_steps
    return EnvSpec(env_id, task.gym_id, task, steps, task.clip_steps, task.fps, task.dt, task.instructions)


def _from_elsewhere(env_id: str, horizon: str | None) -> EnvSpec:
    found = inspect(env_id, make_env(env_id, horizon=horizon))
    return EnvSpec(
        env_id,
        found.gym_id or env_id,
        None,
        found.episode_steps,
        found.clip_steps,
        found.fps,
        found.dt,
        instructions=found.instructions,
        fixed_horizon=horizon,
        choices=found.choices,
        pixels=found.pixels,
        fast=fast_form(env_id),  # of none that ends early
    )


def _game(env_id: str, horizon: str | None) -> EnvSpec:
    game = known_game(env_id)
    env = make_env(game, horizon=horizon)
    actions = choices(env.action_space)
    env.close()
    return EnvSpec(
        game,
        game,
        None,
        LONGEST_GAME,
        CLIP_STEPS,
        FPS,
        1.0 / FPS,
        instructions="Choose the clip in which the game is played better.",
        fixed_horizon=NEVER_DONE,
        choices=actions,
        pixels=True,
    )


def _short_names() -> list[str]:
    return [f"Short{name}" for name, task in NAMES.items() if TASKS[task].short_steps is not None]


def _suggestions(env_id: str) -> list[str]:
    stock = f"{STOCK}{env_id}" if is_registered(env_id) else f"{STOCK}ID for a stock Gymnasium environment"
    ours = {name.lower(): name for name in [*TASKS, *NAMES]}
    return [
        *ours.values(),
        *_short_names(),
        stock,
        f"{ATARI}Pong and other games",
        "MODULE:FACTORY for one of your own",
    ]
