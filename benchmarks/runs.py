"""Running the command as a user does, and reading what it left behind."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run."""

    command: str
    summary: dict[str, Any]
    metrics: list[dict[str, float]]

    def seconds_to(self, true_return: float) -> float | None:
        """Seconds of collecting, learning and asking until an evaluation first gave so much; None if none did."""
        for line in self.metrics:
            if line.get("true_return", -float("inf")) >= true_return and "wall_seconds" in line:
                return line["wall_seconds"] - line["seconds/eval"] - line["seconds/wait"]
        return None

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory after a quarter of the run and its peak, MiB."""
        used = [line["memory_mb"] for line in self.metrics if "memory_mb" in line]
        return used[len(used) // 4], max(used)


def teach(words: str, run_dir: Path, name: str) -> Outcome:
    """Run `python rl_teacher/teach.py <words>` to its end, or read it if it has ended before.

    Raises:
        RuntimeError: If the command fails; its output is the message.
    """
    command = f"python rl_teacher/teach.py {words} -n {name}"
    folder = run_dir / name
    if not (folder / "summary.json").exists() or not _read(folder)["finished"]:
        given = [sys.executable, str(ROOT / "rl_teacher" / "teach.py"), *shlex.split(words), "-n", name, "-V"]
        done = subprocess.run(
            [*given, "--run_dir", str(run_dir)], capture_output=True, text=True, check=False, env={**os.environ}
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return Outcome(command, _read(folder), [json.loads(line) for line in lines])


def _read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def machine() -> str:
    """What this ran on, in a line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row.split(":", 1)[1].strip() for row in info.read_text().splitlines() if row.startswith("model name")]
        cpu = names[0] if names else cpu
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
