"""`make bench`: EnvPool's raw rate, the true reward and 700 synthetic comparisons on HalfCheetah, side by side.

    python benchmarks/speed.py --steps 1e6 --seeds 5

One seed after the other, each row measured in turn, so that a busy machine slows all of them alike. Nothing else should
run meanwhile. Prints a table and writes it to `benchmarks/out/speed.csv`, row by row.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.runs import Outcome, machine, teach

GOALS = (1_000, 2_000, 4_000)
PHASES = ("collect", "learn", "reward_fit", "query", "stage", "other")
RUNS = {"rl": "-p rl", "synth": "-p synth -l 700"}
RAW_SECONDS = 8.0


def raw_rate(n_envs: int = 64, n_threads: int = 2) -> float:
    """EnvPool's own steps per second on HalfCheetah-v5 with random actions."""
    import envpool

    env = envpool.make("HalfCheetah-v5", env_type="gymnasium", num_envs=n_envs, num_threads=n_threads, seed=0)
    act = np.random.default_rng(0).uniform(-1, 1, (100, n_envs, 6))
    env.reset()
    for _ in range(50):
        env.step(act[0])
    began, n_steps = time.perf_counter(), 0
    while time.perf_counter() - began < RAW_SECONDS:
        for a in act:
            env.step(a)
        n_steps += len(act) * n_envs
    rate = n_steps / (time.perf_counter() - began)
    env.close()
    return rate


def row(kind: str, seed: int, raw: float, outcome: Outcome) -> dict[str, object]:
    """One line of the table."""
    done = outcome.summary
    early, peak = outcome.memory_mb()
    return {
        "run": kind,
        "seed": seed,
        "raw_steps_per_second": round(raw),
        "steps_per_second": round(done["steps_per_second"]),
        "share_of_raw": round(done["steps_per_second"] / raw, 3),
        "steps": done["steps"],
        **{f"{phase}_s": round(done["seconds"][phase], 1) for phase in PHASES},
        "true_return": round(done["true_return"]["mean"]),
        **{f"s_to_{goal}": _rounded(outcome.seconds_to(goal)) for goal in GOALS},
        "memory_mb_at_quarter": round(early),
        "memory_mb_peak": round(peak),
    }


def _rounded(seconds: float | None) -> float | str:
    return "" if seconds is None else round(seconds, 1)


def report(rows: list[dict[str, object]]) -> None:
    """Medians over seeds, and the two ratios the targets speak of."""
    print(f"\nmedians over {len(rows) // len(RUNS)} seeds · {machine()}\n")
    for kind in RUNS:
        mine = [r for r in rows if r["run"] == kind]
        print(f"{kind}:")
        for name in mine[0]:
            if name not in ("run", "seed"):
                values = [float(str(r[name]) or "inf") for r in mine]  # never reached is later than any time
                print(f"  {name:22} {statistics.median(values):>10,.2f}")
    ratios = [
        float(str(rl["steps_per_second"])) / float(str(synth["steps_per_second"]))
        for rl, synth in zip(rows[::2], rows[1::2], strict=True)
    ]
    print(f"\nsynth's time per step over rl's: median {statistics.median(ratios):.3f}")


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", default="1e6")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "speed.csv")
    args = parser.parse_args()
    print(machine(), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="rl-teacher-bench-") as folder, args.out.open("w", newline="") as file:
        for seed in range(1, args.seeds + 1):
            for kind, words in RUNS.items():
                raw = raw_rate()
                outcome = teach(
                    f"{words} -e HalfCheetah-v1 -t {args.steps} -s {seed} -w 2", Path(folder), f"{kind}-{seed}"
                )
                rows.append(row(kind, seed, raw, outcome))
                writer = csv.DictWriter(file, list(rows[0]))
                if len(rows) == 1:
                    writer.writeheader()
                writer.writerow(rows[-1])
                file.flush()
                print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    report(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
