"""What an algorithm of theirs has learned, as named tensors for safetensors: PyTorch's modules or JAX's trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rl_teacher.tensors import group, named, optimiser_tensors, restore_optimiser

COUNTERS = ("num_timesteps", "_n_updates", "_n_calls", "_episode_num", "exploration_rate")
"""What they count, where they have it: delays, target updates and exploration go by it."""


def state_tensors(algorithm: Any) -> dict[str, Tensor]:
    """Weights, optimisers, normalisation layers, counters and, of JAX, random keys."""
    tensors = {f"count.{name}": _scalar(getattr(algorithm, name)) for name in COUNTERS if hasattr(algorithm, name)}
    for name, part in _torch_parts(algorithm):
        state = optimiser_tensors(part) if isinstance(part, torch.optim.Optimizer) else part.state_dict()
        tensors |= named(state, name)
    for name, variable in _torch_variables(algorithm):
        tensors[name] = variable.detach().clone()
    for _, name, tree in _jax_trees(algorithm):
        tensors |= {f"{name}{path}": _tensor(leaf) for path, leaf in _leaves(tree)}
    return tensors


def restore_state(algorithm: Any, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `state_tensors` gave.

    Raises:
        KeyError: If a tensor is missing.
        RuntimeError: If one has another size.
    """
    for name in COUNTERS:
        if hasattr(algorithm, name):
            was = getattr(algorithm, name)
            setattr(algorithm, name, type(was)(tensors[f"count.{name}"].item()))
    for name, part in _torch_parts(algorithm):
        if isinstance(part, torch.optim.Optimizer):
            restore_optimiser(part, group(tensors, name))
        else:
            part.load_state_dict(group(tensors, name))
    with torch.no_grad():
        for name, variable in _torch_variables(algorithm):
            variable.copy_(tensors[name])
    for owner, name, tree in _jax_trees(algorithm):
        setattr(owner, name.rsplit("-", 1)[-1], _rebuilt(tree, name, tensors))


def fresh_critic(algorithm: Any) -> None:
    """The critic and its target begin anew, with new weights and an empty optimiser; the policy stays.

    DQN's policy is its critic.
    """
    new = algorithm.policy_class(
        algorithm.observation_space, algorithm.action_space, algorithm.lr_schedule, **algorithm.policy_kwargs
    )
    if not _jax_trees(algorithm):
        for name in ("critic", "critic_target", "q_net", "q_net_target"):
            if isinstance(getattr(new, name, None), torch.nn.Module):
                getattr(algorithm.policy, name).load_state_dict(getattr(new, name).state_dict())
        owner = algorithm.policy.critic if hasattr(algorithm.policy, "critic") else algorithm.policy
        owner.optimizer.state.clear()
        return
    rate = () if algorithm.policy_class.build.__code__.co_argcount < 4 else (algorithm.qf_learning_rate,)
    algorithm.key = new.build(algorithm.key, algorithm.lr_schedule, *rate)
    for name, old in list(vars(algorithm.policy).items()):
        if name.startswith("qf") and name.endswith("_state"):
            fields = ("params", "target_params", "batch_stats")
            held = {field: getattr(getattr(new, name), field) for field in fields if hasattr(old, field)}
            held["opt_state"] = old.tx.init(held["params"])
            setattr(algorithm.policy, name, old.replace(step=0, **held))


def _torch_parts(algorithm: Any) -> Iterator[tuple[str, Any]]:
    """Modules and optimisers, each under a name without dots."""
    for name in algorithm._get_torch_save_params()[0]:
        yield name.replace(".", "-"), attrgetter(name)(algorithm)


def _torch_variables(algorithm: Any) -> Iterator[tuple[str, Tensor]]:
    for name in algorithm._get_torch_save_params()[1]:
        if attrgetter(name)(algorithm) is not None:
            yield name.replace(".", "-"), attrgetter(name)(algorithm)


def _jax_trees(algorithm: Any) -> list[tuple[Any, str, Any]]:
    """(owner, name, tree) of every train state and random key; none where the algorithm is PyTorch's."""
    if not hasattr(algorithm, "key"):
        return []
    from flax.training.train_state import TrainState

    return [
        (owner, f"{prefix}-{name}", value)
        for prefix, owner in (("policy", algorithm.policy), ("algorithm", algorithm))
        for name, value in sorted(vars(owner).items())
        if isinstance(value, TrainState) or name in ("key", "noise_key")
    ]


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    """(path, array) of every leaf."""
    import jax

    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]]


def _rebuilt(tree: Any, name: str, tensors: Mapping[str, Tensor]) -> Any:
    import jax

    def leaf(path: str, old: Any) -> Any:
        new = tensors[f"{name}{path}"].numpy()
        if new.shape != np.shape(old):
            raise RuntimeError(f"{name}{path} has the shape {new.shape}, not {np.shape(old)}")
        return jax.numpy.asarray(new.astype(np.asarray(old).dtype))

    _, structure = jax.tree_util.tree_flatten(tree)
    return jax.tree_util.tree_unflatten(structure, [leaf(path, old) for path, old in _leaves(tree)])


def _tensor(leaf: Any) -> Tensor:
    array = np.array(leaf)
    return torch.from_numpy(array.astype(np.int64) if array.dtype == np.uint32 else array)


def _scalar(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else torch.int64)
