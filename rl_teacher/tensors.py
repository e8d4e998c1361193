"""Optimiser and random state as plain tensors, so that safetensors can hold a whole checkpoint (no pickle)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from rl_teacher.errors import NotFiniteError


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
    save_file(dict(tensors), path)
