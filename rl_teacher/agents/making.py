"""An agent of any kind from its configuration. Libraries are imported only when an agent of theirs is made."""

from __future__ import annotations

from rl_teacher.agents.ppo import PPO
from rl_teacher.agents.registry import KINDS
from rl_teacher.config import PPOConfig, RunConfig
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
