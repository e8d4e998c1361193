"""The paper's algorithm on one screen (Christiano et al. 2017, section 2.2).

The agent improves to please r̂; questions about what it does now are put to a teacher; r̂ is fitted to the answers.
The loop knows none of the parts, only their verbs (`protocols`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rl_teacher.errors import UserError
from rl_teacher.pace import Pace
from rl_teacher.protocols import (
    Actor,
    Agent,
    LabelSchedule,
    Observer,
    Pool,
    QueryStrategy,
    RewardModel,
    Stage,
    Teacher,
)
from rl_teacher.trajectory import Comparison

NOTHING_YET = "no preference has been expressed yet"
PATIENCE = 50
"""Plays in a row that give no question before the environment is held to be unfit."""


@dataclass
class Loop:
    """The agent learns from the environment's own reward (`rl` mode), round by round."""

    agent: Agent
    pace: Pace
    watch: Observer
    steps: int = 0
    """Environment steps so far, the stage's included."""

    def run(self) -> None:
        """Until the steps are done or somebody stops it."""
        self.prepare()
        while not self.over():
            info = self.round()
            self.watch.record(self.steps, info)

    def over(self) -> bool:
        """Whether the run has come to its end."""
        done = self.pace.total_steps is not None and self.steps >= self.pace.total_steps
        return done or self.watch.should_stop()

    def prepare(self) -> None:
        """What comes before the agent learns."""

    def round(self) -> dict[str, float]:
        """One round; returns its figures."""
        self.watch.say("learning from the true reward")
        info = dict(self.agent.train(self.pace.round_steps, None))
        self.steps += int(info["steps"])
        return info


@dataclass
class TeachingLoop(Loop):
    """The agent learns from a teacher's comparisons."""

    stage: Stage = field(kw_only=True)
    pool: Pool = field(kw_only=True)
    reward: RewardModel = field(kw_only=True)
    teacher: Teacher = field(kw_only=True)
    choose: QueryStrategy = field(kw_only=True)
    schedule: LabelSchedule = field(kw_only=True)
    pretrain_iters: int | None = None
    """Gradient steps of the first fit."""
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    """Every answered query that bears a preference, by query id."""
    cursor: int = 0
    """The teachers' record is read up to here."""
    ready: bool = False
    """Whether r̂ has learned from anything yet; until then there is nothing to please."""
    _changed: bool = False
    _fruitless: int = 0
    _unused: list[float] = field(default_factory=list)

    def prepare(self) -> None:
        """Before the agent learns: answers about random behaviour, and a first r̂ (section 2.2, appendix A.1)."""
        self.listen()
        while self.teacher.n_answered < self.pace.n_pretrain and not self.watch.should_stop():
            self.ask(None)
            self.listen()
            if self.teacher.n_answered < self.pace.n_pretrain and self.teacher.n_open:
                given = f"{self.teacher.n_answered} of {self.pace.n_pretrain}"
                self._idle(f"waiting for answers about random behaviour ({given} given)")
        self.fit(None if self.ready else self.pretrain_iters)
        self._unused.clear()

    def round(self) -> dict[str, float]:
        """Wait where the agent would outrun its teacher, then improve, ask, listen, fit."""
        self.wait_for_answers()
        info = self.improve()
        self.ask(self.agent)
        self.listen()
        return info | self.fit()

    def improve(self) -> dict[str, float]:
        """Process 1: the policy improves to please r̂, frozen meanwhile."""
        if not self.ready:
            self.watch.say(f"{NOTHING_YET}: asking, not learning")
            return {}
        self.watch.say("learning from the answers")
        info = dict(self.agent.train(self.pace.round_steps, self.reward.predict))
        self.steps += int(info["steps"])
        if self._unused:
            info["label_latency_seconds"] = time.time() - min(self._unused)
            self._unused.clear()
        return info

    def ask(self, actor: Actor | None) -> None:
        """Process 2: questions about what the actor does now; stale ones are taken back first. None acts at random."""
        with self.watch.phase("query"):
            self.teacher.expire(older_than=self.steps - self.pace.stale_after)
            n = self.pace.to_ask(self._desired(), self.teacher.n_answered, self.teacher.n_open)
        if n == 0 and (self.ready or self.teacher.n_open):
            return
        with self.watch.phase("stage"):
            self.stage.now = self.steps
            played = self.stage.play(actor, max(self.pace.stage_steps, n * self.pace.clip_steps))
            self.steps += sum(len(trajectory) for trajectory in played)
        with self.watch.phase("query"):
            self.pool.add(played)
            queries = self.choose(self.pool, n, self.reward)
            self._fruitless = 0 if queries or not n else self._fruitless + 1
            if self._fruitless == PATIENCE:
                raise UserError(
                    f"Segments of {self.pace.clip_steps} steps are longer than the episodes: {PATIENCE} times no "
                    "question could be made of what was played. Choose an environment with longer episodes."
                )
            self.pool.remember(queries)
            self.teacher.ask(queries)

    def listen(self) -> None:
        """Process 3a: what teachers said meanwhile. People answer when they like, and may change their minds."""
        changes = self.teacher.changes(self.cursor)
        self.cursor = changes.cursor
        for comparison in changes.comparisons:
            self.comparisons[comparison.query.id] = comparison
            self._unused.append(comparison.given_at)
        for query_id in changes.withdrawn:
            self._changed |= self.comparisons.pop(query_id, None) is not None
        self._changed |= bool(changes.comparisons)

    def fit(self, n_iters: int | None = None) -> dict[str, float]:
        """Process 3b: r̂ is fitted to all comparisons, if there is something new among them."""
        if not self._changed or not self.comparisons:
            return {}
        with self.watch.phase("reward_fit"):
            info = self.reward.fit(list(self.comparisons.values()), n_iters)
        self.ready, self._changed = True, False
        return {f"reward/{name}": value for name, value in info.items()}

    def wait_for_answers(self) -> None:
        """The agent must not outrun its teacher, and the teacher never waits for the agent."""
        while not self.over() and (self.watch.paused() or not self._may_go_on()):
            self.ask(self.agent)
            self.listen()
            if self.watch.paused():
                self._idle("paused")
            elif not self._may_go_on():
                given = f"{self.teacher.n_answered} given, {self.teacher.n_open} open"
                self._idle(f"waiting for answers: {given}" if self.ready else f"{NOTHING_YET}: {given}")
        self.fit()

    def _may_go_on(self) -> bool:
        news, n_open = bool(self._unused), self.teacher.n_open
        if not self.ready and not news and n_open:
            return False
        return self.pace.may_go_on(self._desired(), self.teacher.n_answered, n_open, news)

    def _desired(self) -> int:
        return self.schedule.desired(self.steps, self.watch.elapsed())

    def _idle(self, message: str) -> None:
        with self.watch.phase("wait"):
            self.watch.idle(message)
