"""Random sequences of everything people and trainer do, against a model in plain Python."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rl_teacher.feedback.claiming import LEASE_SECONDS
from rl_teacher.feedback.records import Counts, Submit
from rl_teacher.feedback.schema import leases
from rl_teacher.labels import PREFERENCES, Verdict
from tests.feedback.lesson import Lesson

NAMES = ("ann", "bob", "cem")
WHO = st.sampled_from(NAMES)
VERDICTS = st.sampled_from([*Verdict, Verdict.WITHDRAWN])
PICK = st.integers(0, 10**6)


@dataclass
class Asked:
    """What the model knows of a question."""

    rank: tuple[int, int]
    wanted: int
    step: int
    is_open: bool = True
    said: dict[str, tuple[int, Verdict]] = field(default_factory=dict)
    """Newest (seq, verdict) by labeller."""

    @property
    def n_answers(self) -> int:
        return sum(verdict is not Verdict.WITHDRAWN for _, verdict in self.said.values())


@dataclass
class Lent:
    token: str
    created_at: float
    expires_at: float


class Lending(RuleBasedStateMachine):
    make: staticmethod
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)
        self.lesson = self.make(self.folder)
        self.store, self.clock = self.lesson.store, self.lesson.clock
        self.ids = {name: self.store.labeller(name) for name in NAMES}
        self.asked: dict[str, Asked] = {}
        self.lent: dict[tuple[str, str], Lent] = {}
        self.tokens: list[tuple[str, str]] = []
        self.events: list[tuple[str, str, Verdict]] = []
        self.sent: list[tuple[Submit, int, bool]] = []

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    # The model -----------------------------------------------------------------------------------------------------

    def live(self, query: str, who: str) -> bool:
        lease = self.lent.get((query, who))
        return lease is not None and lease.expires_at > self.clock.now

    def free(self, query: str, who: str) -> bool:
        asked = self.asked[query]
        answered = who in asked.said and asked.said[who][1] is not Verdict.WITHDRAWN
        others = sum(self.live(query, name) for name in NAMES if name != who)
        return asked.is_open and not answered and asked.n_answers + others < asked.wanted

    def expected(self, who: str, n: int) -> list[str]:
        free = [query for query in self.asked if self.free(query, who)]
        undone = [query for query in free if who in self.asked[query].said]
        undone.sort(key=lambda query: -self.asked[query].said[who][0])
        fresh = sorted(free, key=lambda query: self.asked[query].rank)
        held = [query for query in fresh if self.live(query, who)]
        held.sort(key=lambda query: self.lent[query, who].created_at)
        fresh.sort(key=lambda query: -self.asked[query].n_answers)  # begun before new, each the freshest first
        return list(dict.fromkeys([*undone, *held, *fresh]))[:n]

    # What happens --------------------------------------------------------------------------------------------------

    @initialize()
    def first(self) -> None:
        self.ask(3, 1, 0)

    @rule(n=st.integers(1, 3), wanted=st.integers(1, 2), step=st.integers(0, 9))
    def ask(self, n: int, wanted: int, step: int) -> None:
        batch = -len(self.asked)
        for place, query in enumerate(self.lesson.ask(n, answers_wanted=wanted, step=step)):
            self.asked[query] = Asked((batch, place), wanted, step)

    @rule(who=WHO, n=st.integers(1, 4), lifetime=st.sampled_from([10.0, 60.0]))
    def claim(self, who: str, n: int, lifetime: float) -> None:
        expected, now = self.expected(who, n), self.clock.now
        claims = self.store.claim(self.lesson.experiment, self.ids[who], n, lifetime)
        assert [claim.query_id for claim in claims] == expected
        for claim in claims:
            assert claim.expires_at == now + lifetime
            if self.live(claim.query_id, who):
                lease = self.lent[claim.query_id, who]
                assert lease.token == claim.lease
                lease.expires_at = now + lifetime
            else:
                self.lent[claim.query_id, who] = Lent(claim.lease, now, now + lifetime)
                self.tokens.append((who, claim.lease))

    @rule(who=WHO, verdict=VERDICTS, pick=PICK, lend=st.booleans())
    def submit(self, who: str, verdict: Verdict, pick: int, lend: bool) -> None:
        query = list(self.asked)[pick % len(self.asked)]
        self._submit(who, query, verdict, lend)

    @precondition(lambda self: any(self.live(*key) for key in self.lent))
    @rule(verdict=VERDICTS, pick=PICK)
    def answer_what_is_held(self, verdict: Verdict, pick: int) -> None:
        held = [key for key in self.lent if self.live(*key)]
        query, who = held[pick % len(held)]
        self._submit(who, query, verdict, True)

    def _submit(self, who: str, query: str, verdict: Verdict, lend: bool) -> None:
        asked, seq = self.asked[query], len(self.events) + 1
        lease = self.lent.get((query, who)) if lend else None
        late = not asked.is_open
        late |= lease is not None and not self.live(query, who) and who not in asked.said
        said = Submit(f"id-{seq}", query, self.ids[who], verdict, lease=lease.token if lease else None)
        saved = self.store.submit(said)
        assert (saved.seq, saved.repeated, saved.late) == (seq, False, late)
        self.sent.append((said, seq, late))
        self.events.append((query, who, verdict))
        asked.said[who] = (seq, verdict)
        self.lent.pop((query, who), None)
        if verdict is Verdict.WITHDRAWN and self.free(query, who):
            with self.store.read() as conn:
                mine = (leases.c.query_id == query) & (leases.c.labeller_id == self.ids[who])
                token = conn.execute(sa.select(leases.c.token).where(mine, leases.c.released_at.is_(None))).scalar_one()
            self.lent[query, who] = Lent(token, self.clock.now, self.clock.now + LEASE_SECONDS)
            self.tokens.append((who, token))

    @precondition(lambda self: self.sent)
    @rule(pick=PICK)
    def submit_again(self, pick: int) -> None:
        said, seq, late = self.sent[pick % len(self.sent)]
        saved = self.store.submit(said)
        assert (saved.seq, saved.repeated, saved.late) == (seq, True, late)

    @precondition(lambda self: self.tokens)
    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        who, token = self.tokens[pick % len(self.tokens)]
        key = next((key for key, lease in self.lent.items() if lease.token == token and self.live(*key)), None)
        assert self.store.release(token, self.ids[who]) is (key is not None)
        if key is not None:
            del self.lent[key]

    @precondition(lambda self: self.tokens)
    @rule(pick=PICK, lifetime=st.sampled_from([10.0, 60.0]))
    def heartbeat(self, pick: int, lifetime: float) -> None:
        who, token = self.tokens[pick % len(self.tokens)]
        lease = next((lease for key, lease in self.lent.items() if lease.token == token and self.live(*key)), None)
        until = self.clock.now + lifetime
        assert self.store.heartbeat([token], self.ids[who], lifetime) == ({} if lease is None else {token: until})
        if lease is not None:
            lease.expires_at = until

    @rule(seconds=st.sampled_from([1.0, 9.0, 10.0, 61.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(older_than=st.integers(0, 10))
    def expire(self, older_than: int) -> None:
        stale = [
            asked
            for query, asked in self.asked.items()
            if asked.is_open and asked.n_answers == 0 and asked.step < older_than
            if not any(self.live(query, name) for name in NAMES)
        ]
        assert self.store.expire(self.lesson.run, older_than) == len(stale)
        for asked in stale:
            asked.is_open = False

    # What always holds ---------------------------------------------------------------------------------------------

    @invariant()
    def counts_agree(self) -> None:
        verdicts = [verdict for asked in self.asked.values() for _, verdict in asked.said.values()]
        assert self.store.counts(self.lesson.experiment) == Counts(
            len(self.asked),
            sum(asked.is_open and asked.n_answers < asked.wanted for asked in self.asked.values()),
            sum(asked.is_open and asked.n_answers == 0 for asked in self.asked.values()),
            sum(asked.n_answers > 0 for asked in self.asked.values()),
            sum(any(said in PREFERENCES for _, said in asked.said.values()) for asked in self.asked.values()),
            *(verdicts.count(verdict) for verdict in Verdict),
        )

    @invariant()
    def no_question_is_lent_to_more_than_it_wants(self) -> None:
        alive = leases.c.released_at.is_(None) & (leases.c.expires_at > self.clock.now)
        with self.store.read() as conn:
            rows = conn.execute(sa.select(leases.c.query_id, leases.c.labeller_id).where(alive)).all()
        held = [tuple(row) for row in rows]
        assert len(held) == len(set(held))
        for query, asked in self.asked.items():
            assert sum(lent == query for lent, _ in held) <= asked.wanted

    @invariant()
    def the_record_is_what_was_said_in_order(self) -> None:
        names = {labeller: name for name, labeller in self.ids.items()}
        found = self.store.labels_since(self.lesson.experiment)
        assert [label.seq for label in found] == list(range(1, len(self.events) + 1))
        assert [(label.query_id, names[label.labeller], label.verdict) for label in found] == self.events
        newest = self.store.labels_of(list(self.asked))
        assert {query: {(label.seq, label.verdict) for label in found} for query, found in newest.items()} == {
            query: set(asked.said.values()) for query, asked in self.asked.items() if asked.said
        }


@pytest.mark.slow
def test_lending_and_answering_agree_with_a_plain_model(tmp_path: Path, make):
    make(tmp_path).store.close()  # migrated once, copied for every example
    agree(make, tmp_path, 20)


@pytest.mark.slow
def test_they_agree_on_postgresql_too(tmp_path: Path, make, postgres):
    agree(lambda folder: make(folder, postgres.emptied()), tmp_path, 5)


def agree(make: Callable[[Path], Lesson], template: Path, n_examples: int) -> None:
    machine = type("Machine", (Lending,), {"make": staticmethod(make), "template": template})
    limits = settings(
        max_examples=n_examples,
        stateful_step_count=30,
        deadline=None,
        phases=(Phase.reuse, Phase.generate),  # making a failure smaller takes minutes here; add Phase.shrink for it
        suppress_health_check=[HealthCheck.too_slow],
    )
    machine.TestCase.settings = limits
    machine.TestCase("runTest").debug()
