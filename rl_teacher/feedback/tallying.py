"""How far an experiment is, kept up to date by every transaction that changes it: nobody need count ten thousand rows.

A tally is a sum over queries. Whoever changes a query adds the difference between what it counted for before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.schema import TALLIED, tallies
from rl_teacher.labels import PREFERENCES, Verdict

_ADD = (
    tallies.update()
    .where(tallies.c.experiment_id == sa.bindparam("experiment"), tallies.c.kind == sa.bindparam("of_kind"))
    .values({f"n_{name}": tallies.c[f"n_{name}"] + sa.bindparam(f"by_{name}") for name in TALLIED})
)


def share(state: str, is_full: bool, n_answers: int, said: Sequence[tuple[str, bool]]) -> Counter[str]:
    """What one query counts for, by the names of `records.Counts`.

    Args:
        state: open or expired.
        is_full: Whether it wants no more answers.
        n_answers: Labellers whose newest label is not WITHDRAWN.
        said: (verdict, whether it overrules) of each labeller's newest label.
    """
    is_open = state == "open" and not is_full
    counted = Counter({"asked": 1, "open": int(is_open), "unanswered": int(is_open and n_answers == 0)})
    counted["answered"] = int(n_answers > 0)
    counted["decided"] = int(counts_in_preference(said))
    counted.update(verdict.lower() for verdict, _ in said)
    return counted


def add(conn: sa.Connection, experiment_id: str, kind: str, change: Mapping[str, int]) -> None:
    """Add a change to the tally of an experiment's queries of this kind."""
    if not any(change.values()):
        return
    given = {"experiment": experiment_id, "of_kind": kind, **{f"by_{name}": change.get(name, 0) for name in TALLIED}}
    if conn.execute(_ADD, given).rowcount == 0:
        zero = {f"n_{name}": 0 for name in TALLIED}
        insert_new(conn, tallies, experiment_id=experiment_id, kind=kind, **zero)
        conn.execute(_ADD, given)


def difference(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """What has to be added to come from before to after."""
    return {name: after.get(name, 0) - before.get(name, 0) for name in TALLIED}


def counts_in_preference(said: Sequence[tuple[Verdict | str, bool]]) -> bool:
    """Whether the newest labels of a query, (verdict, overrules) of each person, make up a preference."""
    stands = [(verdict, overrules) for verdict, overrules in said if verdict != Verdict.WITHDRAWN]
    overruled = any(overrules for _, overrules in stands)
    return any(verdict in PREFERENCES for verdict, overrules in stands if overrules or not overruled)
