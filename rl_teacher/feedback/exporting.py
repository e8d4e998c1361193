"""What was asked and said, as files that other programs read: JSON lines with everything, CSV with the answers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage
from rl_teacher.feedback.reading import experiment_row
from rl_teacher.feedback.schema import checks, golds, labellers, labels, queries, runs, segments

FORMATS = {"jsonl": "application/x-ndjson", "csv": "text/csv"}
"""Media types by format."""
PAGE = 500
VERSION = 1
COLUMNS = ("seq", "id", "query_id", "labeller", "verdict", "strength", "seconds", "key", "swapped", "late", "overrules")
CSV_COLUMNS = (*COLUMNS, "given_at", "kind", "of", "pair", "why", "score", "step", "run", "left", "right")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Exporting(Storage):
    """Give everything away."""

    def export(self, experiment_id: str, form: str) -> Iterator[str]:
        """The answers of an experiment, text by text.

        "jsonl": one object a line, first the experiment, then each query before the first label about it. "csv": one
        row for each label, which is an event: the newest of a person about a query counts.

        Raises:
            NotFoundError: If there is no such experiment.
        """
        with self.read() as conn:
            experiment = experiment_row(conn, experiment_id)
        return self._json_lines(dataclasses.asdict(experiment)) if form == "jsonl" else self._csv(experiment_id)

    def _json_lines(self, experiment: dict[str, Any]) -> Iterator[str]:
        yield _line({"type": "experiment", "version": VERSION, **experiment})
        told: set[str] = set()
        for label, query in self._events(experiment["id"]):
            if query["id"] not in told:
                told.add(query["id"])
                yield _line({"type": "query", **query})
            yield _line({"type": "label", **label})

    def _csv(self, experiment_id: str) -> Iterator[str]:
        yield _row(CSV_COLUMNS)
        for label, query in self._events(experiment_id):
            sides = {side: query[side]["key"] for side in ("left", "right")}
            values = {**query, **label, **sides, "labeller": label["labeller"]["name"]}
            yield _row([_harmless(values[name]) for name in CSV_COLUMNS])

    def _events(self, experiment_id: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """(label, query) of every event, oldest first; a page at a time, so that no transaction stays open."""
        seq = 0
        while True:
            with self.read() as conn:
                rows = conn.execute(_page(experiment_id, seq)).all()
            for row in rows:
                yield _label(row), _query(row)
            if len(rows) < PAGE:
                return
            seq = rows[-1].seq


def _page(experiment_id: str, after: int) -> sa.Select:
    left, right = segments.alias("l"), segments.alias("r")
    left_run, right_run = runs.alias("lr"), runs.alias("rr")
    about = [queries.c[name] for name in ("pair", "why", "score", "step", "kind")]
    sides = [
        column.label(f"{side}_{name}")
        for side, table, run in (("left", left, left_run), ("right", right, right_run))
        for name, column in [
            *((name, table.c[name]) for name in ("key", "step", "episode", "start", "n_steps", "clip_id")),
            ("run", run.c.name),
        ]
    ]
    return (
        sa.select(labels, labellers.c.name.label("labeller_name"), runs.c.name.label("run"))
        .add_columns(*about, *sides, checks.c.of_id, golds.c.verdict.label("gold"))
        .join(labellers, labellers.c.id == labels.c.labeller_id)
        .join(queries, queries.c.id == labels.c.query_id)
        .join(runs, runs.c.id == queries.c.run_id)
        .join(left, left.c.id == queries.c.left_segment_id)
        .join(right, right.c.id == queries.c.right_segment_id)
        .join(left_run, left_run.c.id == left.c.run_id)
        .join(right_run, right_run.c.id == right.c.run_id)
        .outerjoin(checks, checks.c.query_id == queries.c.id)
        .outerjoin(golds, golds.c.query_id == queries.c.id)
        .where(labels.c.experiment_id == experiment_id, labels.c.seq > after)
        .order_by(labels.c.seq)
        .limit(PAGE)
    )


def _label(row: sa.Row) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in (*COLUMNS, "renderer", "given_at") if name != "labeller"}
    return {**said, "labeller": {"id": row.labeller_id, "name": row.labeller_name}}


def _query(row: sa.Row) -> dict[str, Any]:
    names = ("key", "run", "step", "episode", "start", "n_steps", "clip_id")
    return {
        "id": row.query_id,
        **{name: getattr(row, name) for name in ("pair", "run", "why", "score", "step", "kind", "gold")},
        "of": row.of_id,
        **{side: {name: getattr(row, f"{side}_{name}") for name in names} for side in ("left", "right")},
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"


def _row(values: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """Spreadsheets take text that begins like a formula for one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
