"""Agents by name."""

from __future__ import annotations

from rl_teacher.errors import unknown

AGENTS = {
    "ppo": "ppo",
    "pposgd_mpi": "ppo",  # the original's name
}
"""Every name that may be given, and the agent it means."""


def resolve_agent(name: str) -> str:
    """The agent that a name means.

    Raises:
        UserError: For an unknown name, with those there are. Names of agents that are not built yet are refused too.
    """
    if name not in AGENTS:
        raise unknown("agent", name, AGENTS)
    return AGENTS[name]
