"""How far an experiment is, kept up to date by every transaction that changes it: nobody need count ten thousand rows.

A tally is a sum over queries. Whoever changes a query adds the difference between what it counted for before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.schema import TALLIED, queries, standing, tallies
from rl_teacher.labels import PREFERENCES, Verdict


def share(conn: sa.Connection, query_id: str) -> Counter[str]:
    """What one query counts for now, by the names of `records.Counts`."""
    row = conn.execute(sa.select(queries).where(queries.c.id == query_id)).one()
    said = sa.select(standing.c.verdict, standing.c.overrules).where(standing.c.query_id == query_id)
    return _share(row, conn.execute(said).all())


def add(conn: sa.Connection, experiment_id: str, kind: str, change: Mapping[str, int]) -> None:
    """Add a change to the tally of an experiment's queries of this kind."""
    by = {tallies.c[f"n_{name}"]: tallies.c[f"n_{name}"] + n for name, n in change.items() if n}
    if not by:
        return
    here = (tallies.c.experiment_id == experiment_id) & (tallies.c.kind == kind)
    if conn.execute(tallies.update().where(here).values(by)).rowcount == 0:
        zero = {f"n_{name}": 0 for name in TALLIED}
        insert_new(conn, tallies, experiment_id=experiment_id, kind=kind, **zero)
        conn.execute(tallies.update().where(here).values(by))


def difference(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """What has to be added to come from before to after."""
    return {name: after.get(name, 0) - before.get(name, 0) for name in TALLIED}


def counts_in_preference(said: Sequence[tuple[Verdict | str, bool]]) -> bool:
    """Whether the newest labels of a query, (verdict, overrules) of each person, make up a preference."""
    stands = [(verdict, overrules) for verdict, overrules in said if verdict != Verdict.WITHDRAWN]
    overruled = any(overrules for _, overrules in stands)
    return any(verdict in PREFERENCES for verdict, overrules in stands if overrules or not overruled)


def _share(row: sa.Row, said: Sequence[sa.Row]) -> Counter[str]:
    is_open = row.state == "open" and not row.is_full
    counted = Counter({"asked": 1, "open": is_open, "unanswered": is_open and row.n_answers == 0})
    counted["answered"] = int(row.n_answers > 0)
    counted["decided"] = int(counts_in_preference([(verdict, overrules) for verdict, overrules in said]))
    counted.update(verdict.lower() for verdict, _ in said)
    return counted
