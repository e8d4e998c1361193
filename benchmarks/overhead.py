"""What teaching costs an agent: the speed of a whole teaching loop beside that of the same algorithm by itself.

    python benchmarks/overhead.py sb3:PPO sbx:SAC --rounds 5

For each agent the two take turns on as many steps, in one process and environment: a round of the loop (play,
reward, learn, ask, listen, fit), and the library's own `learn()` on the true reward. Medians over the rounds of
steps per second of processor time, so that other programs on the machine count little.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.runs import machine
from rl_teacher.agents import algorithms
from rl_teacher.agents.blind import BlindVec
from rl_teacher.agents.registry import KINDS
from rl_teacher.build import build
from rl_teacher.checkpoints import PARTS
from rl_teacher.config import PPOConfig, RunConfig
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.learners import DQNConfig, ReplayConfig
from rl_teacher.options import parse
from rl_teacher.runs import RunFolder


def alone(config: RunConfig, stack: ExitStack) -> Any:
    """The algorithm with its own buffers, on the environment's own reward."""
    from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer

    settings, kind = config.agent_settings, KINDS[config.agent]
    env = make_vec(resolve(config.env_id), settings.n_envs, 1, 1, staggered=True)
    stack.callback(env.close)
    blind = BlindVec(env)
    blind.revealed = True
    if isinstance(settings, (ReplayConfig, DQNConfig)):
        return algorithms.off_policy(kind, blind, settings, ReplayBuffer, settings.capacity, 1)
    return algorithms.on_policy(kind, blind, settings or PPOConfig(), RolloutBuffer, 1)


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(agent: str, words: str, n_rounds: int) -> tuple[float, float]:
    """Steps per second with a teacher, and alone."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        config, machine_ = parse([*words.split(), "-a", agent, "-n", "x", "-w", "1", "-V", "--run_dir", folder])
        kept = RunFolder(Path(folder), "x", PARTS["synth"])
        stack.callback(kept.close)
        loop = build(config, machine_, kept, stack).loop
        other = alone(config, stack)
        loop.prepare()
        speeds: tuple[list[float], list[float]] = ([], [])
        for i in range(n_rounds + 1):
            before = loop.steps
            taught = spent(loop.round)
            n_steps = loop.steps - before
            played = other.num_timesteps
            by_itself = spent(
                lambda n_steps=n_steps: other.learn(n_steps, reset_num_timesteps=False, log_interval=None)
            )
            if i:  # what is compiled or filled the first time is left out
                speeds[0].append(n_steps / taught)
                speeds[1].append((other.num_timesteps - played) / by_itself)
    return statistics.median(speeds[0]), statistics.median(speeds[1])


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each agent."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("agents", nargs="+", choices=[name for name, kind in KINDS.items() if kind.extra])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--words", default="-p synth -l 700 -e HalfCheetah-v1 -t 3e5", help="the run they are taken from")
    args = p.parse_args(argv)
    print(machine())
    for agent in args.agents:
        taught, by_itself = measure(agent, args.words, args.rounds)
        print(f"{agent}: {taught:,.0f} steps/s taught, {by_itself:,.0f} alone: {taught / by_itself:.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
