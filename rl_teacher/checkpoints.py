"""Checkpoints: written whole or not at all, and the one to go on from."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rl_teacher.errors import UserError
from rl_teacher.files import fsync, sha256_of, write_json

KEEP = 3
"""Checkpoints kept."""
REDONE_SECONDS = 600.0
"""So much work is done a second time, at most, for the sake of a run that is the same as one that never stopped."""
_LEARNED = ("agent.safetensors", "reward.safetensors", "pool.safetensors", "pool.json")
PARTS = {
    "rl": ("agent.safetensors",),
    "synth": (*_LEARNED, "teacher.safetensors", "teacher.json"),
    "human": _LEARNED,
}
"""Files of a checkpoint besides state.json, by predictor."""
_STATE = {
    **{"steps": int, "loop": dict, "leg": bool, "seconds": dict},
    **{"evaluated_at": int, "latest": dict, "true_return": dict | None},
}
"""What state.json must hold for a run to go on from it."""


def save(root: Path, step: int, write: Callable[[Path], None]) -> Path:
    """Write a checkpoint: whole or not at all.

    Everything goes into a temporary folder with a manifest of hashes, to the disk, and then gets its name.

    Args:
        root: Where the checkpoints of the run lie.
        step: Environment steps of the run.
        write: Fills a folder.
    """
    final = root / f"step-{step:012d}"
    draft = final.with_suffix(".tmp")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _draft(draft, write)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)  # else it would hold the space that a full disk lacks
        raise
    _put_away(final)
    draft.rename(final)
    fsync(final.parent)
    kept = _all(root)
    legs = [folder for folder in kept if _begins_a_leg(folder)]
    for old in {*kept[:-KEEP]} - {*legs[-1:]}:
        _put_away(old)
    for gone in root.glob("*.gone"):
        shutil.rmtree(gone)
    return final


def latest(root: Path, parts: Sequence[str], warn: Callable[[str], None]) -> Path | None:
    """The checkpoint to go on from, or None. Damaged ones are named through `warn` and passed over.

    The newest whole one; but one that began a leg (see `Session`), if there is one and little must be done a second
    time from there.
    """
    newest: Path | None = None
    for folder in reversed(_all(root)):
        fault = _fault(folder, parts)
        if fault is not None:
            aside = folder.with_name(f"{folder.name}.damaged")
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
            warn(f"checkpoint {folder.name} is damaged ({fault}); set aside as {aside.name}")
        elif newest is None and not _begins_a_leg(folder):
            newest = folder
        elif newest is None or (_begins_a_leg(folder) and _seconds(newest) - _seconds(folder) <= REDONE_SECONDS):
            return folder
    if newest is None and list(root.glob("*.damaged")):
        warn("no whole checkpoint is left: starting afresh; answers of people are in the store and are kept")
    return newest


def newest(root: Path, parts: Sequence[str]) -> Path | None:
    """The newest whole one, for somebody who only reads; None: there is none."""
    return next((folder for folder in reversed(_all(root)) if _fault(folder, parts) is None), None)


def _put_away(folder: Path) -> None:
    """Take its name from a checkpoint that is not needed any more: half removed by a kill it would look damaged."""
    gone = folder.with_suffix(".gone")
    shutil.rmtree(gone, ignore_errors=True)
    if folder.exists():
        folder.rename(gone)


def _all(root: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path for path in root.iterdir() if re.fullmatch(r"step-\d{12}", path.name))


def _draft(folder: Path, write: Callable[[Path], None]) -> None:
    """A checkpoint with its manifest, on the disk, but not under its name yet."""
    folder.mkdir()
    write(folder)
    manifest = {file.name: sha256_of(file) for file in sorted(folder.iterdir())}
    write_json(folder / "manifest.json", manifest)
    for file in folder.iterdir():
        fsync(file)
    fsync(folder)


def _fault(folder: Path, parts: Sequence[str]) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        wrong = [name for name, sha in manifest.items() if sha256_of(folder / name) != sha]
        state = json.loads((folder / "state.json").read_text())
    except (FileNotFoundError, ValueError, AttributeError) as error:
        return str(error)
    except OSError as error:  # nothing says that it is damaged: it may be whole and only out of reach
        raise UserError(
            f"The checkpoint {folder} cannot be read ({error.strerror}). It must be one you may read; mend its "
            "permissions or the disk and start the same command again. Nothing was changed."
        ) from error
    if not manifest:
        return "its manifest is empty"
    if wrong:
        return f"{', '.join(wrong)} changed"
    missing = [name for name in (*parts, "state.json") if name not in manifest]
    if missing:
        return f"{', '.join(missing)} missing"
    state = state if isinstance(state, dict) else {}
    unfit = [name for name, kind in _STATE.items() if name not in state or not isinstance(state[name], kind)]
    return f"state.json holds no usable {', '.join(unfit)}" if unfit else None


def _begins_a_leg(folder: Path) -> bool:
    """Of a whole checkpoint; one that is damaged does not."""
    try:
        return json.loads((folder / "state.json").read_text())["leg"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _seconds(folder: Path) -> float:
    """Of the run up to a whole checkpoint."""
    return sum(json.loads((folder / "state.json").read_text())["seconds"].values())
