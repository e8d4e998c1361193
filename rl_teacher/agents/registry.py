"""Agents by name: what each is, where it comes from, and which actions it can take. Imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from rl_teacher.errors import UserError, unknown


@dataclass(frozen=True, slots=True)
class Kind:
    """One agent that `-a` can ask for."""

    algorithm: str
    """Name of its class."""
    module: str
    """Where the class is."""
    extra: str | None = None
    """What must be installed for it: `pip install 'rl-teacher[EXTRA]'`; None: nothing."""
    on_policy: bool = True
    """Whether it forgets what it has learned from; else it keeps a replay."""
    boxes: bool = True
    """Whether it can take continuous actions."""
    choices: bool = False
    """Whether it can take one of n."""
    several: bool = False
    """Whether it can take several such choices at once."""

    def fits(self, choices: tuple[int, ...]) -> bool:
        """Whether it can take such actions; see `check_fit`."""
        return (self.several if len(choices) > 1 else self.choices) if choices else self.boxes


def _kinds(prefix: str, extra: str, modules: Mapping[str, str]) -> dict[str, Kind]:
    return {
        f"{prefix}:{name}": Kind(
            name,
            module,
            extra,
            on_policy=name in ("PPO", "A2C", "TRPO"),
            boxes=name != "DQN",
            choices=name in ("PPO", "A2C", "TRPO", "DQN"),
            several=name in ("PPO", "A2C", "TRPO"),
        )
        for name, module in modules.items()
    }


_SB3: dict[str, str] = dict.fromkeys(("PPO", "A2C", "SAC", "TD3", "DQN"), "stable_baselines3")
_CONTRIB: dict[str, str] = dict.fromkeys(("TRPO", "TQC", "CrossQ"), "sb3_contrib")
_SBX: dict[str, str] = dict.fromkeys(("PPO", "SAC", "TD3", "TQC", "CrossQ", "DQN"), "sbx")

KINDS: Mapping[str, Kind] = {
    "ppo": Kind("PPO", "rl_teacher.agents.ppo", choices=True, several=True),
    # with the original's settings: `learners.learner_for`
    "trpo": Kind("TRPO", "sb3_contrib", "sb3", choices=True, several=True),
    **_kinds("sb3", "sb3", {**_SB3, **_CONTRIB}),
    **_kinds("sbx", "sbx", _SBX),
}
"""Every agent, by the name that is kept of it."""

_OF_THE_ORIGINAL = {"pposgd_mpi": "ppo", "parallel_trpo": "trpo"}
_FOLDED = {name.lower(): name for name in KINDS} | _OF_THE_ORIGINAL


def resolve_agent(name: str) -> str:
    """The agent that a name means, in whichever case; the original's names mean today's PPO and TRPO.

    Raises:
        UserError: For an unknown name, with those there are, or where its library is not installed.
    """
    found = _FOLDED.get(name.lower())
    if found is None:
        raise unknown("agent", name, {*KINDS, *_OF_THE_ORIGINAL})
    kind = KINDS[found]
    if kind.extra and find_spec(kind.module) is None:
        raise UserError(
            f"-a {name} given, but {kind.module}, which it comes from, is not installed. "
            f"Install it: pip install 'rl-teacher[{kind.extra}]', or leave -a out for our own PPO."
        )
    return found


def check_fit(name: str, env_id: str, choices: tuple[int, ...], pixels: bool = False) -> None:
    """Refuse an agent that cannot take the actions of an environment, or see its pictures.

    Args:
        name: Of the agent, as `resolve_agent` gives it.
        env_id: What the line calls the environment.
        choices: How many actions there are to choose from, for each choice that makes one; (): they are continuous.
        pixels: Whether observations are pictures.

    Raises:
        UserError: Names the agents that can.
    """
    if pixels and name != "ppo":
        raise UserError(
            f"-a {name} given with '{env_id}', whose observations are pictures; only our own PPO has a network for "
            "them so far. Leave -a out."
        )
    if KINDS[name].fits(choices):
        return
    fit = ", ".join(other for other, kind in KINDS.items() if kind.fits(choices))
    has = f"one of {choices[0]} actions is to be chosen" if choices else "actions are continuous"
    if len(choices) > 1:
        has = f"{len(choices)} choices are to be made at once"
    raise UserError(f"-a {name} given with '{env_id}', where {has}, which it cannot do. Choose one that can: {fit}.")
