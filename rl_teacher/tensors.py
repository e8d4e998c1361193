"""Optimiser and random state as plain tensors, so that safetensors can hold a whole checkpoint (no pickle)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from rl_teacher.errors import NotFiniteError, UserError


def optimiser_tensors(optim: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Every tensor of an optimiser's state, under `optim.<parameter>.<name>`."""
    return {
        f"optim.{i}.{name}": torch.as_tensor(value)
        for i, state in optim.state_dict()["state"].items()
        for name, value in state.items()
    }


def restore_optimiser(optim: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` gave; other names are ignored."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optim."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optim.load_state_dict({**optim.state_dict(), "state": state})


def dice_tensor(rng: np.random.Generator) -> Tensor:
    """The state of a NumPy generator, as the letters of its JSON."""
    return torch.from_numpy(np.frombuffer(json.dumps(rng.bit_generator.state).encode(), dtype=np.uint8).copy())


def restore_dice(rng: np.random.Generator, state: Tensor) -> None:
    """Put back what `dice_tensor` gave."""
    rng.bit_generator.state = json.loads(state.numpy().tobytes())


def group(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix.`, without it."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(prefix + ".")}


def named(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The same tensors, each name with `prefix.` before it, ready for a file."""
    return {f"{prefix}.{name}": value.contiguous() for name, value in tensors.items()}


def save_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a safetensors file, unless it would keep a NaN for ever.

    Raises:
        NotFiniteError: Names the tensors that are not finite.
    """
    poisoned = [name for name, value in tensors.items() if not bool(torch.isfinite(value).all())]
    if poisoned:
        names = ", ".join(poisoned[:3]) + (f" and {len(poisoned) - 3} more" if len(poisoned) > 3 else "")
        raise NotFiniteError(
            f"Not saved: {names} in {path.name} would hold values that are not finite. The environment's observations "
            "and rewards must stay small enough to be squared; mend it and start the same command again."
        )
    with disk_faults(path):
        save_file(dict(tensors), path)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """What a safetensors file holds, each tensor where PyTorch would have put it.

    As they lie in the file they may begin at any address, and sums over them then differ in the last bit from those of
    a run that never stopped.
    """
    return {name: tensor.clone() for name, tensor in load_file(path).items()}


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """What safetensors says of a disk that is full or broken comes out as the OSError that it was.

    Args:
        path: The file that is written.
    """
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(path)) from error


@contextmanager
def must_fit(path: Path) -> Iterator[None]:
    """Around putting back what was saved: it may be that of another environment.

    Args:
        path: The file that was read.

    Raises:
        UserError: If a tensor is missing or of another size.
    """
    try:
        yield
    except (RuntimeError, KeyError, ValueError) as error:
        raise UserError(
            f"The checkpoint {path} does not fit: the environment's observation or action space has changed since it "
            "was written, and must be as it was to go on from it. Give the environment its former spaces back, or "
            "choose another name with -n to begin anew."
        ) from error
