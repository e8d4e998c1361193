"""The run folder: configuration, checkpoints, summary; and going on after a stop."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rl_teacher.errors import BrokenEnvironmentError, UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST = 100
"""Letters of a name."""
KEEP = 3
"""Checkpoints kept."""
_AGENT, _REWARD = "agent.safetensors", "reward.safetensors"
PARTS = {
    "rl": (_AGENT,),
    "synth": (_AGENT, _REWARD, "teacher.safetensors", "teacher.json"),
    "human": (_AGENT, _REWARD),
}
"""Files of a checkpoint besides state.json, by predictor."""
_STATE = {"steps": int, "evaluated_at": int, "seconds": dict, "latest": dict, "true_return": dict | None, "ready": bool}
"""What state.json must hold for a run to go on from it."""


class RunFolder:
    """`<run_dir>/<name>/`, held by one process at a time.

    Args:
        run_dir: Where all runs lie.
        name: Of this run.
        parts: Files that a whole checkpoint holds besides state.json.

    Raises:
        UserError: If the name cannot be a folder, the folder cannot be written, or another process runs it.
    """

    def __init__(self, run_dir: Path, name: str, parts: Sequence[str] = ()):
        self.name = name
        self.path = _path(run_dir, name)
        self._parts = parts
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

    def is_new(self) -> bool:
        """Whether nothing was ever run here."""
        return not (self.path / "config.json").exists()

    def compare(self, settings: Mapping[str, Any]) -> None:
        """Check that the run, if it was started before, was started with the same settings.

        Raises:
            UserError: If it was not; names the differences.
        """
        path = self.path / "config.json"
        if not path.exists():
            return
        held = _read(path).get("settings", {})
        if not isinstance(held, dict):
            raise UserError(f"{path} is damaged: it holds no settings. Move it away, or choose another name with -n.")
        differences = _differences(held, json.loads(json.dumps(settings)))
        if differences:
            raise UserError(
                f"Run '{self.name}' exists with another configuration: {'; '.join(differences)}. "
                "Repeat its command to go on with it, or choose another name with -n."
            )

    def configure(self, settings: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        """Write config.json.

        Args:
            settings: What makes the run what it is.
            about: What may differ between two starts of a run: versions, threads, machine.
        """
        write_json(self.path / "config.json", {"settings": settings, "about": about})

    def summary(self) -> dict[str, Any]:
        """What summary.json holds, or nothing."""
        path = self.path / "summary.json"
        return _read(path) if path.exists() else {}

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
        try:
            _draft(draft, write)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)  # else it would hold the space that a full disk lacks
            raise
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        _fsync(final.parent)
        for old in self._checkpoints()[:-KEEP]:
            shutil.rmtree(old)
        return final

    def latest(self, warn: Callable[[str], None]) -> Path | None:
        """The newest whole checkpoint, or None. Damaged ones are named through `warn` and passed over."""
        damaged = False
        for folder in reversed(self._checkpoints()):
            fault = _fault(folder, self._parts)
            if fault is None:
                return folder
            damaged = True
            aside = folder.with_name(f"{folder.name}.damaged")
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
            warn(f"checkpoint {folder.name} is damaged ({fault}); set aside as {aside.name}")
        if damaged:
            warn("no whole checkpoint is left: starting afresh; answers of people are in the store and are kept")
        return None

    def close(self) -> None:
        """Let go of the folder. Closing twice is harmless."""
        self._lock.close()

    def _checkpoints(self) -> list[Path]:
        return sorted(p for p in (self.path / "checkpoints").iterdir() if re.fullmatch(r"step-\d{12}", p.name))


def newest_checkpoint(run_dir: Path, name: str, parts: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Settings and newest whole checkpoint of a run, for somebody who only reads: nothing is locked or set aside.

    Args:
        run_dir: Where all runs lie.
        name: Of the run.
        parts: See RunFolder.

    Raises:
        UserError: If there is none.
    """
    path = _path(run_dir, name)
    if not (path / "config.json").exists():
        raise UserError(f"There is no run folder {path}. Start the worker with the --run_dir that holds it.")
    for folder in sorted((path / "checkpoints").glob("step-*"), reverse=True):
        if re.fullmatch(r"step-\d{12}", folder.name) and _fault(folder, parts) is None:
            return _read(path / "config.json").get("settings", {}), folder
    raise UserError(f"Run '{name}' has no whole checkpoint yet. Start its command again, and ask then.")


@contextmanager
def fault_log(run_dir: Path, name: str) -> Iterator[None]:
    """Write what an environment's own code raises in this block to error.log in the run folder, for its author.

    Args:
        run_dir: Where all runs lie.
        name: Of this run.

    Raises:
        BrokenEnvironmentError: What was raised in the block; its message says where the log is.
        UserError: If the name cannot be a folder.
    """
    try:
        yield
    except BrokenEnvironmentError as fault:
        log = _path(run_dir, name) / "error.log"
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("".join(traceback.format_exception(fault)), encoding="utf-8")
        except OSError:
            raise fault from fault.__cause__  # it can be told without a log
        raise BrokenEnvironmentError(f"{fault} The whole traceback is in {log}.") from fault.__cause__


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file as a whole: a reader sees the old or the new one, never half of one."""
    draft = path.with_suffix(".json.tmp")
    try:
        draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _fsync(draft)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _draft(folder: Path, write: Callable[[Path], None]) -> None:
    """A checkpoint with its manifest, on the disk, but not under its name yet."""
    folder.mkdir()
    write(folder)
    manifest = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    write_json(folder / "manifest.json", manifest)
    for file in folder.iterdir():
        _fsync(file)
    _fsync(folder)


def _path(run_dir: Path, name: str) -> Path:
    taken = name == "blobs" or name.startswith(("feedback.db", "server.log"))
    if not NAME.fullmatch(name) or ".." in name or len(name) > LONGEST or taken:
        raise UserError(
            f"Run name '{name[:LONGEST]}' given; allowed are up to {LONGEST} ASCII letters (A-Z, a-z), digits, '.', "
            "'_' and '-', beginning with a letter or digit, without '..', and not what lies beside the runs (blobs, "
            "feedback.db, server.log). Choose another name with -n."
        )
    return run_dir / name


def _read(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        UserError: If it holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}). It must be a file you may read; mend that, or choose another "
            "name with -n."
        ) from error
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object. Move it away, or choose another name with -n.")
    return value


def _differences(held: Mapping[str, Any], wanted: Mapping[str, Any], where: str = "") -> list[str]:
    found = []
    for key in sorted({*held, *wanted}):
        old, new = held.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{where}{key}.")
        elif old != new:
            found.append(f"{where}{key} was {old!r}, now {new!r}")
    return found


def _fault(folder: Path, parts: Sequence[str]) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        wrong = [name for name, sha in manifest.items() if _sha256(folder / name) != sha]
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
