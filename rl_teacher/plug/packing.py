"""An export: a folder of tensors (safetensors) and `export.json`, which says what they are and holds their hashes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from rl_teacher.errors import UserError
from rl_teacher.files import fsync, sha256_of, write_json
from rl_teacher.plug.hub import PREFIX, download
from rl_teacher.tensors import save_finite

ABOUT = "export.json"
TENSORS = "{kind}.safetensors"
ONNX = "{kind}.onnx"
PROGRAM = "{kind}.pt2"
PIXELS = "pixels"
"""Among the settings, where an observation is a picture."""
VERSION = 1
LONGEST = 200
"""Letters shown of why an export is damaged."""
KINDS = ("reward", "policy")


@dataclass(frozen=True, slots=True)
class Export:
    """What an export folder holds."""

    kind: str
    """Of `KINDS`."""
    obs_shape: tuple[int, ...]
    """Of one observation."""
    act_space: gym.Space
    """Of one action; one of n is counted from zero."""
    settings: Mapping[str, Any]
    """What the networks are built from."""
    about: Mapping[str, Any]
    """The run it comes from, and versions."""
    tensors: Mapping[str, Tensor]

    @property
    def picture(self) -> tuple[int, ...] | None:
        """Shape of an observation that is a picture, uint8; None: it is numbers."""
        return self.obs_shape if self.settings.get(PIXELS) else None

    @property
    def of_networks(self) -> dict[str, Any]:
        """The settings by themselves, sizes as a tuple."""
        said = {name: value for name, value in self.settings.items() if name != PIXELS}
        return {**said, "hidden": tuple(said["hidden"])}


def write_export(folder: Path, export: Export, add: Callable[[Path], None]) -> None:
    """Write a folder, as a whole or not at all.

    Args:
        folder: To be made.
        export: What to write.
        add: Puts further files into the folder it is given, before the hashes are taken.

    Raises:
        UserError: If the folder is there already, or cannot be written.
    """
    if folder.exists():
        raise UserError(f"{folder} is there already; an export goes into a new folder. Give another with --out.")
    draft = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        save_finite(export.tensors, draft / TENSORS.format(kind=export.kind))
        add(draft)
        files = {file.name: sha256_of(file) for file in sorted(draft.iterdir())}
        spaces = {"obs": {"shape": list(export.obs_shape)}, "act": _described(export.act_space)}
        what = {"kind": export.kind, "version": VERSION, **spaces, "settings": export.settings, "about": export.about}
        write_json(draft / ABOUT, {**what, "files": files})
        for file in draft.iterdir():
            fsync(file)
        draft.rename(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}). Choose another folder with --out.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def read_export(path: str | Path, kind: str) -> Export:
    """What a folder holds, after every hash in it was proved.

    Args:
        path: Of a folder, or "hf:OWNER/NAME" for one on the Hugging Face Hub.
        kind: Of `KINDS`, what it must be.

    Raises:
        UserError: If it is no export, another one, or damaged.
    """
    folder = download(str(path)) if str(path).startswith(PREFIX) else Path(path)
    said = _read(folder)
    if said.get("kind") != kind or said.get("version") != VERSION:
        raise UserError(
            f"{path} given, which holds a {said.get('kind')} in version {said.get('version')} of the format; wanted is "
            f"a {kind} in version {VERSION}. Write one with `rl-teacher export {kind} NAME`."
        )
    holds = TENSORS.format(kind=kind)
    try:
        if holds not in said["files"]:
            raise damaged(folder, f"{ABOUT} holds no hash of {holds}")
        for name, sha in said["files"].items():
            if Path(name).name != name or sha256_of(folder / name) != sha:
                raise damaged(folder, f"{name} is not what was exported")
        tensors = load_file(folder / holds)
        shape, act = tuple(said["obs"]["shape"]), _space(said["act"])
        return Export(kind, shape, act, said["settings"], said["about"], tensors)
    except (OSError, KeyError, TypeError, AttributeError, ValueError, SafetensorError) as error:
        raise damaged(folder, str(error) or type(error).__name__) from error


def damaged(folder: Path, why: str) -> UserError:
    """What is said of an export that is not whole."""
    why = " ".join(why.split())[:LONGEST]
    return UserError(f"The export {folder} is damaged: {why}. It must be as it was written; export or copy it again.")


def _read(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{folder} given, which is no export: {ABOUT} in it cannot be read ({error.strerror}). Wanted is a folder "
            "that `rl-teacher export` wrote."
        ) from error
    except ValueError as error:
        raise damaged(folder, f"{ABOUT} holds no JSON") from error
    if not isinstance(said, dict):
        raise damaged(folder, f"{ABOUT} holds no JSON object")
    return said


def _described(space: gym.Space) -> dict[str, Any]:
    if isinstance(space, gym.spaces.Discrete):
        return {"n": int(space.n)}
    if isinstance(space, gym.spaces.MultiDiscrete):
        return {"nvec": space.nvec.tolist()}
    if not isinstance(space, gym.spaces.Box):
        raise TypeError(f"no description of the action space {space}; Box, Discrete and MultiDiscrete have one")
    return {"shape": list(space.shape), "low": space.low.tolist(), "high": space.high.tolist()}


def _space(said: Mapping[str, Any]) -> gym.Space:
    if "n" in said:
        return gym.spaces.Discrete(int(said["n"]))
    if "nvec" in said:
        return gym.spaces.MultiDiscrete(np.array(said["nvec"], dtype=np.int64))
    low, high = (np.array(said[name], dtype=np.float32) for name in ("low", "high"))
    return gym.spaces.Box(low, high, tuple(said["shape"]), np.float32)
