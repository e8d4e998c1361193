"""Rewards and policies for programs without torch: the same sums as ONNX graphs (opset 20)."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from torch import Tensor, nn

from rl_teacher.agents.frozen import FrozenPolicy
from rl_teacher.agents.networks import GaussianPolicy
from rl_teacher.choices import choices
from rl_teacher.reward.frozen import LIMIT, FrozenReward
from rl_teacher.reward.networks import EnsembleMLP
from rl_teacher.reward.pixels import STRIDES, EnsembleCNN
from rl_teacher.stacks import layout

OPSET, IR = 20, 10
"""Old enough for runtimes of the last years."""
ROWS = "rows"
Numbers = np.ndarray | np.generic | Tensor


def can_write() -> bool:
    """Whether the package onnx is installed (extra `[onnx]`)."""
    return find_spec("onnx") is not None


def write_onnx(
    module: FrozenReward | FrozenPolicy, obs_shape: tuple[int, ...], act_space: gym.Space, path: Path
) -> None:
    """Write a reward (obs, act → rew) or a policy (obs → act) for any number of rows.

    Args:
        module: FrozenReward or FrozenPolicy.
        obs_shape: Of one observation.
        act_space: Of one action.
        path: File to write.
    """
    graph = _Graph()
    act_shape, chosen = act_space.shape or (), bool(choices(act_space))
    obs = ("obs", np.uint8 if module.picture else np.float32, obs_shape)
    act = ("act", np.int64 if chosen else np.float32, act_shape)
    if isinstance(module, FrozenPolicy):
        _policy(graph, module, act_shape)
        graph.write([obs], act, path)
        return
    net = module.net
    each = _seen(graph, net) if isinstance(net, EnsembleCNN) else _read(graph, module, net)
    _mean_of_members(graph, each, module)
    graph.write([obs, act], ("rew", np.float32, ()), path)


def _read(graph: _Graph, module: FrozenReward, net: EnsembleMLP) -> str:
    """What each member says of numbers, (E, rows)."""
    x = graph.add("Flatten", "obs", axis=1)
    if module.config.use_act:
        seen = _one_hots(graph, module.choices) if module.choices else graph.add("Flatten", "act", axis=1)
        x = graph.add("Concat", x, seen, axis=1)
    if module.config.normalise_inputs:
        x = graph.add("Div", graph.add("Sub", x, module.in_mean), module.in_std)
        x = graph.add("Clip", x, np.float32(-LIMIT), np.float32(LIMIT))
    h = x
    for i, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        h = graph.add("Add", graph.add("MatMul", h, weight), bias)  # (E, rows, ·)
        if i < len(net.weights) - 1:
            h = graph.add("LeakyRelu", h, alpha=module.config.slope)
    h = graph.add("Squeeze", h, np.array([-1], dtype=np.int64))
    if net.share is not None and net.wide is not None:
        flat = graph.add("MatMul", graph.add("Concat", x, graph.add("Mul", x, x), axis=1), net.wide)
        h = graph.add("Add", graph.add("Mul", h, net.share), graph.add("Squeeze", flat, np.array([-1], dtype=np.int64)))
    return h


def _planes(graph: _Graph, obs_shape: tuple[int, ...]) -> str:
    """See `vision.planes`."""
    channels, height, width, last = layout(obs_shape)
    x = graph.add("Transpose", "obs", perm=[0, 3, 1, 2]) if last else "obs"
    x = graph.add("Reshape", x, np.array([-1, channels, height, width], dtype=np.int64))
    return graph.add("Div", graph.add("Cast", x, to_type=np.float32), np.float32(255))


def _seen(graph: _Graph, net: EnsembleCNN) -> str:
    """What each member says of pictures, (E, rows)."""
    h = _planes(graph, net.obs_shape)
    for i, kernel in enumerate(net.kernels):
        groups = net.n_members if i else 1
        h = graph.add("Conv", h, kernel, strides=[STRIDES[i]] * 2, group=groups)
        norm = (net.gains[i], net.shifts[i], net.get_buffer(f"mean{i}"), net.get_buffer(f"var{i}"))
        h = graph.add("LeakyRelu", graph.add("BatchNormalization", h, *norm), alpha=net.slope)
    h = graph.add("Reshape", h, np.array([0, net.n_members, -1], dtype=np.int64))
    h = graph.add("Transpose", h, perm=[1, 0, 2])
    h = graph.add("Add", graph.add("MatMul", h, net.weights[0]), net.biases[0])
    h = graph.add("LeakyRelu", h, alpha=net.slope)
    h = graph.add("Add", graph.add("MatMul", h, net.weights[1]), net.biases[1])
    return graph.add("Squeeze", h, np.array([-1], dtype=np.int64))


def _mean_of_members(graph: _Graph, each: str, module: FrozenReward) -> None:
    """R̂ from what each member says, (E, rows)."""
    each = graph.add("Div", graph.add("Sub", each, module.out_mean), module.out_std)
    if module.config.out_std != 1.0:
        each = graph.add("Mul", each, np.float32(module.config.out_std))
    graph.add("ReduceMean", each, np.array([0], dtype=np.int64), to="rew", keepdims=0)


def _one_hots(graph: _Graph, sizes: tuple[int, ...]) -> str:
    columns = graph.add("Reshape", "act", np.array([-1, len(sizes)], dtype=np.int64))
    repeated = graph.add("Gather", columns, np.repeat(np.arange(len(sizes), dtype=np.int64), sizes), axis=1)
    counted = np.concatenate([np.arange(n, dtype=np.int64) for n in sizes])
    return graph.add("Cast", graph.add("Equal", repeated, counted), to_type=np.float32)


def _policy(graph: _Graph, module: FrozenPolicy, act_shape: tuple[int, ...]) -> None:
    if module.eyes:
        x = _through(graph, _planes(graph, module.eyes.obs_shape), module.eyes.layers)
    else:
        x = graph.add("Add", graph.add("Mul", graph.add("Flatten", "obs", axis=1), module.scale), module.shift)
        if module.limit is not None:
            x = graph.add("Clip", x, np.float32(-module.limit), np.float32(module.limit))
    x = _through(graph, x, module.net)
    if not isinstance(module.policy, GaussianPolicy):
        sizes = module.policy.sizes
        each = np.split(np.arange(sum(sizes), dtype=np.int64), np.cumsum(sizes)[:-1])
        best = [graph.add("ArgMax", graph.add("Gather", x, part, axis=1), axis=1, keepdims=1) for part in each]
        together = graph.add("Concat", *best, axis=1)
        graph.add("Reshape", together, np.array([-1, *act_shape], dtype=np.int64), to="act")
        return
    bounded = graph.add("Tanh", x) if module.squash == "tanh" else graph.add("Clip", x, np.float32(-1), np.float32(1))
    shaped = graph.add("Reshape", bounded, np.array([-1, *act_shape], dtype=np.int64))
    graph.add("Add", graph.add("Mul", shaped, module.reach), module.middle, to="act")


def _through(graph: _Graph, x: str, layers: nn.Sequential) -> str:
    for layer in layers:
        if isinstance(layer, nn.Linear):
            x = graph.add("Gemm", x, layer.weight, layer.bias, transB=1)
        elif isinstance(layer, nn.Conv2d):
            weights = [part for part in (layer.weight, layer.bias) if part is not None]
            x = graph.add("Conv", x, *weights, strides=list(layer.stride))
        else:
            x = graph.add(type(layer).__name__.capitalize(), x)  # Tanh, Relu, Flatten
    return x


class _Graph:
    """Operations in their order, and the numbers they need."""

    def __init__(self) -> None:
        self._onnx: Any = import_module("onnx")
        self._nodes: list[Any] = []
        self._numbers: list[Any] = []

    def add(self, operation: str, *inputs: str | Numbers, to: str = "", **settings: Any) -> str:
        """One operation more; returns the name of what comes out, `to` or one of its own."""
        names = [one if isinstance(one, str) else self._keep(one) for one in inputs]
        out = to or f"x{len(self._nodes)}"
        if "to_type" in settings:  # ONNX calls it `to`
            settings = {"to": self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(settings["to_type"]))}
        self._nodes.append(self._onnx.helper.make_node(operation, names, [out], **settings))
        return out

    def _keep(self, numbers: Numbers) -> str:
        name = f"c{len(self._numbers)}"
        array = numbers.detach().numpy() if isinstance(numbers, Tensor) else np.asarray(numbers)
        self._numbers.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def write(self, inputs: list[tuple], output: tuple, path: Path) -> None:
        """Write the graph; inputs and output are (name, type, shape without the rows)."""
        helper = self._onnx.helper
        ends = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), [ROWS, *shape])
            for name, kind, shape in [*inputs, output]
        ]
        graph = helper.make_graph(self._nodes, path.stem, ends[:-1], ends[-1:], self._numbers)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="rl-teacher")
        self._onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
