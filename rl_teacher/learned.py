"""What a run has learned, for other programs: `rl-teacher export reward NAME` and `rl-teacher export policy NAME`."""

from __future__ import annotations

import math
import sys
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
from safetensors.torch import load_file
from torch import Tensor

from rl_teacher.agents.actors import layers_of
from rl_teacher.agents.frozen import FrozenPolicy
from rl_teacher.agents.registry import KINDS
from rl_teacher.config import RunConfig, read_config
from rl_teacher.envs.behaviors import resolve
from rl_teacher.envs.simulator import Simulator
from rl_teacher.errors import UserError
from rl_teacher.onnx_form import can_write, write_onnx
from rl_teacher.plug.hub import upload
from rl_teacher.plug.packing import ONNX, PIXELS, PROGRAM, Export, write_export
from rl_teacher.reward.frozen import FrozenReward, settings_of
from rl_teacher.runs import newest_checkpoint
from rl_teacher.shell import tell
from rl_teacher.stacks import is_picture
from rl_teacher.tensors import group, must_fit
from rl_teacher.torch_form import write_program

Frozen = FrozenReward | FrozenPolicy
PACKAGES = ("rl-teacher", "torch", "gymnasium")


@dataclass(frozen=True, slots=True)
class _Run:
    """A run as its newest checkpoint has it."""

    config: RunConfig
    checkpoint: Path
    obs_shape: tuple[int, ...]
    act_space: gym.Space
    picture: tuple[int, ...] | None
    """Shape of an observation that is one; None: it is a row of numbers."""
    about: dict[str, Any]


def export_learned(what: str, name: str, out: str | None, run_dir: Path, repository: str | None) -> None:
    """Write a run's reward or policy to a folder.

    Args:
        what: "reward" or "policy".
        name: Of the run, which may be training.
        out: Folder to make; None: NAME-reward or NAME-policy.
        run_dir: Where the runs lie.
        repository: "OWNER/NAME" on the Hugging Face Hub, to put it there too; None: nowhere.

    Raises:
        UserError: For what is not there, or cannot be written.
    """
    run = _open(run_dir, name)
    export, module = {"reward": _reward, "policy": _policy}[what](run)
    folder, has_onnx = Path(out or f"{name}-{what}"), can_write()

    def add(draft: Path) -> None:
        write_program(module, run.obs_shape, run.act_space, draft / PROGRAM.format(kind=what))
        if has_onnx:
            write_onnx(module, run.obs_shape, run.act_space, draft / ONNX.format(kind=what))

    write_export(folder, export, add)
    tell(sys.stdout, f"{folder}: the {what} of '{name}' at step {run.about['step']:,}\n")
    if not has_onnx:
        tell(sys.stdout, "Without an ONNX form, for onnx is not installed: pip install 'rl-teacher[onnx]'.\n")
    if repository is not None:
        tell(sys.stdout, f"Uploaded: load_{what}('{upload(folder, repository)}')\n")


def _reward(run: _Run) -> tuple[Export, Frozen]:
    if run.config.predictor == "rl":
        raise UserError(
            f"'{run.config.name}' given, which learned from the true reward (-p rl) and has no r̂; wanted is a run with "
            "-p synth or -p human. Give another name."
        )
    tensors = _tensors(run, "reward")
    if not int(tensors["n_fits"][0]):
        raise UserError(
            f"'{run.config.name}' has no r̂ yet: nothing was answered. Answer some questions first, and export it then."
        )
    with must_fit(run.checkpoint / "reward.safetensors"):
        module = FrozenReward.of(tensors, run.config.reward, math.prod(run.obs_shape), run.act_space, run.picture)
    about = {**run.about, "fits": int(tensors["n_fits"][0])}
    export = _export("reward", run, settings_of(run.config.reward), about, module)
    return export, module


def _policy(run: _Run) -> tuple[Export, Frozen]:
    name, ppo = run.config.agent, run.config.ppo
    if name not in KINDS:
        raise UserError(
            f"'{run.config.name}' taught a learner of another program, which alone has its policy. Save it there; the "
            "reward can be exported: rl-teacher export reward."
        )
    tensors = _tensors(run, "agent")
    with must_fit(run.checkpoint / "agent.safetensors"):
        if name == "ppo" and ppo is not None:
            module = FrozenPolicy.of_checkpoint(tensors, run.act_space, ppo.hidden, run.picture)
        else:
            layers = layers_of(name, KINDS[name], group(tensors, "algorithm"))
            module = FrozenPolicy.of_layers(layers, tensors, run.act_space, KINDS[name].on_policy)
    return _export("policy", run, module.settings, run.about, module), module


def _export(kind: str, run: _Run, settings: dict[str, Any], about: dict[str, Any], module: Frozen) -> Export:
    said = settings if run.picture is None else {**settings, PIXELS: True}
    return Export(kind, run.obs_shape, run.act_space, said, about, module.state_dict())


def _open(run_dir: Path, name: str) -> _Run:
    settings, checkpoint = newest_checkpoint(run_dir, name, ())
    config = read_config(settings)
    spec = resolve(config.env_id, config.behavior, config.fixed_horizon)
    with closing(Simulator(spec)) as simulator:
        obs_shape, act_space = simulator.obs_space.shape, simulator.act_space
        picture = obs_shape if is_picture(simulator.obs_space) else None
    about = {
        **{"run": name, "env_id": spec.env_id, "gym_id": spec.gym_id, "behavior": spec.behavior},
        "fixed_horizon": spec.fixed_horizon,
        **{"predictor": config.predictor, "agent": config.agent, "seed": config.seed},
        **{"step": int(checkpoint.name.removeprefix("step-"))},
        **{"versions": {package: version(package) for package in PACKAGES}},
    }
    return _Run(config, checkpoint, obs_shape, act_space, picture, about)


def _tensors(run: _Run, part: str) -> dict[str, Tensor]:
    path = run.checkpoint / f"{part}.safetensors"
    if not path.exists():
        raise UserError(f"The checkpoint {run.checkpoint} has no {path.name}. Start the run's command again.")
    return load_file(path)
