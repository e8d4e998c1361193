"""What r̂ makes of play that nobody was asked about: the same answers, several settings, seconds instead of a run.

    python benchmarks/unseen.py RUNS/taught RUNS/true default default:reward.crops=0 paper

`RUNS/taught` learned from a synthetic teacher; its answers are learned from anew with each preset, settings after
colons. `RUNS/true` learned from the environment's own reward, in the same environment, by an agent with a replay: there
each step has its reward (and its action in the agent's units, which are the environment's where those lie within ±1).
Printed is the correlation of r̂ with that, per step, in the parts of what the replay holds, from oldest to newest: an r̂
that is to improve an agent must know behaviour that comes later than the answers.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rl_teacher.config import RewardConfig
from rl_teacher.labels import Label, Verdict, preference
from rl_teacher.overrides import override
from rl_teacher.presets import preset
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.teachers.kept import load_queries
from rl_teacher.trajectory import Comparison

SEEN = 20_000
"""Steps of each part that r̂ is compared on."""


@dataclass(frozen=True, slots=True)
class Play:
    """Steps with their true rewards."""

    obs: np.ndarray
    """(n, *obs)."""
    act: np.ndarray
    """(n, *act)."""
    env_rew: np.ndarray
    """(n,)."""


def newest(run: Path) -> Path:
    """The newest checkpoint of a run."""
    found = sorted((run / "checkpoints").glob("step-*"))
    if not found:
        sys.exit(f"no checkpoint in {run}: give the folder of a run that has kept one.")
    return found[-1]


def answers(run: Path) -> list[Comparison]:
    """What a synthetic teacher said."""
    folder = newest(run)
    rows = json.loads((folder / "teacher.json").read_text())["answers"]
    said = []
    for i, (query, row) in enumerate(zip(load_queries(folder, rows), rows, strict=True)):
        mu = preference([Label(i, query.id, "teacher", Verdict(row["verdict"]))])
        if mu is not None:
            said.append(Comparison(query, mu))
    return said


def parts(run: Path, n_parts: int, rng: np.random.Generator) -> list[Play]:
    """A sample of each part of a replay, from oldest to newest."""
    if json.loads((run / "config.json").read_text())["predictor"] != "rl":
        sys.exit(f"{run} did not learn from the true reward, so its replay holds none: give the folder of a -p rl run.")
    kept = load_file(newest(run) / "replay.safetensors")
    found = []
    for some in np.array_split(np.arange(len(kept["rew"])), n_parts):
        t, e = rng.choice(some, SEEN), rng.integers(kept["rew"].shape[1], size=SEEN)
        found.append(Play(kept["obs"][t, e], kept["act"][t, e], kept["rew"][t, e]))
    return found


def config_of(variant: str) -> RewardConfig:
    """A preset with settings: "default:reward.crops=0:reward.wide=false", whatever the task."""
    recipe, *settings = variant.split(":")
    return override({"reward": preset(recipe).reward}, settings)["reward"]


def known(config: RewardConfig, comparisons: list[Comparison], plays: list[Play], seed: int) -> list[float]:
    """The correlation of r̂ with the true reward in each play."""
    first = comparisons[0].query.left
    obs_space, act_space = (gym.spaces.Box(-np.inf, np.inf, array.shape[1:]) for array in (first.obs, first.act))
    reward = RewardEnsemble(obs_space, act_space, config, seed)
    reward.fit(comparisons, config.pretrain_iters)
    return [float(np.corrcoef(reward.predict(play.obs, play.act), play.env_rew)[0, 1]) for play in plays]


def main() -> None:
    """Print a row for each variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("taught", type=Path)
    parser.add_argument("true", type=Path)
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--parts", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3, help="fits of each variant, whose mean is printed")
    given = parser.parse_args()
    torch.set_num_threads(1)
    comparisons = answers(given.taught)
    plays = parts(given.true, given.parts, np.random.default_rng(0))
    sys.stdout.write(f"{len(comparisons)} answers · mean reward of each part: ")
    sys.stdout.write(" ".join(f"{play.env_rew.mean():.2f}" for play in plays) + "\n")
    for variant in given.variants:
        each = [known(config_of(variant), comparisons, plays, seed) for seed in range(given.seeds)]
        sys.stdout.write(" ".join(f"{share:6.2f}" for share in np.mean(each, 0)) + f"  {variant}\n")


if __name__ == "__main__":
    main()
