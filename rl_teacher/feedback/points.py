"""The curves of a run: a few hundred points each, however long it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage, batches, columns, plain
from rl_teacher.feedback.records import Point
from rl_teacher.feedback.schema import points

MOST_POINTS = 600
"""Of one run; when there are more, every second one goes."""
FINEST = 300
"""Two points lie at least this part of the curve's length apart; only the newest may be nearer."""


class Points(Storage):
    """Figures of a run over its steps."""

    def add_point(self, run_id: str, step: int, data: Mapping[str, Any]) -> int:
        """Put a point at the end of a run's curve; returns how many it has now.

        The newest point gives way to the next one where both are near the one before them; and a curve that has grown
        too long all the same loses every second point. So it is about as fine at its beginning as at its end, and a
        run of 50 million steps keeps a few hundred. Its first and its newest point always stay.

        Args:
            run_id: Whose curve.
            step: Environment steps of the run.
            data: Figures by the name of their metric. What was measured earlier and still stands is repeated in each
                point: then nothing is lost with a point that goes.
        """
        values = {"run_id": run_id, "step": int(step), "at": self.clock(), "data": plain(data)}
        with self.write() as conn:
            mine = sa.select(points.c.step).where(points.c.run_id == run_id).order_by(points.c.step)
            before = list(conn.scalars(mine))
            kept = _kept([one for one in before if one < step], int(step))
            for gone in batches(sorted(set(before) - set(kept))):
                conn.execute(points.delete().where((points.c.run_id == run_id) & points.c.step.in_(gone)))
            conn.execute(points.insert().values(**values))
        return len(kept) + 1

    def points(self, run_id: str) -> list[Point]:
        """The curve of a run, in the order of its steps."""
        query = sa.select(*columns(points, Point)).where(points.c.run_id == run_id).order_by(points.c.step)
        with self.read() as conn:
            return [Point(*row) for row in conn.execute(query)]

    def forget_points(self, run_id: str, after: int) -> None:
        """Forget what was measured after this step: the run goes on from there and measures it again."""
        with self.write() as conn:
            conn.execute(points.delete().where((points.c.run_id == run_id) & (points.c.step > after)))


def _kept(steps: list[int], new: int) -> list[int]:
    """Which of a curve's steps stay when a new one comes behind them."""
    if len(steps) > 1 and (steps[-1] - steps[-2]) * FINEST < new - steps[0]:
        steps = steps[:-1]
    return steps if len(steps) < MOST_POINTS else [steps[0], *steps[2::2]]
