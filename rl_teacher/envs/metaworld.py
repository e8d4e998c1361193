"""Meta-World by name, `-e metaworld:button-press`: the `metaworld` package's tasks, each episode with a goal elsewhere.

The learner's copies are the package's too. EnvPool has the tasks, but simulates them with MuJoCo 3.6; from 3.7 on, the
weld by which the hand is led pulls a little otherwise, and the hand is a third of a millimetre elsewhere after a reset.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher.errors import UserError, unknown
from rl_teacher.viewpoint import FIELD, SIZE

PREFIX = "metaworld:"
EPISODE_STEPS = 500
CLIP_STEPS = 50
"""As in PEBBLE and B-Pref (Lee et al. 2021): 0.6 s of a robot, shown in a second."""
LONGEST_NAME = 60
"""Letters shown of a name that is not known."""
LIST_ALL = 'All: python -c "from metaworld.env_dict import ALL_V3_ENVIRONMENTS; print(*ALL_V3_ENVIRONMENTS)".'
MARK = "rl-teacher-goal"
"""The geom that shows people where the goal is."""
_MARK_RADIUS, _MARK_COLOUR = 0.015, (0.1, 0.8, 0.2, 1.0)
_WOOD = (0.7, 0.55, 0.4, 1.0)
"""Of the table: without its picture of wood, which poses leave out, it would be as white as the gripper."""
_VIEW = (1.45, 160.0, -30.0, 0.0, 0.6, 0.15)
"""Of hand and table, half from behind the robot: what the joints alone say is a view of the whole room."""
_VERSION = "-v3"

_SAYS: Mapping[str, str] = {
    "assembly": "Pick up the ring by its handle and put it over the peg.",
    "basketball": "Pick up the ball and drop it into the basket.",
    "bin-picking": "Take the block out of one bin and put it into the other.",
    "box-close": "Pick up the lid and put it on the box.",
    "button-press": "Press the button into its box.",
    "button-press-topdown": "Press the button down into its box.",
    "button-press-topdown-wall": "Reach over the wall and press the button down into its box.",
    "button-press-wall": "Reach around the wall and press the button into its box.",
    "coffee-button": "Press the button of the coffee machine.",
    "coffee-pull": "Pull the mug away from the coffee machine, to the green dot.",
    "coffee-push": "Push the mug under the coffee machine, to the green dot.",
    "dial-turn": "Turn the dial until it points at the green dot.",
    "disassemble": "Pick up the ring by its handle and lift it off the peg.",
    "door-close": "Push the door shut.",
    "door-lock": "Turn the lock of the door until it is locked.",
    "door-open": "Pull the door open by its handle.",
    "door-unlock": "Turn the lock of the door until it is unlocked.",
    "drawer-close": "Push the drawer shut.",
    "drawer-open": "Pull the drawer open by its handle.",
    "faucet-close": "Turn the faucet clockwise until its handle is at the green dot.",
    "faucet-open": "Turn the faucet anticlockwise until its handle is at the green dot.",
    "hammer": "Pick up the hammer and drive the nail into the block.",
    "hand-insert": "Put the gripper into the hole, to the green dot.",
    "handle-press": "Press the handle down.",
    "handle-press-side": "Press the handle down.",
    "handle-pull": "Pull the handle up.",
    "handle-pull-side": "Pull the handle up.",
    "lever-pull": "Pull the lever up, to the green dot.",
    "peg-insert-side": "Pick up the peg and put it into the hole in the side of the block.",
    "peg-unplug-side": "Pull the peg out of the hole.",
    "pick-out-of-hole": "Take the block out of the hole and bring it to the green dot.",
    "pick-place": "Pick up the block and bring it to the green dot.",
    "pick-place-wall": "Pick up the block and bring it over the wall, to the green dot.",
    "plate-slide": "Slide the plate into the goal.",
    "plate-slide-back": "Slide the plate out of the goal, back to the green dot.",
    "plate-slide-back-side": "Slide the plate out of the goal, to the green dot at its side.",
    "plate-slide-side": "Slide the plate sideways into the goal.",
    "push": "Push the block to the green dot.",
    "push-back": "Pull the block back to the green dot.",
    "push-wall": "Push the block around the wall, to the green dot.",
    "reach": "Bring the gripper to the green dot.",
    "reach-wall": "Bring the gripper around the wall, to the green dot.",
    "shelf-place": "Pick up the block and put it on the shelf, at the green dot.",
    "soccer": "Push the ball into the goal.",
    "stick-pull": "Pick up the stick and pull the jug with it, to the green dot.",
    "stick-push": "Pick up the stick and push the jug with it, to the green dot.",
    "sweep": "Sweep the block off the table, to the green dot.",
    "sweep-into": "Sweep the block into the hole.",
    "window-close": "Slide the window shut by its handle.",
    "window-open": "Slide the window open by its handle.",
}


def known_task(env_id: str) -> str:
    """A task as it is called everywhere, "metaworld:button-press", however the user writes it: "ButtonPress-v3".

    Raises:
        UserError: If the package is not installed, or has no such task.
    """
    names = {_folded(name): name.removesuffix(_VERSION) for name in _tasks(env_id)}
    name = env_id.removeprefix(PREFIX)
    if _folded(name) not in names:
        raise unknown("task of Meta-World", name[:LONGEST_NAME], names.values(), LIST_ALL)
    return PREFIX + names[_folded(name)]


def _folded(name: str) -> str:
    return re.sub(r"[-_]", "", name.lower().removesuffix(_VERSION))


def make_metaworld(env_id: str) -> gym.Env:
    """The task with its clock of 500 steps, which alone ends an episode.

    Args:
        env_id: "metaworld:TASK".

    Raises:
        UserError: If the package is not installed, or has no such task.
    """
    name = known_task(env_id).removeprefix(PREFIX)
    task = _tasks(env_id)[name + _VERSION]
    return gym.wrappers.TimeLimit(_in_sight(task, _SAYS.get(name))(), EPISODE_STEPS)


def _tasks(env_id: str) -> Mapping[str, Any]:
    """The package's classes by their names."""
    try:
        return importlib.import_module("metaworld.env_dict").ALL_V3_ENVIRONMENTS
    except ImportError as error:
        raise UserError(
            f"-e {env_id[:LONGEST_NAME]} given, but metaworld cannot be imported ({error}). Install it: "
            "pip install 'rl-teacher[metaworld]'."
        ) from error


def _in_sight(task: Any, says: str | None) -> Any:
    """A task's class, made ready: its goal, drawn anew by each reset, is in the observation and to be seen.

    Args:
        task: The package's class, a `MujocoEnv`.
        says: What people are told of it; None: nothing.
    """
    said = {} if says is None else {"instructions": says}

    class InSight(task):
        metadata = {**task.metadata, "clip_steps": CLIP_STEPS, **said}  # noqa: RUF012 - as Gymnasium has it

        def __init__(self) -> None:
            super().__init__()
            self._set_task_called = self.seeded_rand_vec = True
            self._freeze_rand_vec = self._partially_observable = False
            del self.sawyer_observation_space  # kept from when the goal was hidden
            self.observation_space = self.sawyer_observation_space

        def _initialize_simulation(self) -> tuple[Any, Any]:
            model = copy(_marked(self.fullpath))
            return model, _mujoco().MjData(model)

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[np.ndarray, dict[str, Any]]:
            if seed is not None:
                self.seed(seed)  # the package's `reset` forgets it
            started = super().reset()
            self.model.geom(MARK).pos = self._target_pos
            return started

    return InSight


@lru_cache(maxsize=4)
def _marked(path: str) -> Any:
    """The model in a file with a view, and with a ball that nothing touches, to be put where the goal is.

    What the package marks a goal with is a mere mark (a *site*), which is not drawn from poses.
    """
    mj = _mujoco()
    spec = mj.MjSpec.from_file(path)
    spec.worldbody.add_geom(
        name=MARK,
        type=mj.mjtGeom.mjGEOM_SPHERE,
        size=[_MARK_RADIUS, 0.0, 0.0],
        pos=[0.0, 0.0, -1.0],  # MuJoCo would not look at the place again of what begins at the origin
        rgba=_MARK_COLOUR,
        contype=0,
        conaffinity=0,
    )
    for material in spec.materials:
        if material.name == "table_wood":
            material.rgba = _WOOD
    spec.add_numeric(name=FIELD, size=SIZE, data=_VIEW)
    return spec.compile()


def _mujoco() -> Any:
    """A C extension without type stubs. Late: its complaints, as about MUJOCO_GL, come where environments are made."""
    return importlib.import_module("mujoco")
