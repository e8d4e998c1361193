"""The nine tasks: true reward, clip length and speed of each.

They differ from the stock Gymnasium environments on purpose. Nothing ends an episode but the clock, because an ending
would tell the agent what the person has not said; a bonus for posture in the true reward takes its place. Costs of
torque are left out, because people cannot see torque. Returns are therefore not comparable with published ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

RewardFormula = Callable[[np.ndarray, Mapping[str, Any]], np.ndarray]
"""(obs (…, D) float64, info of arrays (…,)) -> true reward (…,) float64. The same one serves every simulator."""

See = Callable[[np.ndarray], np.ndarray]
"""obs (…, D) of the simulator -> obs (…, D) as everybody but the true reward sees it; does not change its argument."""

ENDLESS = 1e9
"""A bound that no state reaches."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to learn, with all that makes it what it is."""

    name: str
    """Our short name, as in tables and plots."""
    gym_id: str
    """The Gymnasium environment whose simulation and observation it uses."""
    reward: RewardFormula
    """The true reward: read by synthetic teachers and metrics only."""
    instructions: str
    """What a person is told if the experiment says nothing else; one line."""
    clip_steps: int
    """Steps in a segment: as much as a person can judge at a glance."""
    fps: int
    """Frames, that is steps, per second of a clip at 1×."""
    dt: float
    """Simulated seconds per step. `dt * fps` is how much faster than life 1× is."""
    episode_steps: int
    short_steps: int | None = None
    """Length of the short variant's episodes; None where there is no such variant."""
    info_keys: tuple[str, ...] = ()
    """Entries of the simulator's info that the reward reads."""
    gym_options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for Gymnasium's class that make the episode go on."""
    envpool_options: Mapping[str, Any] = field(default_factory=dict)
    """The same for EnvPool, whose names differ."""
    see: See | None = None
    """What is done to an observation before anybody but the true reward sees it; None: nothing."""


def _reacher(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """Minus the distance of fingertip and target, metres."""
    return np.asarray(info["reward_dist"])


def _forward(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """v_x, metres a second."""
    return np.asarray(info["x_velocity"])


def _hopper(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """v_x + z."""
    return info["x_velocity"] + obs[..., 0]


def _walker(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """v_x + z − 1."""
    return info["x_velocity"] + obs[..., 0] - 1.0


def _ant(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """v_x + (z − 1.2)."""
    return info["x_velocity"] + (obs[..., 0] - 1.2)


def _humanoid(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """1.25 v_x + 5 (z − 1), where v_x is the velocity of the centre of mass."""
    return 1.25 * info["x_velocity"] + 5.0 * (obs[..., 0] - 1.0)


def _pendulum(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """1 − θ²."""
    return 1.0 - obs[..., 1] ** 2


POLE = 0.6
"""Length of each of the double pendulum's poles, metres."""


def double_pendulum_tip(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The tip's (x, y), metres, from obs (…, 9) = cart x, sin θ₁ θ₂, cos θ₁ θ₂, velocities v ω₁ ω₂, rail force.

    θ₂ is relative to the first pole. Computed from the observation because the simulator's own tip is one substep old.
    """
    cart, sin_1, sin_2, cos_1, cos_2 = np.moveaxis(obs[..., :5], -1, 0)
    x = cart + POLE * (sin_1 + sin_1 * cos_2 + cos_1 * sin_2)
    y = POLE * (cos_1 + cos_1 * cos_2 - sin_1 * sin_2)
    return x, y


def _double_pendulum(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """10 − 0.01x² − (y − 2)² − 0.001ω₁² − 0.005ω₂² + 10 (y − 1), where (x, y) is the tip."""
    x, y = double_pendulum_tip(obs)
    spin = 0.001 * obs[..., 6] ** 2 + 0.005 * obs[..., 7] ** 2
    return 10.0 - 0.01 * x**2 - (y - 2.0) ** 2 - spin + 10.0 * (y - 1.0)


def _see_double_pendulum(obs: np.ndarray) -> np.ndarray:
    """The rail's force, the last entry, between −10 and 10, as Gymnasium has it: it can be thousands."""
    return np.concatenate([obs[..., :8], np.clip(obs[..., 8:], -10.0, 10.0)], axis=-1)


_V_X = ("x_velocity",)
_GOES_ON = {"terminate_when_unhealthy": False}

_ALL = (
    Task(
        "reacher", "Reacher-v5", _reacher, "Touch the target with the tip of the arm.",
        clip_steps=15, fps=10, dt=0.02, episode_steps=50, short_steps=20, info_keys=("reward_dist",),
    ),
    Task(
        "hopper", "Hopper-v5", _hopper, "Hop to the right, upright and as fast as possible.",
        clip_steps=60, fps=40, dt=0.008, episode_steps=1000, short_steps=300, info_keys=_V_X,
        gym_options=_GOES_ON, envpool_options=_GOES_ON,
    ),
    Task(
        "walker", "Walker2d-v5", _walker, "Walk to the right, upright and as fast as possible.",
        clip_steps=45, fps=30, dt=0.008, episode_steps=1000, short_steps=300, info_keys=_V_X,
        gym_options=_GOES_ON, envpool_options=_GOES_ON,
    ),
    Task(
        "swimmer", "Swimmer-v5", _forward, "Swim to the right as fast as possible.",
        clip_steps=60, fps=40, dt=0.04, episode_steps=1000, info_keys=_V_X,
    ),
    Task(
        "cheetah", "HalfCheetah-v5", _forward, "Run to the right as fast as possible.",
        clip_steps=30, fps=20, dt=0.05, episode_steps=1000, short_steps=300, info_keys=_V_X,
    ),
    Task(
        "ant", "Ant-v5", _ant, "Walk to the right as fast as possible, the body well above the ground.",
        clip_steps=30, fps=20, dt=0.05, episode_steps=1000, info_keys=_V_X,
        gym_options=_GOES_ON, envpool_options=_GOES_ON,
    ),
    Task(
        "humanoid", "Humanoid-v5", _humanoid, "Stand upright and walk to the right as fast as possible.",
        clip_steps=60, fps=40, dt=0.015, episode_steps=1000, info_keys=_V_X,
        gym_options=_GOES_ON, envpool_options=_GOES_ON,
    ),
    Task(
        "pendulum", "InvertedPendulum-v5", _pendulum, "Keep the pole upright.",
        clip_steps=15, fps=10, dt=0.04, episode_steps=25,
        envpool_options={"healthy_z_min": -ENDLESS, "healthy_z_max": ENDLESS},
    ),
    Task(
        "doublependulum", "InvertedDoublePendulum-v5", _double_pendulum, "Keep both poles up, the tip high and calm.",
        clip_steps=15, fps=10, dt=0.05, episode_steps=50,
        envpool_options={"healthy_z_max": -ENDLESS, "observation_min": -ENDLESS, "observation_max": ENDLESS},
        see=_see_double_pendulum,
    ),
)  # fmt: skip

TASKS: Mapping[str, Task] = {task.name: task for task in _ALL}
"""All tasks by name."""

NAMES = {
    "Reacher": "reacher",
    "Hopper": "hopper",
    "Walker": "walker",
    "Swimmer": "swimmer",
    "HalfCheetah": "cheetah",
    "Ant": "ant",
    "Humanoid": "humanoid",
    "Pendulum": "pendulum",
    "DoublePendulum": "doublependulum",
}
"""The names of the original, and the task each stands for."""
