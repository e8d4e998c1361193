"""Returns over tasks, recipes, numbers of answers and seeds: the evidence behind docs/results.md.

    python benchmarks/grid.py reacher:5e5 hopper:1e6 cheetah:1e6 --variants default paper original \
        --labels 100 700 --truth --seeds 1 2 3 4 5 --jobs 2

A variant is a preset, with options of the command after colons: `default:--set=reward.crops=4` or
`default:--teacher=mistake:0.1`; `--variants @benchmarks/ablation.txt` reads them from a file, one a line. `--truth`
adds runs on the true reward (R*), and uniformly random actions (R_random). The variant `truth:--agent=sbx:SAC` is the
true reward with options, another agent's R*; it takes no answers. A task may hold colons: `dm:walker-walk:5e5`.
One CSV row per run as soon as it ends, and its course in a second file; a row that is there is not run again, so the
same command goes on after a stop. With `--jobs 2` two runs share two cores, one simulator thread each.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.runs import ROOT, Outcome, machine, teach

TRUTH, RANDOM = "truth", "random"
"""The variants that need no comparisons."""
LAST = 5
"""Looks at the end of a run whose mean is given beside the final return: a single policy may be lucky."""
COURSE = ("true_return", "reward/held_out_accuracy", "reward/calibration_error", "reward/rank_correlation")
"""What is noted over training."""
_writing = Lock()


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of the grid."""

    task: str
    steps: str
    variant: str
    labels: int
    seed: int

    @property
    def name(self) -> str:
        """Of the run folder."""
        recipe, *options = self.variant.split(":")
        plain = f"{recipe}-{hashlib.sha256(self.variant.encode()).hexdigest()[:8]}" if options else recipe
        return f"{self.task.replace(':', '-')}-{self.steps}-{plain}-{self.labels}-{self.seed}"

    @property
    def words(self) -> str:
        """What stands after `teach.py`."""
        shared = f"-e {self.task} -t {self.steps} -s {self.seed} -w 1"
        recipe, *options = self.variant.split(":--")
        taught = "-p rl" if recipe == TRUTH else f"-p synth -l {self.labels} --preset {recipe}"
        return " ".join([taught, shared, *(f"--{word}" for word in options)])

    @property
    def key(self) -> tuple[str, ...]:
        """As in the CSV file."""
        return (self.task, str(int(float(self.steps))), self.variant, str(self.labels), str(self.seed))


KEY = ("task", "steps", "variant", "labels", "seed")
RESULT = ("true_return", "std", "last_looks", "minutes", "fit_share", "query_share", *COURSE[1:], "commit", "command")


def run(cell: Cell, run_dir: Path, commit: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run one cell; returns its row and its course."""
    key = dict(zip(KEY, cell.key, strict=True))
    if cell.variant == RANDOM:
        return {**key, **_random(cell), "commit": commit}, []
    outcome = teach(cell.words, run_dir, cell.name)
    seconds, final = outcome.summary["seconds"], outcome.summary["true_return"]
    spent = sum(seconds.values()) - seconds["eval"]
    course = _course(outcome)
    row = {
        **key,
        "true_return": final["mean"],
        "std": final["std"],
        "last_looks": round(sum(look["true_return"] for look in course[-LAST:]) / len(course[-LAST:]), 4),
        "minutes": round(spent / 60, 3),
        "fit_share": round(seconds["reward_fit"] / spent, 4),
        "query_share": round(seconds["query"] / spent, 4),
        **{name: course[-1].get(name, "") for name in COURSE[1:]},
        "commit": commit,
        "command": outcome.command,
    }
    return row, [{**key, **look} for look in course]


def _course(outcome: Outcome) -> list[dict[str, Any]]:
    """Steps, minutes, answers and the figures of COURSE at each look at the policy."""
    looks, known = [], dict[str, Any]()
    for line in outcome.metrics:
        known |= {name: value for name, value in line.items() if name != "true_return"}
        if "true_return" in line:
            figures = {name: round(known[name], 4) for name in COURSE[1:] if name in known}
            minutes = (known.get("wall_seconds", 0.0) - known.get("seconds/eval", 0.0)) / 60
            about = {"step": line["step"], "minutes": round(minutes, 3), "answered": known.get("labels/answered", 0)}
            looks.append({**about, "true_return": round(line["true_return"], 4), **figures})
    return looks


def _random(cell: Cell) -> dict[str, Any]:
    """20 episodes of uniformly random actions."""
    import numpy as np

    from rl_teacher.envs.evaluate import evaluate
    from rl_teacher.envs.make import make_vec
    from rl_teacher.envs.stage import random_actions
    from rl_teacher.envs.tasks import resolve

    spec = resolve(cell.task)
    env = make_vec(spec, 1, 0)
    act_space, rng = env.act_space, np.random.default_rng(cell.seed)
    env.close()

    class Indifferent:
        def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
            del explore
            return random_actions(act_space, len(obs), rng)

    returns = evaluate(Indifferent(), spec, 20, cell.seed)
    return {"true_return": round(returns.mean, 4), "std": round(returns.std, 4)}


def cells(tasks: list[str], variants: list[str], labels: list[int], seeds: list[int], truth: bool) -> list[Cell]:
    """The grid, seed by seed, so that what is there early covers all of it."""
    grid = []
    for seed in seeds:
        for task, steps in (word.rsplit(":", 1) for word in tasks):
            grid += [Cell(task, steps, variant, 0, seed) for variant in (RANDOM, TRUTH)] if truth else []
            for variant in variants:
                asked = [0] if variant.split(":--")[0] == TRUTH else labels
                grid += [Cell(task, steps, variant, n, seed) for n in asked]
    return grid


def fill(grid: list[Cell], out: Path, run_dir: Path, jobs: int) -> None:
    """Run what is missing of the grid."""
    out.parent.mkdir(parents=True, exist_ok=True)
    shown = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    done = _done(out)

    def one(cell: Cell) -> None:
        row, course = run(cell, run_dir, shown.stdout.strip())
        with _writing:
            _append(out.with_name(f"{out.stem}-course.csv"), (*KEY, "step", "minutes", "answered", *COURSE), course)
            _append(out, (*KEY, *RESULT), [row])
        print({name: row[name] for name in ("variant", "task", "labels", "seed", "true_return")}, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(one, cell) for cell in grid if cell.key not in done]:
            future.result()


def _append(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerows(rows)


def _done(path: Path) -> set[tuple[str, ...]]:
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {tuple(row[name] for name in KEY) for row in csv.DictReader(file)}


def main() -> int:
    """Fill in what is missing of the grid."""
    here = Path(__file__).parent / "out"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, fromfile_prefix_chars="@"
    )
    parser.add_argument("tasks", nargs="+", help="task:steps")
    parser.add_argument("--variants", nargs="*", default=["default"])
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 700])
    parser.add_argument("--truth", action="store_true", help="runs on the true reward and at random besides")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--run-dir", type=Path, default=here / "runs")
    parser.add_argument("--out", type=Path, default=here / "grid.csv")
    args = parser.parse_args()
    print(machine(), flush=True)
    fill(cells(args.tasks, args.variants, args.labels, args.seeds, args.truth), args.out, args.run_dir, args.jobs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
