"""Where the limbs of the planar bodies are, worked out from the joint angles in an observation.

The lengths are those of the MuJoCo models; tests/envs/test_bodies.py compares with MuJoCo's own geometry. Heights are
of the middle lines of the limbs, which are capsules: the skin is a radius lower.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FOOT_RADIUS = 0.06
"""Of hopper's and walker's feet, metres. Standing, the middle line of a foot is at this height."""
TORSO_RADIUS = 0.05
"""Of hopper's torso, metres."""
PAW_RADIUS = 0.046
"""The same for the cheetah."""

TORSO, THIGH, LEG = 0.2, 0.45, 0.5
"""Half the torso, the thigh and the leg of hopper and walker, metres."""


def hopper_heights(obs: np.ndarray) -> np.ndarray:
    """Heights (…, 5) above the floor, metres: head, hip, knee, heel, toe.

    Args:
        obs: (…, 11) of Hopper: torso height, pitch, thigh, leg, foot, and velocities.
    """
    z, angles = obs[..., 0], _bent(obs[..., 1], obs[..., 2:5], -1.0)
    head = z + _rise(0.0, TORSO, angles[0])
    hip = z + _rise(0.0, -TORSO, angles[0])
    knee = hip + _rise(0.0, -THIGH, angles[1])
    ankle = knee + _rise(0.0, -LEG, angles[2])
    heel, toe = (ankle + _rise(x, 0.0, angles[3]) for x in (-0.13, 0.26))
    return np.stack([head, hip, knee, heel, toe], axis=-1)


def walker_feet(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights (…, 2) above the floor, metres, of heel and toe: of the right foot, and of the left one.

    Args:
        obs: (…, 17) of Walker2d: torso height, pitch, right thigh, leg, foot, the same of the left, and velocities.
    """
    right, left = (_walker_foot(obs, first) for first in (2, 5))
    return right, left


def _walker_foot(obs: np.ndarray, first: int) -> np.ndarray:
    angles = _bent(obs[..., 1], obs[..., first : first + 3], -1.0)
    limbs = ((0.0, -TORSO), (0.0, -THIGH), (0.0, -LEG))
    heel = obs[..., 0] + sum(_rise(x, z, angle) for (x, z), angle in zip(limbs, angles, strict=False))
    return np.stack([heel, heel + _rise(0.2, 0.0, angles[3])], axis=-1)


def cheetah_feet(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights (…, 2) above the floor, metres, of the two ends of a foot: of the back one, and of the front one.

    Args:
        obs: (…, 17) of HalfCheetah: height over its start, pitch, back thigh, shin, foot, front ones, velocities.
    """
    back = _paw(obs, 2, ((-0.5, 0.0), (0.16, -0.25), (-0.28, -0.14), (0.03, -0.097)), tilt=-0.27, half=0.094)
    front = _paw(obs, 5, ((0.5, 0.0), (-0.14, -0.24), (0.13, -0.18), (0.045, -0.07)), tilt=-0.6, half=0.07)
    return back, front


def _paw(obs: np.ndarray, first: int, limbs: Sequence[tuple[float, float]], tilt: float, half: float) -> np.ndarray:
    angles = _bent(obs[..., 1], obs[..., first : first + 3], 1.0)
    middle = 0.7 + obs[..., 0] + sum(_rise(x, z, angle) for (x, z), angle in zip(limbs, angles, strict=True))
    return np.stack([middle + _rise(0.0, end, angles[3] + tilt) for end in (half, -half)], axis=-1)


def _bent(pitch: np.ndarray, joints: np.ndarray, sign: float) -> list[np.ndarray]:
    """Angles of torso and limbs to the world, one after the other along the leg; each (…,)."""
    return [pitch, *np.moveaxis(pitch[..., None] + sign * np.cumsum(joints, axis=-1), -1, 0)]


def _rise(x: float, z: float, angle: np.ndarray) -> np.ndarray:
    """How much higher the far end of (x, z) is when turned by `angle` about the y axis, forward and down."""
    return z * np.cos(angle) - x * np.sin(angle)
