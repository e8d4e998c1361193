"""The paper's algorithm on one screen (Christiano et al. 2017, section 2.2).

The agent improves to please r̂; questions about what it does now are put to a teacher; r̂ is fitted to the answers.
The loop knows none of the parts, only their verbs (`protocols`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rl_teacher.errors import UserError
from rl_teacher.pace import StageAccount
from rl_teacher.protocols import Actor, Info, LabelSchedule, Pool, QueryStrategy, RewardModel, Stage, Teacher
from rl_teacher.rounds import PAUSED, Lesson, Loop
from rl_teacher.trajectory import Comparison

NOTHING_YET = "no preference has been expressed yet"
ONLY_TIES = "only ties so far: nothing to learn from until an answer prefers one side"
PATIENCE = 50
"""Plays in a row that give no question before the environment is held to be unfit."""


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
    novice: Actor | None = None
    """Whose behaviour the first questions are about; None: random actions."""
    keep_fitting: bool = False
    """Whether r̂ is fitted in every round, or only when something new was said."""
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    """Every answered query that bears a preference, by query id."""
    cursor: int = 0
    """The teachers' record is read up to here."""
    ready: bool = False
    """Whether r̂ has learned from anything yet; until then there is nothing to please."""
    _changed: bool = False
    """Something was said that r̂ has not been fitted to."""
    _unused: dict[str, float] = field(default_factory=dict)
    """When the answers arrived that no policy update has used yet, by query id …"""
    _used: set[str] = field(default_factory=set)
    """… and the others: who changes an answer changes r̂, but buys the agent no further round."""
    _account: StageAccount = field(init=False)
    _exhausted: bool = True
    """The pool has no further question to give."""
    _fruitless: int = 0
    _begun: bool = False
    """What comes before the agent learns is done."""
    _lesson_began: float = 0.0
    """Unix time at which the agent began to learn in this round."""

    def __post_init__(self) -> None:
        self._account = StageAccount(self.pace)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of the loop itself; the answers are in the teacher's."""
        return {
            **super().state(),
            **{"ready": self.ready, "begun": self._begun, "cursor": self.cursor, "changed": self._changed},
            **{"exhausted": self._exhausted, "fruitless": self._fruitless, "account": self._account.state()},
            "used": sorted(self._used),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave. All answers are read again; those that came meanwhile are new."""
        super().restore(state)
        self.ready, self._begun = state["ready"], state["begun"]
        self._exhausted, self._fruitless = state["exhausted"], state["fruitless"]
        self._account.restore(state["account"])
        self.listen()
        self._changed = state["changed"] or self.cursor > state["cursor"]
        self._used = set(state["used"])
        self._unused = {query_id: at for query_id, at in self._unused.items() if query_id not in self._used}

    def prepare(self) -> None:
        """Before the agent learns: answers about random behaviour, and a first r̂ (section 2.2, appendix A.1)."""
        self.pool.remember(self.teacher.asked())
        if self._begun:
            return
        self.listen()
        if not self.ready:
            self.judge_random_behaviour()
        self._used |= set(self._unused)
        self._unused.clear()
        self._account.open(self.steps)
        if not self.over():
            self.fit()
            self._begun = True

    def judge_random_behaviour(self) -> None:
        """Ask until there are answers enough. From then on questions are about what the agent has learned."""
        what = "random" if self.novice is None else "its first"
        while self.teacher.n_decided < self.pace.n_pretrain and not self.over():
            self.ask(self.novice)
            self.listen()
            if self.teacher.n_decided < self.pace.n_pretrain and self.teacher.n_open:
                given = f"{self.teacher.n_decided} of {self.pace.n_pretrain} given"
                given += ", can't tell left out" if self.teacher.tally()["abstain"] else ""
                paused = f"{PAUSED}; " if self.watch.paused() else ""
                self.idle(f"{paused}waiting for answers about {what} behaviour: {given}")
        self.listen()
        if self.over():
            return  # stopped before its time: what is open is still to be answered
        self.teacher.expire(older_than=self.steps + 1)
        self.pool.forget()
        self._exhausted = True

    def begin(self) -> Lesson | None:
        """Wait where the agent would outrun its teacher; then it improves to please r̂, frozen meanwhile (process 1)."""
        self.wait_for_answers()
        if self.over():
            return None
        if not self.ready:
            self.watch.say(f"{NOTHING_YET}: asking, not learning")
            return None
        ties = all(comparison.mu[0] == comparison.mu[1] for comparison in self.comparisons.values())
        self._lesson_began = time.time()
        return self.lesson(self.reward.incentive, ONLY_TIES if ties else "learning from the answers")

    def end(self, info: Info) -> dict[str, float]:
        """Ask about what the agent does now, listen, fit."""
        figures = super().end(info)
        if info and self._unused:
            figures["label_latency_seconds"] = self._lesson_began + info["update_seconds"] - min(self._unused.values())
            self._used |= set(self._unused)
            self._unused.clear()
        self.ask(self.agent)
        self.listen()
        return figures | self.fit()

    def ask(self, actor: Actor | None) -> None:
        """Process 2: questions about what the actor does now; stale ones are taken back first. None acts at random."""
        with self.watch.phase("query"):
            self.teacher.expire(older_than=self.steps - self.pace.stale_after)
            n = self.pace.to_ask(self._desired(), self.teacher.n_decided, self.teacher.n_open)
            if not self.ready and self.teacher.n_open == 0 and not self.comparisons:
                n = max(n, 1)  # whatever the schedule says: without a first answer there is nothing to learn
        if n == 0 and (self.ready or self.teacher.n_open):
            return
        self._account.promise(n)
        if due := self._account.due(self.steps, self._exhausted or not n):
            self.play(actor, due)
        with self.watch.phase("query"):
            queries = self.choose(self.pool, n, self.reward, self.comparisons)
            self.pool.remember(query.id for query in queries)
            self.teacher.ask(queries)
        self._exhausted = len(queries) < n
        self._fruitless = 0 if queries or not n else self._fruitless + 1
        if self._fruitless == PATIENCE:
            raise UserError(
                f"Segments of {self.pace.clip_steps} steps are longer than the episodes, or all alike: "
                f"{PATIENCE} plays gave no question. Choose an environment with longer or more varied episodes."
            )

    def play(self, actor: Actor | None, n_steps: int) -> None:
        """What it does now, in full view."""
        with self.watch.phase("stage"):
            self.stage.now = self.steps
            played = self.stage.play(actor, n_steps)
            taken = sum(len(trajectory) for trajectory in played)
            self.steps += taken
            self._account.played(taken, self.steps)
            self.pool.add(played)

    def listen(self) -> None:
        """Process 3a: what teachers said meanwhile. People answer when they like, and may change their minds."""
        changes = self.teacher.changes(self.cursor)
        self.cursor = changes.cursor
        for comparison in changes.comparisons:
            self.comparisons[comparison.query.id] = comparison
            if comparison.query.id not in self._used:
                self._unused[comparison.query.id] = comparison.given_at
        for query_id in changes.withdrawn:
            self._changed |= self.comparisons.pop(query_id, None) is not None
            self._unused.pop(query_id, None)
        self._changed |= bool(changes.comparisons)

    def fit(self) -> dict[str, float]:
        """Process 3b: r̂ is fitted to all comparisons, if there is something new among them or it never rests."""
        if not self.comparisons or not (self._changed or (self.keep_fitting and self.ready)):
            return {}
        with self.watch.phase("reward_fit"):
            info = self.reward.fit(list(self.comparisons.values()), None if self.ready else self.pretrain_iters)
        self.ready |= info.get("fitted", 1.0) > 0
        self._changed = False
        return {f"reward/{name}": value for name, value in info.items()}

    def wait_for_answers(self) -> None:
        """The agent must not outrun its teacher, and the teacher never waits for the agent."""
        while not self.watch.should_stop() and not self._may_go_on():
            self.ask(self.agent)
            self.listen()
            if not self._may_go_on():
                what_for = "waiting for answers" if self.ready else NOTHING_YET
                self.idle(PAUSED if self.watch.paused() else f"{what_for}: {self.teacher.n_open} open")
        if self._changed:
            self.fit()

    def _may_go_on(self) -> bool:
        n_unused, n_decided, n_open = len(self._unused), self.teacher.n_decided, self.teacher.n_open
        if self.watch.paused() or (not self.ready and not n_unused and n_open):
            return False
        if not self.ready and not n_open:
            return True  # a round asks, whether the agent learns or not
        desired = self._desired()
        n_waited_for = n_open + self.pace.to_ask(desired, n_decided, n_open)
        return self.pace.may_go_on(desired, n_decided, n_waited_for, n_unused, self.steps)

    def _desired(self) -> int:
        return self.schedule.desired(self.steps, self.watch.elapsed())
