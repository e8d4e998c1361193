"""What an agent of another library has learned to do, as a plain chain of layers, read out of its checkpoint."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from torch import Tensor

from rl_teacher.agents.registry import Kind
from rl_teacher.errors import UserError
from rl_teacher.tensors import group

Layer = tuple[Tensor, Tensor]
"""Weights (out, in) and biases (out,)."""
Part = Mapping[str, Tensor]
"""A layer (weight, bias), or a normalisation (mean, var, scale, bias)."""
CHAINS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("PPO", "A2C", "TRPO"), ("policy.mlp_extractor.policy_net", "policy.action_net")),
    **dict.fromkeys(("SAC", "TQC", "CrossQ"), ("policy.actor.latent_pi", "policy.actor.mu")),
    "TD3": ("policy.actor.mu",),
    "DQN": ("policy.q_net.q_net",),
}
"""Where PyTorch's agents keep the layers, in their order."""
SPREADS = ("SAC", "TQC", "CrossQ")
"""In JAX their last layer says how much the actions vary: not needed."""
EPSILON = 1e-3
"""Of the batch renormalisation of CrossQ, in either library."""
_JAX = re.compile(r"policy-(?:actor|qf)_state\.(params|batch_stats)(?:\['params'\])?\['(\w+)_(\d+)'\]\['(\w+)'\]")


def layers_of(name: str, kind: Kind, tensors: Mapping[str, Tensor]) -> list[Layer]:
    """The layers from (normalised) observations to actions in their own units, or to the worth of each choice.

    Normalisation between layers is folded into the layer that follows it.

    Args:
        name: Of the agent, for the mistake's sake.
        kind: Which it is.
        tensors: What `weights.state_tensors` gave.

    Raises:
        UserError: If they are no plain chain, as where pictures are seen.
    """
    try:
        parts = _jax(kind, tensors) if kind.module == "sbx" else _torch(kind, tensors)
        layers = _folded(parts)
        chained = all(len(bias) == weight.shape[1] for (_, bias), (weight, _) in itertools.pairwise(layers))
        if not layers or not chained:
            raise KeyError("layers")
    except KeyError as error:
        raise UserError(
            f"The policy of '{name}' is no plain chain of layers here ({error} is missing or does not fit), and only "
            "those can be exported. Its reward can: rl-teacher export reward."
        ) from error
    return layers


def _torch(kind: Kind, tensors: Mapping[str, Tensor]) -> list[Part]:
    parts: list[Part] = []
    for chain in CHAINS[kind.algorithm]:
        held = group(tensors, chain)
        if "weight" in held:
            parts.append(held)
            continue
        for index in sorted({int(name.partition(".")[0]) for name in held}):
            part = group(held, str(index))
            normalises = "ra_mean" in part
            parts.append({**part, "mean": part["ra_mean"], "var": part["ra_var"]} if normalises else part)
    return parts


def _jax(kind: Kind, tensors: Mapping[str, Tensor]) -> list[Part]:
    found: dict[tuple[int, str], dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if match := _JAX.fullmatch(name):
            _, layer, index, what = match.groups()
            found.setdefault((int(index), layer), {})[what] = value
    # of one index the normalisation, whose name comes first, stands before the layer
    parts: list[Part] = [
        {**part, "weight": part["kernel"].T} if "kernel" in part else part for _, part in sorted(found.items())
    ]
    return parts[:-1] if kind.algorithm in SPREADS else parts


def _folded(parts: list[Part]) -> list[Layer]:
    """W (a x + c) + b = (W a) x + (W c + b)."""
    layers: list[Layer] = []
    stretch: tuple[Tensor, Tensor] | None = None
    for part in parts:
        if "mean" in part:
            a = part["scale"] / (part["var"] + EPSILON).sqrt()
            stretch = a, part["bias"] - part["mean"] * a
            continue
        weight, bias = part["weight"], part["bias"]
        if stretch is not None:
            weight, bias = weight * stretch[0], weight @ stretch[1] + bias
            stretch = None
        layers.append((weight.contiguous(), bias))
    return layers
