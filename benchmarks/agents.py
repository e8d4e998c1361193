"""Every agent on every family of tasks: the runs behind the table in docs/agents.md.

    python benchmarks/agents.py                                   # every cell that has no row yet, seed 1
    python benchmarks/agents.py --agents sb3:SAC ppo --families running --seeds 1 2 3 --scale 10

One CSV row per run as soon as it ends; a row that is there is not run again, so the same command goes on after a stop.
The runs are short: they show that an agent learns there at all, and how fast it is. `--scale` makes them longer.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.runs import ROOT, machine
from rl_teacher.agents.registry import KINDS
from rl_teacher.envs.evaluate import evaluate
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import EnvSpec, resolve
from rl_teacher.teach import main as command

FAMILIES = {"reaching": "Reacher-v1", "balancing": "Pendulum-v1", "running": "ShortHalfCheetah-v1"}
"""An environment for each family of our tasks …"""
CHOOSING = {"choosing": "gym:CartPole-v1"}
"""… and one in which the agent chooses among a few actions. Its reward is 1 in every step, so a synthetic teacher
would find all clips alike: there the agent learns from that reward itself."""
STEPS = {True: 200_000, False: 15_000}
"""Environment steps of a run, for agents that forget what they learned from and for those that keep a replay."""
LABELS = 60
COLUMNS = ("agent", "family", "env_id", "steps", "seed", "labels", "true_return", "std", "random", "seconds", "machine")


class Dicing:
    """Plays uniformly random actions."""

    def __init__(self, spec: EnvSpec, seed: int):
        env = make_vec(spec, 1, seed)
        self._space = env.act_space
        env.close()
        self._space.seed(seed)

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act)."""
        return np.stack([self._space.sample() for _ in obs])


def words(agent: str, env_id: str, steps: int, seed: int) -> str:
    """What stands after `teach`; a replay begins to be learned from early, for the run is short."""
    source = "-p rl" if env_id in CHOOSING.values() else f"-p synth -l {LABELS}"
    early = "" if KINDS[agent].on_policy else " --set learner.random_steps=500"
    return f"{source} -e {env_id} -t {steps} -s {seed} -a {agent} -w 1{early}"


def row(agent: str, family: str, env_id: str, steps: int, seed: int, run_dir: Path) -> dict[str, Any]:
    """One run, as a line of the table."""
    name = f"{agent.replace(':', '-')}-{family}-{steps}-{seed}"
    given = f"{words(agent, env_id, steps, seed)} -n {name} -V --run_dir {run_dir}"
    if command(given.split()) != 0:  # in this process: importing the libraries takes longer than some of the runs
        raise RuntimeError(f"rl-teacher teach {given} failed")
    summary = json.loads((run_dir / name / "summary.json").read_text())
    spent = summary["seconds"]
    spec = resolve(env_id)
    return {
        "agent": agent,
        "family": family,
        "env_id": env_id,
        "steps": summary["steps"],
        "seed": seed,
        "labels": summary["labels"]["answered"],
        "true_return": round(summary["true_return"]["mean"], 1),
        "std": round(summary["true_return"]["std"], 1),
        "random": round(evaluate(Dicing(spec, seed), spec, 20, seed).mean, 1),
        "seconds": round(sum(spent[name] for name in spent if name not in ("eval", "wait"))),
        "machine": machine(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run what has no row yet."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--agents", nargs="+", default=list(KINDS), choices=list(KINDS))
    p.add_argument("--families", nargs="+", default=[*FAMILIES, *CHOOSING], choices=[*FAMILIES, *CHOOSING])
    p.add_argument("--seeds", nargs="+", type=int, default=[1])
    p.add_argument("--scale", type=float, default=1.0, help="times as many steps")
    p.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "agents.csv")
    p.add_argument("--run_dir", type=Path, default=Path("runs") / "agents")
    p.add_argument("--table", action="store_true", help="run nothing: print the rows as the table of docs/agents.md")
    args = p.parse_args(argv)
    if args.table:
        with args.out.open(newline="") as file:
            print(table(_rows(file)))
        return 0
    done = set()
    if args.out.exists():
        with args.out.open(newline="") as file:
            done = {(held["agent"], held["family"], held["seed"], held["asked"]) for held in _rows(file)}
    for seed in args.seeds:
        for family in args.families:
            for agent in args.agents:
                kind = KINDS[agent]
                if not (kind.choices if family in CHOOSING else kind.boxes):
                    continue
                steps = round(STEPS[kind.on_policy] * args.scale)
                if (agent, family, str(seed), str(steps)) in done:
                    continue
                found = row(agent, family, {**FAMILIES, **CHOOSING}[family], steps, seed, args.run_dir)
                _append(args.out, {**found, "asked": steps})
                print(", ".join(str(found[name]) for name in COLUMNS[:-1]), flush=True)
    return 0


def table(rows: Sequence[dict[str, str]]) -> str:
    """Markdown: a line for each agent, a cell for each family, which holds its longest run of the first seed."""
    families = [*FAMILIES, *CHOOSING]
    lines = [f"| agent | {' | '.join(families)} |", f"|---|{'---|' * len(families)}"]
    for agent in KINDS:
        cells = []
        for family in families:
            runs = [held for held in rows if (held["agent"], held["family"]) == (agent, family)]
            best = max(runs, key=lambda held: (-int(held["seed"]), int(held["asked"])), default=None)
            kind = KINDS[agent]
            fits = kind.choices if family in CHOOSING else kind.boxes
            missing = "not run yet" if fits else "–"
            cells.append(f"**{best['true_return']}** · {best['seconds']} s" if best else missing)
        lines.append(f"| `{agent}` | {' | '.join(cells)} |")
    dice = {held["family"]: held["random"] for held in rows}
    lines.append(f"| random actions | {' | '.join(dice.get(family, '') for family in families)} |")
    return "\n".join(lines)


def _rows(file: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(file))


def _append(path: Path, found: dict[str, Any]) -> None:
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*COLUMNS, "asked"])
        if new:
            writer.writeheader()
        writer.writerow(found)


if __name__ == "__main__":
    sys.exit(main())
