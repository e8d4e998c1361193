"""A clip in further forms: the same film in another codec, or poses as a film for browsers that cannot draw them.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "renditions",
        sa.Column("clip_id", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_renditions_clip_id_clips")),
        sa.PrimaryKeyConstraint("clip_id", "media_type", name=op.f("pk_renditions")),
    )
    op.create_index(op.f("ix_renditions_blob"), "renditions", ["blob"])


def downgrade() -> None:
    op.drop_table("renditions")
