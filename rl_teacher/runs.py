"""The run folder: configuration, checkpoints, summary; and going on after a stop."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rl_teacher.errors import UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
KEEP = 3
"""Checkpoints kept."""


class RunFolder:
    """`<run_dir>/<name>/`, held by one process at a time.

    Args:
        run_dir: Where all runs lie.
        name: Of this run.

    Raises:
        UserError: If the name cannot be a folder, the folder cannot be written, or another process runs it.
    """

    def __init__(self, run_dir: Path, name: str):
        if not NAME.fullmatch(name) or ".." in name:
            raise UserError(
                f"Run name '{name}' given; allowed are letters, digits, '.', '_' and '-', beginning with a letter or "
                "digit and without '..'. Choose another name with -n."
            )
        self.name = name
        self.path = run_dir / name
        try:
            (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("w")
        except OSError as error:
            raise UserError(
                f"The run folder {self.path} cannot be written ({error.strerror}). Give another place with --run-dir."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise UserError(
                f"Run '{name}' is being run by another process. Wait for it, stop it, or choose another name with -n."
            ) from error

    def configure(self, settings: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        """Write config.json, or check that it says the same.

        Args:
            settings: What makes the run what it is.
            about: What may differ between two starts of a run: versions, threads, machine.

        Raises:
            UserError: If the run was started with other settings; names the differences.
        """
        path = self.path / "config.json"
        wanted = json.loads(json.dumps(settings))
        if path.exists():
            held = json.loads(path.read_text())["settings"]
            differences = _differences(held, wanted)
            if differences:
                raise UserError(
                    f"Run '{self.name}' exists with another configuration: {'; '.join(differences)}. "
                    "Repeat its command to go on with it, or choose another name with -n."
                )
        write_json(path, {"settings": wanted, "about": about})

    def summary(self) -> dict[str, Any]:
        """What summary.json holds, or nothing."""
        path = self.path / "summary.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Replace summary.json as a whole."""
        write_json(self.path / "summary.json", summary)

    def save(self, step: int, write: Callable[[Path], None]) -> Path:
        """Write a checkpoint: whole or not at all.

        Everything goes into a temporary folder with a manifest of hashes, to the disk, and then gets its name.

        Args:
            step: Environment steps of the run.
            write: Fills a folder.
        """
        final = self.path / "checkpoints" / f"step-{step:012d}"
        draft = final.with_suffix(".tmp")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        write(draft)
        manifest = {file.name: _sha256(file) for file in sorted(draft.iterdir())}
        write_json(draft / "manifest.json", manifest)
        for file in draft.iterdir():
            _fsync(file)
        _fsync(draft)
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        _fsync(final.parent)
        for old in self._checkpoints()[:-KEEP]:
            shutil.rmtree(old)
        return final

    def latest(self, warn: Callable[[str], None]) -> Path | None:
        """The newest whole checkpoint, or None. Damaged ones are named through `warn` and passed over."""
        for folder in reversed(self._checkpoints()):
            fault = _fault(folder)
            if fault is None:
                return folder
            warn(f"checkpoint {folder.name} is damaged ({fault}); going back to the one before")
        return None

    def close(self) -> None:
        """Let go of the folder. Closing twice is harmless."""
        self._lock.close()

    def _checkpoints(self) -> list[Path]:
        return sorted(p for p in (self.path / "checkpoints").iterdir() if re.fullmatch(r"step-\d{12}", p.name))


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file as a whole: a reader sees the old or the new one, never half of one."""
    draft = path.with_suffix(".json.tmp")
    draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _fsync(draft)
    os.replace(draft, path)


def _differences(held: Mapping[str, Any], wanted: Mapping[str, Any], where: str = "") -> list[str]:
    found = []
    for key in sorted({*held, *wanted}):
        old, new = held.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{where}{key}.")
        elif old != new:
            found.append(f"{where}{key} was {old!r}, now {new!r}")
    return found


def _fault(folder: Path) -> str | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        wrong = [name for name, sha in manifest.items() if _sha256(folder / name) != sha]
    except (OSError, ValueError) as error:
        return str(error)
    return f"{', '.join(wrong)} changed" if wrong else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
