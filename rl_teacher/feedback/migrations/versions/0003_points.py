"""The curves of runs.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "points",
        sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id", name="fk_points_run_id"), nullable=False),
        sa.Column("step", BIG, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_points"),
    )


def downgrade() -> None:
    op.drop_table("points")
