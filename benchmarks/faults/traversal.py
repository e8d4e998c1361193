"""Paths that try to climb out of the server's folders: does a byte from outside ever come back?

    python benchmarks/faults/traversal.py --n 300

Each path is sent as it is, past any client that would tidy it up, to a real server and with an admin's token. Files
that must not be served lie where the paths point: in the run folder, in the package, in the system.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.wire import Target, status, target

CANARY = "outside-7f1c"
"""Stands in the files that must not be served."""
SECRETS = (CANARY.encode(), b"root:", b"SQLite format 3", b"create_app", b"[project]", b"PATH=")
FILES = (
    "canary.txt",
    "feedback.db",
    "runs/feedback.db",
    "app.py",
    "server/app.py",
    "pyproject.toml",
    "etc/passwd",
    "proc/self/environ",
)
PLACES = (
    "/{}",
    "/assets/{}",
    "/api/v1/blobs/{}",
    "/api/v1/runs/{}",
    "/api/v1/experiments/{}",
    "/api/v1/experiments/EXPERIMENT/clips/{}",
    "/api/v1/experiments/EXPERIMENT/curves?run={}",
    "/api/v1/jobs/{}",
)
SPELLINGS: tuple[Callable[[str, int], str], ...] = (
    lambda file, up: "../" * up + file,
    lambda file, up: "..%2f" * up + file.replace("/", "%2f"),
    lambda file, up: "%2e%2e/" * up + file,
    lambda file, up: "%2e%2e%2f" * up + file.replace("/", "%2f"),
    lambda file, up: "%252e%252e%252f" * up + file.replace("/", "%252f"),
    lambda file, up: "..\\" * up + file.replace("/", "\\"),
    lambda file, up: "..%5c" * up + file.replace("/", "%5c"),
    lambda file, up: "....//" * up + file,
    lambda file, up: "..;/" * up + file,
    lambda file, up: "%c0%ae%c0%ae%c0%af" * up + file,  # overlong UTF-8
    lambda file, up: "%ef%bc%8e%ef%bc%8e%2f" * up + file,  # full-width dots
    lambda file, up: "./" * up + "../" * up + file,
    lambda file, up: "index.html/" + "../" * up + file,
    lambda file, up: "/" * up + file,
    lambda file, _up: "%2f" + file.replace("/", "%2f"),
    lambda file, _up: f"file:///{file}",
    lambda file, up: "../" * up + file + "%00.js",
    lambda file, up: "../" * up + file + "%23.js",
    lambda file, up: "..%u2215" * up + file,
    lambda file, _up: "0" * 64 + "/../" + file,
)


@dataclass
class Found:
    """What came of it."""

    n: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Paths that brought something from outside, or an answer that is no refusal."""


def paths(n: int, experiment: str, seed: int = 1) -> list[str]:
    """Different paths, of all places, spellings, files and depths alike."""
    rng = random.Random(seed)
    every = list(itertools.product(PLACES, SPELLINGS, FILES, (1, 2, 4, 8)))
    rng.shuffle(every)
    made = (place.replace("EXPERIMENT", experiment).format(spell(file, up)) for place, spell, file, up in every)
    return list(dict.fromkeys(made))[:n]


def climb(served: Target, n: int) -> Found:
    """Send n such paths, and judge what comes back."""
    found = Found()
    for path in paths(n, served.experiment):
        answer = served.send(served.head("GET", path) + b"\r\n")
        found.n += 1
        found.statuses[status(answer)] += 1
        if not 400 <= status(answer) < 500 or any(secret in answer for secret in SECRETS):
            found.faults.append(f"{path}: {answer[:200]!r}")
    if not served.is_up():
        found.faults.append("the server is gone")
    return found


def plant(folder: Path) -> None:
    """Put files where they must not be found."""
    for where in (folder, folder / "runs", folder / "runs" / "blobs"):
        where.mkdir(parents=True, exist_ok=True)
        (where / "canary.txt").write_text(CANARY)


def main() -> int:
    """Print a Markdown table; 1 if anything came through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=300, help="paths (default 300)")
    n = parser.parse_args().n
    with tempfile.TemporaryDirectory() as made:
        plant(Path(made))
        with target(Path(made)) as served:
            found = climb(served, n)
    told = ", ".join(f"{code}: {count:,}" for code, count in sorted(found.statuses.items()))
    sys.stdout.write(
        f"| paths | statuses | from outside |\n|---|---|---|\n| {found.n:,} | {told} | {len(found.faults)} |\n"
    )
    sys.stdout.writelines(f"{fault}\n" for fault in found.faults[:20])
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())
