"""True returns after learning from the true reward and from synthetic comparisons, over tasks and seeds.

    python benchmarks/returns.py reacher:5e5 hopper:1e6 cheetah:1e6 --labels 0 700 --seeds 1 2 3 4 5 --jobs 2

One CSV row per run as soon as it ends; a row that is there is not run again, so the same command goes on after a stop.
`--labels 0` is the true reward. With `--jobs 2` two runs share the machine, one simulator thread each: returns are
right, seconds are not.
"""

from __future__ import annotations

import argparse
import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from threading import Lock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.runs import machine, teach

COLUMNS: list[str] = [
    "task",
    "steps",
    "labels",
    "seed",
    "true_return",
    "std",
    "best",
    "held_out_accuracy",
    "correlation",
    "command",
]
_writing = Lock()


def one(task: str, steps: str, labels: int, seed: int, run_dir: Path) -> dict[str, object]:
    """Run one cell of the grid."""
    kind = f"-p synth -l {labels}" if labels else "-p rl"
    words = f"{kind} -e {task} -t {steps} -s {seed} -w 1"
    outcome = teach(words, run_dir, f"{task}-{steps}-{labels}-{seed}")
    model = outcome.summary["reward_model"] or {}
    return {
        "task": task,
        "steps": int(float(steps)),
        "labels": labels,
        "seed": seed,
        "true_return": round(outcome.summary["true_return"]["mean"], 1),
        "std": round(outcome.summary["true_return"]["std"], 1),
        "best": round(max(line["true_return"] for line in outcome.metrics if "true_return" in line), 1),
        "held_out_accuracy": model.get("held_out_accuracy", ""),
        "correlation": model.get("correlation", ""),
        "command": outcome.command,
    }


def main() -> int:
    """Fill in what is missing of the grid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", help="task:steps")
    parser.add_argument("--labels", type=int, nargs="+", default=[0, 700])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--run-dir", type=Path, default=Path(__file__).parent / "out" / "runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "returns.csv")
    args = parser.parse_args()
    print(machine(), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    done = _done(args.out)
    grid = product(args.seeds, (word.split(":") for word in args.tasks), args.labels)
    cells = [(seed, task, steps, labels) for seed, (task, steps), labels in grid if (task, labels, seed) not in done]

    def run(cell: tuple[int, str, str, int]) -> None:
        seed, task, steps, labels = cell
        result = one(task, steps, labels, seed, args.run_dir)
        with _writing, args.out.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(result)
            print(result, flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        for future in [pool.submit(run, cell) for cell in cells]:
            future.result()
    return 0


def _done(path: Path) -> set[tuple[str, int, int]]:
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {(row["task"], int(row["labels"]), int(row["seed"])) for row in csv.DictReader(file)}


if __name__ == "__main__":
    sys.exit(main())
