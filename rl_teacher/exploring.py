"""A run whose agent finds its way about before anybody is asked, and others that begin with what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rl_teacher import checkpoints
from rl_teacher.config import RunConfig
from rl_teacher.errors import UserError
from rl_teacher.loop import TeachingLoop
from rl_teacher.protocols import RewardFn
from rl_teacher.rounds import PAUSED
from rl_teacher.runs import read_settings

EXPLORED = "explored"
"""Folder within a run folder that keeps the agent as it was when it had explored."""
MUST_BE_SAME = ("env_id", "fixed_horizon", "agent", "ppo", "learner")
"""Settings that two runs must share for one to begin with what the other's agent found."""


@dataclass(kw_only=True)
class ExploringLoop(TeachingLoop):
    """First the agent seeks what it has not seen (PEBBLE, Lee et al. 2021, section 4.1); then it is taught.

    So the first questions are about many different things that it can do, and not about twitching at random.
    """

    novelty: RewardFn
    """What it is to please meanwhile."""
    explore_steps: int
    """Environment steps of it."""
    explore_round: int
    """Of one `agent.train`."""
    explored: int = 0
    """Steps done so far."""
    _kept: bool = False
    """Whether what it found has been put by for other runs."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of the loop itself."""
        return {**super().state(), "explored": self.explored, "kept": self._kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.explored, self._kept = state["explored"], state["kept"]
        super().restore(state)

    def prepare(self) -> None:
        """Before the agent is taught it explores; the first questions are about what it does then."""
        self.novice = self.agent
        self.explore()
        super().prepare()

    def explore(self) -> None:
        """Round by round, as it learns later."""
        while self.explored < self.explore_steps and not self.over():
            if self.watch.paused():
                self.idle(PAUSED)
                continue
            lesson = self.lesson(None, f"exploring: {self.explored:,} of {self.explore_steps:,} steps")
            n_steps = min(self.explore_round, self.explore_steps - self.explored, lesson.n_steps)
            info = self.learn(replace(lesson, n_steps=n_steps, reward=self.novelty))
            self.explored += int(info["steps"])
            self.watch.record(self.steps, info)
        if not self._kept and not self.over():
            self._kept = True
            self.watch.has_explored(self.steps)


def explored_agent(given: str, run_dir: Path, config: RunConfig) -> Path:
    """Where the explored agent of another run lies, a whole checkpoint.

    Args:
        given: Name of the run, or its folder.
        run_dir: Where the runs lie.
        config: Of the run that is to begin with it.

    Raises:
        UserError: If there is none, or it is not of the same environment, agent and settings.
    """
    folder = next((path for path in (run_dir / given, Path(given)) if (path / "config.json").is_file()), None)
    if folder is None:
        raise UserError(
            f"--explore_from {given} given, but there is no such run in {run_dir}, nor is it a run's folder. Give the "
            "name of a run that had --explore."
        )
    held, wanted = read_settings(folder), asdict(config)
    differ = [name for name in MUST_BE_SAME if _plain(held.get(name)) != _plain(wanted[name])]
    if differ:
        raise UserError(
            f"--explore_from {given} given, whose {_told(differ[0], held, wanted)}. Environment, agent and its "
            "settings must be the same; repeat those of that run, or explore anew with --explore."
        )
    root = folder / EXPLORED
    found = checkpoints.newest(root, ("agent.safetensors",)) if root.is_dir() else None
    if found is None:
        raise UserError(
            f"--explore_from {given} given, which has not explored to its end yet (there is no {EXPLORED} in its "
            "folder). Give a run that had --explore, and has come to its first questions."
        )
    return found


def _told(name: str, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """The first difference, in words."""
    was, now = _plain(held.get(name)), _plain(wanted[name])
    if isinstance(was, dict) and isinstance(now, dict):
        name, was, now = next((f"{name}.{key}", was.get(key), now[key]) for key in now if was.get(key) != now[key])
    return f"{name} is {was!r} and not {now!r}"


def _plain(value: Any) -> Any:
    """As JSON keeps it, which knows lists only."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return list(value) if isinstance(value, tuple) else value
