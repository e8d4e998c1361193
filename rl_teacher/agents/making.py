"""An agent of any kind from its configuration. Libraries are imported only when an agent of theirs is made."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import torch

from rl_teacher.agents.novelty import SAMPLE, SMALL_SAMPLE, Novelty
from rl_teacher.agents.ppo import PPO
from rl_teacher.agents.registry import KINDS
from rl_teacher.config import PPOConfig, RunConfig, derived_seed
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError
from rl_teacher.learners import DQNConfig, ReplayConfig
from rl_teacher.protocols import Agent, VecEnv


def make_agent(config: RunConfig, env: VecEnv, seed: int, *, only_plays: bool = False) -> Agent:
    """The agent that a run asks for.

    Args:
        config: Of the run.
        env: N blind environments to learn in.
        seed: Of its weights and of all it draws.
        only_plays: It will be loaded and asked for actions, but learns no more: it needs no replay.
    """
    settings = config.agent_settings
    if config.agent == "ppo" and isinstance(settings, PPOConfig):
        return PPO(env, settings, seed, None if config.endless else config.num_timesteps)
    if isinstance(settings, (ReplayConfig, DQNConfig)):
        from rl_teacher.agents.off_policy import OffPolicyAgent

        return OffPolicyAgent(KINDS[config.agent], env, settings, seed, only_plays=only_plays)
    from rl_teacher.agents.on_policy import OnPolicyAgent

    return OnPolicyAgent(KINDS[config.agent], env, settings, seed)


def make_learner(config: RunConfig, spec: EnvSpec, workers: int, stack: ExitStack) -> tuple[Agent, Novelty | None]:
    """The agent of a run in the environments that it learns in.

    Args:
        config: Of the run.
        spec: Of the environment.
        workers: Simulator threads.
        stack: Closes the environments.

    Returns:
        The agent, and what it seeks before it is taught; None: it is taught at once.

    Raises:
        UserError: If its episodes are to be cut where they cannot be.
    """
    torch.set_num_threads(1)  # beside the simulator's threads a second one only gets in the way
    learns, n_envs = for_learning(spec, config), config.agent_settings.n_envs
    env = make_vec(learns, n_envs, derived_seed(config.seed, 1, 0), workers, staggered=True)
    stack.callback(env.close)
    if not config.explore:
        return make_agent(config, env, derived_seed(config.seed, 2)), None
    size = SMALL_SAMPLE if KINDS[config.agent].on_policy else SAMPLE
    novelty = Novelty(env, derived_seed(config.seed, 7), size)
    return make_agent(config, novelty, derived_seed(config.seed, 2)), novelty


def for_learning(spec: EnvSpec, config: RunConfig) -> EnvSpec:
    """The environment as the learner has it: its episodes may be cut earlier than those that are seen and judged.

    Raises:
        UserError: For an environment that has a clock of its own.
    """
    cut = config.agent_settings.episode_steps
    if not cut:
        return spec
    if spec.task is None or spec.episode_steps is None:
        what = f"--set {'learner' if config.learner else 'ppo'}.episode_steps={cut} given"
        raise UserError(f"{what}, but '{spec.env_id}' has a clock of its own. Leave it out.")
    return replace(spec, episode_steps=min(cut, spec.episode_steps))
