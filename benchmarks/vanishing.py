"""People who vanish with what they hold, on a clock that turns by itself: see people.py."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment, Submit
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict

AHEAD = 3
"""Pairs that a page holds."""
ANSWER_SECONDS = 3.0


def ask(store: Store, n: int) -> str:
    """An experiment with n open questions about two clips; its id."""
    experiment = store.experiment("people", "hopper", "Which is better?")
    run = store.run(experiment, "people", 1, "human")
    data = pack_arrays({"obs": np.zeros((2, 2), np.float32)})
    clip = store.add_clip("poses", b"1234567" * 4, "application/octet-stream", b"{}", 1, 20.0, 0.05)
    for start in range(0, n, 500):
        sides = [
            [NewSegment(f"{side}{place}", data, clip) for side in "lr"] for place in range(start, min(start + 500, n))
        ]
        store.add_queries(run, [NewQuery(f"pair-{left.key}", left, right) for left, right in sides])
    return experiment


@dataclass
class Ledger:
    """What an onlooker writes down: who holds what until when, who answered what."""

    until: dict[str, tuple[str, float]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    ended: dict[str, float] = field(default_factory=dict)
    """When the lease of a vanished person ended, until the pair is served again."""
    waited: list[float] = field(default_factory=list)
    """Seconds from then until somebody was served it."""
    faults: list[str] = field(default_factory=list)

    def lent(self, query: str, who: str, until: float, now: float) -> None:
        """Somebody holds a pair, alone."""
        holder, ends = self.until.get(query, (who, 0.0))
        if holder != who and ends > now:
            self.faults.append(f"{query} was lent to {who} while {holder} held it")
        if self.answers[query]:
            self.faults.append(f"{query} was lent again after its answer")
        if holder != who and query in self.ended:
            self.waited.append(now - max(self.ended.pop(query), ends))
        self.until[query] = (who, until)

    def answered(self, query: str, who: str, now: float) -> None:
        """Somebody answered a pair, which they alone held."""
        holder, ends = self.until[query]
        if holder != who or ends <= now:
            self.faults.append(f"{who} answered {query}, held by {holder}")
        self.answers[query] += 1
        self.until.pop(query)


def vanish(folder: Path, n_people: int, n_pairs: int, share: float, seed: int = 1) -> dict[str, Any]:
    """Everybody answers, a share of them vanishes somewhere on the way with what they hold; the figures."""
    rng, now, began = random.Random(seed), 1e6, time.perf_counter()
    with closing(open_store(folder, clock=lambda: now)) as store:
        experiment, ledger = ask(store, n_pairs), Ledger()
        people = [store.labeller(f"person {number}") for number in range(n_people)]
        each = n_pairs / n_people
        leaves = {who: rng.uniform(0, each) for who in people[: round(share * n_people)]}
        held: dict[str, list[Any]] = defaultdict(list)
        given: Counter[str] = Counter()
        turns = [(now + rng.random() * ANSWER_SECONDS, who) for who in people]
        heapq.heapify(turns)
        while turns:
            now, who = heapq.heappop(turns)
            if given[who] >= leaves.get(who, n_pairs):
                ledger.ended |= {claim.query_id: now for claim in held[who]}
                continue
            if held[who]:
                claim = held[who].pop(0)
                store.submit(Submit(f"{who}-{claim.query_id}", claim.query_id, who, Verdict.LEFT, lease=claim.lease))
                ledger.answered(claim.query_id, who, now)
                given[who] += 1
            claims = store.claim(experiment, who, AHEAD)
            for claim in claims:
                ledger.lent(claim.query_id, who, claim.expires_at, now)
            held[who] = claims
            if claims:
                heapq.heappush(turns, (now + rng.expovariate(1 / ANSWER_SECONDS), who))
            elif store.counts(experiment).open:  # the rest is held by others, or by those who have vanished
                heapq.heappush(turns, (now + 1.0, who))
        counts = store.counts(experiment)
        wrong = [query for query, n in ledger.answers.items() if n != 1]
    return {
        "answered": counts.answered,
        "open": counts.open,
        "twice": len(wrong),
        "faults": ledger.faults,
        "left": len(leaves),
        "longest_wait": max(ledger.waited, default=0.0),
        "seconds": time.perf_counter() - began,
    }
