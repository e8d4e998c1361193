"""The scripted judges of the behaviours, and how well a behaviour was done.

A judge gives every step a reward, as a task's true reward does. It is bounded and smooth, so that an agent can learn
from it, and made of what can be seen in a clip: the observation holds all of it, and nothing else is read. Hopper's and
walker's observations hold velocities between −10 and 10 only, in both simulators, so faster is not judged better.

A measure looks at a whole episode, counts what a person would count, and is for reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rl_teacher.envs.bodies import FOOT_RADIUS, PAW_RADIUS, TORSO_RADIUS, cheetah_feet, hopper_heights, walker_feet


def _share(value: np.ndarray, full: float) -> np.ndarray:
    """0 at 0 and below, 1 at `full` and above, straight between."""
    return np.clip(value / full, 0.0, 1.0)


def _upright_angle(angle: np.ndarray) -> np.ndarray:
    """The same angle between −π and π."""
    return (angle + np.pi) % (2.0 * np.pi) - np.pi


# Backflip

SPIN = 10.0
"""Radians a second at which a backflip is fast enough: the observation knows no more, and a jump allows no less."""
NEAR = 0.11
"""Height below which a limb of the hopper may touch the floor, metres."""
STANDING = 0.9
"""Torso height above which a hopper stands, metres."""
HEAD_DOWN = TORSO_RADIUS + 0.01
"""Height of the head at which it touches the floor, metres."""


def backflip(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """The whole body turning backward, most of all in the air; very little for being up, so that a fallen one rises.

    Torso, thigh and leg are judged together: the torso alone turns by 300° where the hopper only curls up. A turn over
    the head on the floor is worth a seventh of one clear of it. Turning forward costs at any height the most that
    turning backward can earn, so rocking earns nothing; and a turn earns many times what standing does, or the hopper
    would be content with that (docs/behaviors.md).
    """
    torso = obs[..., 7]
    thigh = torso - obs[..., 8]
    leg = thigh - obs[..., 9]
    spin = np.clip(-(torso + thigh + leg) / (3.0 * SPIN), -1.0, 1.0)
    heights = hopper_heights(obs)
    high = _share(heights[..., (0, 1, 2, 4)].mean(axis=-1), 1.0)
    clear = _share(heights[..., 0] - HEAD_DOWN, 0.15)
    air = _share(heights.min(axis=-1) - FOOT_RADIUS, 0.25)
    # ω the mean of the three, s = clip(−ω / 10, −1, 1), h = clip(mean height / 1 m, 0, 1), c and a the clearances of
    # the head and of the whole body as shares of 0.15 m and 0.25 m:
    # r = s (0.2 + 0.4 h + a) (0.15 + 0.85 c) where s > 0, else 1.6 s;  plus 0.1 h (0.5 + 0.5 c)
    gain = (0.2 + 0.4 * high + air) * (0.15 + 0.85 * clear)
    return np.where(spin > 0.0, spin * gain, 1.6 * spin) + 0.1 * high * (0.5 + 0.5 * clear)


def measure_backflip(obs: np.ndarray) -> dict[str, float]:
    """Full turns backward with a jump, from the foot to the foot; success is at least one in the episode.

    A turn counts if in the course of it the whole hopper was in the air, and if its head never touched the floor. It is
    `landed` if the hopper stood upright before and after it.
    """
    obs = obs.astype(np.float64)
    pitch, heights = np.unwrap(obs[:, 1]), hopper_heights(obs)
    lowest, foot = heights[:, :3].min(axis=-1), heights[:, 3:].min(axis=-1)
    flying = np.minimum(lowest, foot) > NEAR
    fallen = heights[:, 0] < HEAD_DOWN
    on_foot = (foot < NEAR) & (lowest > NEAR)
    upright = on_foot & (obs[:, 0] > STANDING) & (np.cos(pitch) > 0.8)
    flips, landed = (_turns_between(when, pitch, flying, fallen) for when in (on_foot, upright))
    turns = float(pitch[0] - pitch[-1]) / (2.0 * np.pi)
    return {"success": float(flips > 0), "flips": float(flips), "landed": float(landed), "turns": turns}


def _turns_between(rests: np.ndarray, pitch: np.ndarray, flying: np.ndarray, fallen: np.ndarray) -> int:
    """Full turns backward, each from a step at rest to a later one, with some flight and no fall in between."""
    n_turns, start = 0, None
    for t in np.flatnonzero(rests):
        if start is None or fallen[start:t].any() or pitch[t] > pitch[start]:
            start = t  # a new beginning
        elif pitch[start] - pitch[t] > 2.0 * np.pi - 0.6:
            n_turns += bool(flying[start:t].any())
            start = t
    return n_turns


def see_backflip(obs: np.ndarray) -> np.ndarray:
    """The pitch between −π and π, or the policy would not know its own position again after a turn."""
    seen = np.array(obs)
    seen[..., 1] = _upright_angle(seen[..., 1])
    return seen


# Ballet


def ballet(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """Tall and straight on the right foot, the left one raised, without walking off.

    Every centimetre counts by which the left foot is above the right one, so that lifting the toes is a beginning.
    """
    right, left = walker_feet(obs)
    tall = _share(obs[..., 0] - 0.7, 0.5) * _share(np.cos(obs[..., 1]) - 0.5, 0.45)
    planted = 1.0 - _share(right.min(axis=-1) - FOOT_RADIUS, 0.1)
    raised = _share(left.mean(axis=-1) - right.mean(axis=-1), 0.4)
    still = np.exp(-np.square(obs[..., 8]))
    # r = tall (0.1 + 0.9 planted raised) (0.7 + 0.3 exp(−v²))
    return tall * (0.1 + 0.9 * planted * raised) * (0.7 + 0.3 * still)


def measure_ballet(obs: np.ndarray) -> dict[str, float]:
    """Share of steps tall on the right foot with the left one raised by 0.2 m at least."""
    right, left = walker_feet(obs.astype(np.float64))
    tall = (obs[:, 0] > 1.0) & (np.cos(obs[:, 1]) > 0.8)
    on_one = (right.min(-1) < FOOT_RADIUS + 0.05) & (left.min(-1) > FOOT_RADIUS + 0.2)
    return {"success": float((tall & on_one)[1:].mean()), "tall": float(tall[1:].mean())}


# One leg


def one_leg(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """Speed forward, counted by how far the front foot is off the ground and the belly down."""
    _, front = cheetah_feet(obs)
    air = _share(front.min(axis=-1) - PAW_RADIUS, 0.15)
    up = _share(np.cos(obs[..., 1]), 0.5)
    speed = np.clip(obs[..., 8] / 4.0, -1.0, 1.5)
    return np.where(speed > 0.0, speed * air * up, speed) + 0.2 * air * up


def measure_one_leg(obs: np.ndarray) -> dict[str, float]:
    """Share of steps forward with the front foot off the ground, the belly down; and the mean speed."""
    _, front = cheetah_feet(obs.astype(np.float64))
    off = (front.min(-1) > PAW_RADIUS + 0.005) & (np.cos(obs[:, 1]) > 0.5)
    speed = obs[1:, 8].astype(np.float64)
    return {
        "success": float((off[1:] & (speed > 0.5)).mean()),
        "off": float(off[1:].mean()),
        "speed": float(speed.mean()),
    }


# Reacher

TURNS = 3.0
"""Turns a second of the spinning arm: one in a clip."""
REACH = 0.21
"""Length of the reacher's stretched arm, metres."""


def spin(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """Three turns a second counter-clockwise, the arm stretched."""
    wanted = 2.0 * np.pi * TURNS
    off = np.abs(obs[..., 6] - wanted) / wanted
    return np.maximum(1.0 - off, -1.0) + 0.5 * obs[..., 1]


def measure_spin(obs: np.ndarray) -> dict[str, float]:
    """Share of steps within a quarter of the speed; turns a second."""
    turns = obs[1:, 6].astype(np.float64) / (2.0 * np.pi)
    good = (np.abs(turns - TURNS) < 0.25 * TURNS) & (obs[1:, 1] > 0.5)
    return {"success": float(good.mean()), "turns_per_second": float(turns.mean())}


def _off_opposite(obs: np.ndarray) -> np.ndarray:
    """Metres from fingertip to the point at arm's length away from the target, (…,)."""
    target = obs[..., 4:6]
    tip = obs[..., 8:10] + target
    distance = np.maximum(np.linalg.norm(target, axis=-1, keepdims=True), 1e-9)
    return np.linalg.norm(tip + REACH * target / distance, axis=-1)


def opposite(obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """Minus the distance of fingertip and the point at arm's length opposite the target, metres."""
    return -_off_opposite(obs)


def measure_opposite(obs: np.ndarray) -> dict[str, float]:
    """Share of the second half of the episode within 3 cm of that point; mean distance in that half."""
    off = _off_opposite(obs.astype(np.float64))[len(obs) // 2 :]
    return {"success": float((off < 0.03).mean()), "distance": float(off.mean())}
