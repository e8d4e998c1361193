"""Many people: answers per pair, checks (hidden repeats and gold pairs), corrections, running totals.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD = ["experiment_id", "state", "is_full", "number"]
NEW = ["experiment_id", "kind", "state", "is_full", "n_answers", "number"]
SETTINGS = (
    sa.Column("answers_per_pair", sa.Integer(), nullable=False, server_default="1"),
    sa.Column("repeat_rate", sa.Double(), nullable=False, server_default="0"),
    sa.Column("gold_rate", sa.Double(), nullable=False, server_default="0"),
    sa.Column("trust", sa.Boolean(), nullable=False, server_default=sa.false()),
)
TALLIED = ("asked", "open", "unanswered", "answered", "decided", "left", "right", "tie", "abstain", "withdrawn")


def upgrade() -> None:
    for column in SETTINGS:
        op.add_column("experiments", column)
    op.add_column("queries", sa.Column("kind", sa.String(length=16), nullable=False, server_default="question"))
    for table in ("labels", "standing"):
        op.add_column(table, sa.Column("overrules", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("tokens", sa.Column("invite_id", sa.String(length=32), nullable=True))
    op.drop_index(op.f(f"ix_queries_{'_'.join(OLD)}"), "queries")
    op.create_index(op.f(f"ix_queries_{'_'.join(NEW)}"), "queries", NEW, unique=False)
    _checks()
    _tallies()


def downgrade() -> None:
    for table in ("tallies", "checks", "golds"):
        op.drop_table(table)
    op.drop_index(op.f(f"ix_queries_{'_'.join(NEW)}"), "queries")
    op.create_index(op.f(f"ix_queries_{'_'.join(OLD)}"), "queries", OLD, unique=False)
    for table in ("labels", "standing"):
        op.drop_column(table, "overrules")
    op.drop_column("queries", "kind")
    op.drop_column("tokens", "invite_id")
    for column in SETTINGS:
        op.drop_column("experiments", column.name)


def _checks() -> None:
    op.create_table(
        "golds",
        sa.Column("query_id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("set_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_golds_experiment_id")),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_golds_query_id")),
        sa.PrimaryKeyConstraint("query_id", name=op.f("pk_golds")),
    )
    op.create_index(op.f("ix_golds_experiment_id"), "golds", ["experiment_id"], unique=False)
    op.create_table(
        "checks",
        sa.Column("query_id", sa.String(length=32), nullable=False),
        sa.Column("of_id", sa.String(length=32), nullable=False),
        sa.Column("labeller_id", sa.String(length=32), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["labeller_id"], ["labellers.id"], name=op.f("fk_checks_labeller_id")),
        sa.ForeignKeyConstraint(["of_id"], ["queries.id"], name=op.f("fk_checks_of_id")),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_checks_query_id")),
        sa.PrimaryKeyConstraint("query_id", name=op.f("pk_checks")),
    )
    op.create_index(op.f("ix_checks_labeller_id_of_id"), "checks", ["labeller_id", "of_id"], unique=False)


def _tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        *(sa.Column(f"n_{name}", sa.Integer(), nullable=False) for name in TALLIED),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_tallies_experiment_id")),
        sa.PrimaryKeyConstraint("experiment_id", "kind", name=op.f("pk_tallies")),
    )
    op.execute(
        """
        INSERT INTO tallies
        SELECT e.id, 'question',
            (SELECT count(*) FROM queries q WHERE q.experiment_id = e.id),
            (SELECT count(*) FROM queries q WHERE q.experiment_id = e.id AND q.state = 'open' AND NOT q.is_full),
            (SELECT count(*) FROM queries q WHERE q.experiment_id = e.id AND q.state = 'open' AND NOT q.is_full
                AND q.n_answers = 0),
            (SELECT count(*) FROM queries q WHERE q.experiment_id = e.id AND q.n_answers > 0),
            (SELECT count(DISTINCT s.query_id) FROM standing s
                WHERE s.experiment_id = e.id AND s.verdict IN ('LEFT', 'RIGHT', 'TIE')),
            (SELECT count(*) FROM standing s WHERE s.experiment_id = e.id AND s.verdict = 'LEFT'),
            (SELECT count(*) FROM standing s WHERE s.experiment_id = e.id AND s.verdict = 'RIGHT'),
            (SELECT count(*) FROM standing s WHERE s.experiment_id = e.id AND s.verdict = 'TIE'),
            (SELECT count(*) FROM standing s WHERE s.experiment_id = e.id AND s.verdict = 'ABSTAIN'),
            (SELECT count(*) FROM standing s WHERE s.experiment_id = e.id AND s.verdict = 'WITHDRAWN')
        FROM experiments e
        """
    )
