"""People as teacher: questions go into the store, answers are read from it whenever there are any."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from rl_teacher.aside import Aside
from rl_teacher.feedback.arrays import Arrays, pack_arrays
from rl_teacher.feedback.provenance import StoredSegment
from rl_teacher.feedback.records import NewQuery, NewSegment
from rl_teacher.feedback.store import Store
from rl_teacher.labels import Label, preference
from rl_teacher.protocols import Changes
from rl_teacher.trajectory import Comparison, Query, Segment, Source

WORTH_TELLING = 0.02
"""A smaller change of somebody's share of random answers changes no μ."""


class HumanTeacher:
    """Asks through the store and never blocks. Everything said is in the store, so it has nothing of its own to save.

    Args:
        store: Where trainer and page meet.
        experiment_id: What is taught.
        run_id: The run that asks.
        make_clip: Segment -> id of the clip that shows it.
        assumed_random: Share of answers that r̂ holds for random in any case; only what is worse is softened.
        aside: Where questions are made whose clips take long; None makes them at once.
    """

    def __init__(
        self,
        store: Store,
        experiment_id: str,
        run_id: str,
        make_clip: Callable[[Segment], str],
        assumed_random: float = 0.0,
        aside: Aside | None = None,
    ):
        self._store = store
        self._experiment_id = experiment_id
        self._run_id = run_id
        self._make_clip = make_clip
        self._aside = aside
        self._making: list[Future[None]] = []
        self._oldest = 0
        """Steps from before which nothing is asked any more …"""
        self._order = threading.Lock()
        """… not even by what is in the making."""
        self._queries: dict[str, Query] = {}
        self._spoken_of: dict[str, None] = {}
        """Ids of all queries that anybody has said anything of."""
        self._trust = Trust(store, experiment_id, assumed_random)

    @property
    def n_open(self) -> int:
        """Questions asked, not answered, not taken back; those whose clips are in the making are among them.

        Those that only want more answers do not hold up the agent.
        """
        self._making = [future for future in self._making if not future.done()]
        return len(self._making) + self._store.counts(self._experiment_id).unanswered

    @property
    def n_decided(self) -> int:
        """Questions whose answer expresses a preference."""
        return self._store.counts(self._experiment_id).decided

    def asked(self) -> set[str]:
        """Every pair of this experiment, answered or not, by whichever run."""
        return self._store.pairs(self._experiment_id)

    def ask(self, queries: Sequence[Query]) -> None:
        """Put questions. Their clips are in the store before they can be seen."""
        if self._aside is None:
            self._put(queries)
            return
        self._aside.check()
        for query in queries:  # each for itself: the first can be answered while the second is in the making
            self._making.append(self._aside.submit(self._put, [query]))

    def changes(self, cursor: int) -> Changes:
        """What people said after `cursor`, by the newest answer of each; everything, where somebody's trust changed."""
        labels: list[Label] = []
        while page := self._store.labels_since(self._experiment_id, cursor, limit=500):
            labels += page
            cursor = page[-1].seq
        spoken_of = dict.fromkeys(label.query_id for label in labels)
        self._spoken_of |= spoken_of
        if self._trust.has_changed():
            spoken_of = self._spoken_of
        comparisons, withdrawn = [], []
        for query_id, newest in self._store.labels_of(list(spoken_of)).items():
            query, mu = self._query(query_id), preference(newest, self._trust.shares)
            if mu is None:
                withdrawn.append(query.id)
            else:
                comparisons.append(Comparison(query, mu, max(label.given_at for label in newest)))
        return Changes(cursor, tuple(comparisons), tuple(withdrawn))

    def expire(self, older_than: int) -> int:
        """Take back open questions about behaviour from before step `older_than` that nobody is looking at."""
        with self._order:
            self._oldest = max(self._oldest, older_than)
            return self._store.expire(self._experiment_id, older_than)

    def tally(self) -> dict[str, int]:
        """How many were asked, answered, and answered left, right, tie, abstain."""
        counts = self._store.counts(self._experiment_id)
        return {name: getattr(counts, name) for name in ("asked", "answered", "left", "right", "tie", "abstain")}

    def _put(self, queries: Sequence[Query]) -> None:
        made = [self._new(query) for query in queries if _step(query) >= self._oldest]
        with self._order:
            if fresh := [query for query in made if query.step >= self._oldest]:
                self._store.add_queries(self._run_id, fresh)

    def _new(self, query: Query) -> NewQuery:
        left, right = self._new_segment(query.left), self._new_segment(query.right)
        return NewQuery(query.id, left, right, query.why, query.score, _step(query))

    def _new_segment(self, segment: Segment) -> NewSegment:
        return NewSegment(
            key=segment.key,
            data=pack_arrays(segment.stored()),
            clip_id=self._make_clip(segment),
            step=segment.source.step,
            episode=segment.source.episode,
            start=segment.source.start,
            n_steps=len(segment),
        )

    def _query(self, query_id: str) -> Query:
        if query_id not in self._queries:
            left, right, provenance = self._store.load_segments(query_id)
            self._queries[query_id] = Query(
                _segment(left, provenance.left),
                _segment(right, provenance.right),
                provenance.query.why,
                provenance.query.score,
            )
        return self._queries[query_id]


class Trust:
    """What is known of how carefully people answer, where the experiment wants it used.

    Args:
        store: Where the record lies.
        experiment_id: What is taught.
        assumed_random: Share of answers that r̂ holds for random in any case.
    """

    def __init__(self, store: Store, experiment_id: str, assumed_random: float):
        self._store = store
        self._experiment_id = experiment_id
        self._assumed = assumed_random
        self._next_seq = 1
        self.shares: dict[str, float] = {}
        """Share of random answers by labeller, beyond those assumed of everybody; empty where all are trusted alike."""

    def has_changed(self) -> bool:
        """Look whether `shares` are to be others; after 5 % more events or when the experiment's setting changed."""
        if not self._store.experiment_by_id(self._experiment_id).trust:
            changed, self.shares, self._next_seq = bool(self.shares), {}, 1
            return changed
        seq = self._store.last_seq(self._experiment_id)
        if seq < self._next_seq:
            return False
        self._next_seq = seq + 1 + seq // 20
        found = {who: self._beyond(share) for who, share in self._store.random_shares(self._experiment_id).items()}
        before = {**dict.fromkeys(found, 0.0), **self.shares}
        if all(abs(share - before[who]) < WORTH_TELLING for who, share in found.items()):
            return False
        self.shares = found
        return True

    def _beyond(self, share: float) -> float:
        return max(0.0, (share - self._assumed) / (1.0 - self._assumed)) if self._assumed < 1.0 else 0.0


def _step(query: Query) -> int:
    """As old as its newer clip: sorting compares new clips with old ones, and must not ask what expires at once."""
    return max(query.left.source.step, query.right.source.step)


def _segment(arrays: Arrays, stored: StoredSegment) -> Segment:
    source = Source(stored.run, stored.step, stored.episode, stored.start)
    return Segment(arrays["obs"], arrays["act"], arrays["env_rew"], arrays.get("sim"), source)
