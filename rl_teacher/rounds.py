"""An agent learns round by round, from whatever reward: what every run has, with a teacher or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rl_teacher.pace import Pace
from rl_teacher.protocols import Agent, Info, Observer, RewardFn

PAUSED = "paused"
SOON_SECONDS = 3.0
"""When somebody asks for the end, a round that is over by then is finished; another one is cut short."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an agent is to do in a round."""

    n_steps: int
    """Environment steps to learn for, at least."""
    reward: RewardFn | None
    """What to please, frozen meanwhile; None: the environment's own reward."""
    what: str = ""
    """What the agent is doing, in words."""


def together(infos: Sequence[Info]) -> Info:
    """What an agent said in several calls of `train`, as if it had been one: sums of steps and seconds, else means."""
    first, *others = infos
    if not others:
        return first
    sums = {name: sum(info[name] for info in infos) for name in ("steps", "collect_seconds", "learn_seconds")}
    figures = dict(sums) | {"update_seconds": first["update_seconds"]}
    for name in {name: None for info in infos for name in info if name not in figures}:
        told = [(info["steps"], info[name]) for info in infos if name in info]
        figures[name] = sum(n * value for n, value in told) / sum(n for n, _ in told)
    return figures


@dataclass
class Loop:
    """The agent learns from the environment's own reward (`rl` mode), round by round."""

    agent: Agent
    pace: Pace
    watch: Observer
    steps: int = 0
    """Environment steps so far, the stage's included."""
    cut: bool = False
    """Whether somebody ended the last round before all of it was learned."""
    _speed: float | None = None
    """Steps a second of the last bite."""

    def run(self) -> None:
        """Until the steps are done or somebody stops it."""
        self.prepare()
        while not self.over():
            info = self.round()
            self.watch.record(self.steps, info)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of the loop itself, as JSON."""
        return {"steps": self.steps}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave, before `run`."""
        self.steps = state["steps"]

    def over(self) -> bool:
        """Whether the run has come to its end."""
        done = self.pace.total_steps is not None and self.steps >= self.pace.total_steps
        return done or self.watch.should_stop()

    def prepare(self) -> None:
        """What comes before the agent learns."""

    def round(self) -> dict[str, float]:
        """One round; returns its figures."""
        lesson = self.begin()
        return self.end({} if lesson is None else self.learn(lesson))

    def begin(self) -> Lesson | None:
        """The first half of a round: wait until the agent may learn. None: there is nothing to learn in this round."""
        self.hold()
        return self.lesson(None, "learning from the true reward")

    def learn(self, lesson: Lesson) -> Info:
        """The agent learns, bite by bite: people see how far it is and may ask for the end; nothing else changes."""
        bites, said = self.pace.bites(lesson.n_steps), list[Info]()
        for i, n_steps in enumerate(bites):
            said.append(self.agent.train(n_steps, lesson.reward))
            self.took(said[-1])
            if left := sum(bites[i + 1 :]):
                if self.watch.paused() and self.pace.round_seconds is not None:
                    break  # with people a round has any length; the next one is held while they are asked and heard
                self.hold()
                self.cut = self.watch.should_stop() and left > SOON_SECONDS * (self._speed or 0.0)
                if self.cut:
                    break
                if not self.watch.should_stop():
                    self.watch.say(lesson.what)
        return together(said)

    def took(self, info: Info) -> None:
        """The agent has learned for some steps; `info` is what it said, see `protocols.Agent`."""
        self.steps += int(info["steps"])
        self._speed = info["steps"] / max(1e-3, info["collect_seconds"] + info["learn_seconds"])

    def end(self, info: Info) -> dict[str, float]:
        """The second half: what comes after the agent has learned; `info` is what it said in all, {} if it did not."""
        return dict(info)

    def lesson(self, reward: RewardFn | None, what: str) -> Lesson:
        """A round's learning, or what is left of the run, and say so."""
        self.watch.say(what)
        n_steps = self.pace.steps_now(self._speed)
        if self.pace.total_steps is not None:
            n_steps = max(1, min(n_steps, self.pace.total_steps - self.steps))
        return Lesson(n_steps, reward, what)

    def hold(self) -> None:
        """While somebody wants the agent to pause."""
        while self.watch.paused() and not self.over():
            self.idle(PAUSED)

    def idle(self, message: str) -> None:
        """Sleep a moment, saying what for, and count it as waiting."""
        with self.watch.phase("wait"):
            self.watch.idle(message)
