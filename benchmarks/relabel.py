"""What it costs that a replay follows r̂: everything at once after a fit, or each batch as it is drawn. And its file.

    python benchmarks/relabel.py --transitions 1e6

prints both, in seconds of one core's work (other programs on the machine do not count), and after how many gradient
steps between two fits the first is the cheaper.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rl_teacher.agents.replay import FollowingReplay
from rl_teacher.config import RewardConfig
from rl_teacher.quantities import count
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.tensors import save_finite

N_OBS, N_ACT, N_ENVS, BATCH = 17, 6, 8, 256
"""HalfCheetah's, and the settings of SAC."""


def filled(n: int) -> FollowingReplay:
    """A ring of n transitions that has wrapped."""
    obs_space, act_space = gym.spaces.Box(-10, 10, (N_OBS,)), gym.spaces.Box(-1, 1, (N_ACT,))
    replay = FollowingReplay(n, obs_space, act_space, device="cpu", n_envs=N_ENVS)
    replay.to_env = lambda act: act
    replay.restart(0)
    rng = np.random.default_rng(0)
    replay.observations[:] = rng.normal(size=replay.observations.shape)
    replay.next_observations[:] = np.roll(replay.observations, -1, axis=0)
    replay.actions[:] = rng.uniform(-1, 1, size=replay.actions.shape)
    replay.pos, replay.full = replay.buffer_size // 3, True
    return replay


def seconds(work: Callable[[], object], times: int) -> float:
    """Median of one core's seconds."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return float(np.median(spent))


def main(argv: Sequence[str] | None = None) -> int:
    """Print both."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--transitions", default="1e6")
    n = count("--transitions", p.parse_args(argv).transitions, "1e6")
    torch.set_num_threads(1)
    replay = filled(n)
    spaces = gym.spaces.Box(-10, 10, (N_OBS,)), gym.spaces.Box(-1, 1, (N_ACT,))
    for name, config in (("DEFAULT", RewardConfig()), ("a network alone", RewardConfig(wide=False))):
        reward = RewardEnsemble(*spaces, config, 0)
        replay._reward = reward.predict
        at_once = seconds(replay.relabel, 3)
        obs, act = replay._flat(slice(0, BATCH // N_ENVS))
        drawn = seconds(lambda act=act, obs=obs, reward=reward: reward.predict(obs, act), 200)
        print(f"{name}: {n:,} at once {at_once:.2f} s; a batch of {BATCH} as it is drawn {drawn * 1e3:.2f} ms;")
        print(f"  at once is cheaper from {at_once / drawn:,.0f} gradient steps between two fits on")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.safetensors"
        spent = seconds(lambda: save_finite(replay.state(), path), 1)
        print(f"in a checkpoint: {path.stat().st_size / 1e6:.0f} MB, {spent:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
