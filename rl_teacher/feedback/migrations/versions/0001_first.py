"""The first schema: all that later issues need is in it, so that labels given today stay readable.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _people()
    _behaviour()
    _questions()
    _answers()
    _operations()
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "labels", "value": 0}, {"name": "queries", "value": 0}])


def downgrade() -> None:
    for table in (
        "audit",
        "results",
        "jobs",
        "standing",
        "labels",
        "counters",
        "leases",
        "queries",
        "replays",
        "segments",
        "clips",
        "runs",
        "tokens",
        "labellers",
        "experiments",
    ):
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("env_id", sa.String(length=200), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("name", name=op.f("uq_experiments_name")),
    )
    op.create_table(
        "labellers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labellers")),
        sa.UniqueConstraint("name", "kind", name=op.f("uq_labellers_name_kind")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("labeller_id", sa.String(length=32), nullable=True),
        sa.Column("experiment_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_tokens_experiment_id")),
        sa.ForeignKeyConstraint(["labeller_id"], ["labellers.id"], name=op.f("fk_tokens_labeller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
    )


def _behaviour() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("seed", BIG, nullable=False),
        sa.Column("predictor", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("heartbeat_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_runs_experiment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("name", name=op.f("uq_runs_name")),
    )
    op.create_index(op.f("ix_runs_experiment_id_started_at"), "runs", ["experiment_id", "started_at"], unique=False)
    op.create_table(
        "clips",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("scene_blob", sa.String(length=64), nullable=True),
        sa.Column("n_frames", sa.Integer(), nullable=False),
        sa.Column("fps", sa.Double(), nullable=False),
        sa.Column("dt", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clips")),
    )
    op.create_index(op.f("ix_clips_blob"), "clips", ["blob"], unique=False)
    op.create_index(op.f("ix_clips_scene_blob"), "clips", ["scene_blob"], unique=False)
    op.create_table(
        "segments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("data_blob", sa.String(length=64), nullable=False),
        sa.Column("clip_id", sa.String(length=64), nullable=False),
        sa.Column("step", BIG, nullable=False),
        sa.Column("episode", BIG, nullable=False),
        sa.Column("start", BIG, nullable=False),
        sa.Column("n_steps", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_segments_clip_id")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_segments_experiment_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_segments_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("experiment_id", "key", name=op.f("uq_segments_experiment_id_key")),
    )
    op.create_index(op.f("ix_segments_clip_id_experiment_id"), "segments", ["clip_id", "experiment_id"], unique=False)
    op.create_table(
        "replays",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("step", BIG, nullable=False),
        sa.Column("clip_id", sa.String(length=64), nullable=False),
        sa.Column("true_return", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_replays_clip_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_replays_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replays")),
    )
    op.create_index(op.f("ix_replays_clip_id"), "replays", ["clip_id"], unique=False)
    op.create_index(op.f("ix_replays_run_id_created_at"), "replays", ["run_id", "created_at"], unique=False)


def _questions() -> None:
    op.create_table(
        "queries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("left_segment_id", sa.String(length=32), nullable=False),
        sa.Column("right_segment_id", sa.String(length=32), nullable=False),
        sa.Column("why", sa.String(length=100), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("step", BIG, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answers_wanted", sa.Integer(), nullable=False),
        sa.Column("n_answers", sa.Integer(), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expired_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_queries_experiment_id")),
        sa.ForeignKeyConstraint(["left_segment_id"], ["segments.id"], name=op.f("fk_queries_left_segment_id")),
        sa.ForeignKeyConstraint(["right_segment_id"], ["segments.id"], name=op.f("fk_queries_right_segment_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_queries_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queries")),
        sa.UniqueConstraint("experiment_id", "pair", name=op.f("uq_queries_experiment_id_pair")),
    )
    op.create_index(
        op.f("ix_queries_experiment_id_state_is_full_number"),
        "queries",
        ["experiment_id", "state", "is_full", "number"],
        unique=False,
    )
    op.create_index(op.f("ix_queries_run_id_state_step"), "queries", ["run_id", "state", "step"], unique=False)
    op.create_table(
        "leases",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("query_id", sa.String(length=32), nullable=False),
        sa.Column("labeller_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("released_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["labeller_id"], ["labellers.id"], name=op.f("fk_leases_labeller_id")),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_leases_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
        sa.UniqueConstraint("token", name=op.f("uq_leases_token")),
    )
    op.create_index(op.f("ix_leases_labeller_id_released_at"), "leases", ["labeller_id", "released_at"], unique=False)
    op.create_index(op.f("ix_leases_query_id_released_at"), "leases", ["query_id", "released_at"], unique=False)


def _answers() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "labels",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("query_id", sa.String(length=32), nullable=False),
        sa.Column("labeller_id", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("strength", sa.String(length=16), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("renderer", sa.String(length=200), nullable=False),
        sa.Column("given_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_labels_experiment_id")),
        sa.ForeignKeyConstraint(["labeller_id"], ["labellers.id"], name=op.f("fk_labels_labeller_id")),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_labels_query_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_labels")),
        sa.UniqueConstraint("id", name=op.f("uq_labels_id")),
    )
    op.create_index(op.f("ix_labels_experiment_id_given_at"), "labels", ["experiment_id", "given_at"], unique=False)
    op.create_index(op.f("ix_labels_experiment_id_seq"), "labels", ["experiment_id", "seq"], unique=False)
    op.create_index(op.f("ix_labels_query_id_labeller_id"), "labels", ["query_id", "labeller_id"], unique=False)
    op.create_table(
        "standing",
        sa.Column("query_id", sa.String(length=32), nullable=False),
        sa.Column("labeller_id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_standing_experiment_id")),
        sa.ForeignKeyConstraint(["labeller_id"], ["labellers.id"], name=op.f("fk_standing_labeller_id")),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_standing_query_id")),
        sa.ForeignKeyConstraint(["seq"], ["labels.seq"], name=op.f("fk_standing_seq")),
        sa.PrimaryKeyConstraint("query_id", "labeller_id", name=op.f("pk_standing")),
    )
    op.create_index(op.f("ix_standing_experiment_id_verdict"), "standing", ["experiment_id", "verdict"], unique=False)
    op.create_index(op.f("ix_standing_labeller_id_verdict"), "standing", ["labeller_id", "verdict"], unique=False)


def _operations() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("taken_at", sa.Double(), nullable=True),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_jobs_experiment_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_jobs_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_experiment_id_state"), "jobs", ["experiment_id", "state"], unique=False)
    op.create_table(
        "results",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_results_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_results")),
    )
    op.create_table(
        "audit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
