"""The run folder: configuration, checkpoints, summary; and going on after a stop."""

from __future__ import annotations

import fcntl
import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rl_teacher import checkpoints
from rl_teacher.errors import BrokenEnvironmentError, UserError
from rl_teacher.files import write_json

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST = 100
"""Letters of a name."""
MOST_NAMED = 10
"""Runs named where one is not there."""


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
        """Write a checkpoint; see `checkpoints.save`."""
        return checkpoints.save(self.path / "checkpoints", step, write)

    def keep(self, what: str, step: int, write: Callable[[Path], None]) -> None:
        """Write a checkpoint that stays, into a folder of its own."""
        (self.path / what).mkdir(exist_ok=True)
        checkpoints.save(self.path / what, step, write)

    def latest(self, warn: Callable[[str], None]) -> Path | None:
        """The checkpoint to go on from; see `checkpoints.latest`."""
        return checkpoints.latest(self.path / "checkpoints", self._parts, warn)

    def close(self) -> None:
        """Let go of the folder. Closing twice is harmless."""
        self._lock.close()


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
        there = [folder.parent.name for folder in sorted(run_dir.glob("*/config.json"))][:MOST_NAMED]
        runs = f"Runs there: {', '.join(there)}" if there else "There are no runs"
        raise UserError(f"There is no run folder {path}. {runs}. Give another name, or the --run_dir that holds it.")
    folder = checkpoints.newest(path / "checkpoints", parts)
    if folder is not None:
        return read_settings(path), folder
    raise UserError(f"Run '{name}' has no whole checkpoint yet. Start its command again, and ask then.")


def read_settings(folder: Path) -> dict[str, Any]:
    """Settings of the run in a folder.

    Raises:
        UserError: If its config.json cannot be read.
    """
    held = _read(folder / "config.json").get("settings", {})
    return held if isinstance(held, dict) else {}


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
