"""The tables. `migrations/` makes them; a test proves that both say the same.

Ids are uuid4 as 32 hexadecimal digits unless said otherwise; times are Unix seconds. `labels` is append-only and holds
the truth about answers. `standing`, `queries.n_answers` and `queries.is_full` are derived from it in the transaction
that appends, so that a claim or a count touches few rows; `tallies` adds them up by experiment (`tallying.py`).
"""

from __future__ import annotations

import sqlalchemy as sa

from rl_teacher.feedback.columns import Big, ident, metadata, moment, ref, text

TALLIED = ("asked", "open", "unanswered", "answered", "decided", "left", "right", "tie", "abstain", "withdrawn")
"""What is counted of each experiment; records.Counts has the meanings."""

experiments = sa.Table(
    "experiments",
    metadata,
    ident(),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    text("env_id", 200),
    sa.Column("instructions", sa.Text, nullable=False),  # Markdown
    text("status", 16),  # open | finished
    sa.Column("wanted", sa.Integer),  # answers; null is "until stopped"
    sa.Column("answers_per_pair", sa.Integer, nullable=False, default=1),  # people who are to answer each question
    sa.Column("repeat_rate", sa.Double, nullable=False, default=0.0),  # share of pairs shown to the same person again
    sa.Column("gold_rate", sa.Double, nullable=False, default=0.0),  # share of pairs whose answer is known
    sa.Column("trust", sa.Boolean, nullable=False, default=False),  # soften what unreliable people say
    moment("created_at"),
    moment("updated_at"),
)

runs = sa.Table(
    "runs",
    metadata,
    ident(),
    ref("experiment_id", "experiments.id"),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("seed", Big, nullable=False),
    text("predictor", 16),
    text("status", 16),  # training | waiting | stopped | finished | failed
    sa.Column("message", sa.Text, nullable=False),  # one line for people
    sa.Column("progress", sa.JSON, nullable=False),
    moment("started_at"),
    moment("heartbeat_at"),
    sa.Index(None, "experiment_id", "started_at"),
)

clips = sa.Table(
    "clips",
    metadata,
    ident(64),  # of the content, so that one clip is stored once
    text("kind", 16),  # poses | video
    text("blob", 64),
    text("media_type", 100),
    sa.Column("scene_blob", sa.String(64)),
    sa.Column("n_frames", sa.Integer, nullable=False),
    sa.Column("fps", sa.Double, nullable=False),  # at 1×
    sa.Column("dt", sa.Double, nullable=False),  # simulated seconds per frame
    moment("created_at"),
    sa.Index(None, "blob"),
    sa.Index(None, "scene_blob"),
)

renditions = sa.Table(
    "renditions",
    metadata,
    ref("clip_id", "clips.id", primary_key=True),
    sa.Column("media_type", sa.String(100), primary_key=True),
    text("blob", 64),
    moment("created_at"),
    sa.Index(None, "blob"),
)

segments = sa.Table(
    "segments",
    metadata,
    ident(),
    ref("experiment_id", "experiments.id"),
    ref("run_id", "runs.id"),
    text("key", 64),  # trajectory.Segment.key
    text("data_blob", 64),
    ref("clip_id", "clips.id"),
    sa.Column("step", Big, nullable=False),
    sa.Column("episode", Big, nullable=False),
    sa.Column("start", Big, nullable=False),
    sa.Column("n_steps", sa.Integer, nullable=False),
    sa.UniqueConstraint("experiment_id", "key"),
    sa.Index(None, "clip_id", "experiment_id"),
)

queries = sa.Table(
    "queries",
    metadata,
    ident(),
    ref("experiment_id", "experiments.id"),
    ref("run_id", "runs.id"),
    sa.Column("number", Big, nullable=False),  # the larger, the fresher
    text("pair", 64),  # trajectory.Query.id
    ref("left_segment_id", "segments.id"),
    ref("right_segment_id", "segments.id"),
    text("why", 100),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("step", Big, nullable=False),  # of the run when asked
    text("state", 16),  # open | expired
    sa.Column("kind", sa.String(16), nullable=False, default="question"),  # question | repeat | gold: see checks
    sa.Column("answers_wanted", sa.Integer, nullable=False),
    sa.Column("n_answers", sa.Integer, nullable=False),  # labellers whose newest label is not WITHDRAWN
    sa.Column("is_full", sa.Boolean, nullable=False),  # n_answers >= answers_wanted, or a researcher corrected it
    moment("created_at"),
    moment("expired_at", nullable=True),
    sa.UniqueConstraint("experiment_id", "pair"),
    sa.Index(None, "experiment_id", "kind", "state", "is_full", "n_answers", "number"),
    sa.Index(None, "run_id", "state", "step"),
)

golds = sa.Table(  # questions whose answer is known
    "golds",
    metadata,
    ref("query_id", "queries.id", primary_key=True),
    ref("experiment_id", "experiments.id"),
    text("verdict", 16),
    text("set_by", 200),
    moment("set_at"),
    sa.Index(None, "experiment_id"),
)

checks = sa.Table(  # queries that only test one person: copies of questions, never learned from
    "checks",
    metadata,
    ref("query_id", "queries.id", primary_key=True),
    ref("of_id", "queries.id"),
    ref("labeller_id", "labellers.id"),
    sa.Column("swapped", sa.Boolean, nullable=False),  # how its sides are shown
    moment("created_at"),
    sa.Index(None, "labeller_id", "of_id"),
)

tallies = sa.Table(
    "tallies",
    metadata,
    ref("experiment_id", "experiments.id", primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),  # of queries
    *(sa.Column(f"n_{name}", sa.Integer, nullable=False, default=0) for name in TALLIED),
)

labellers = sa.Table(
    "labellers",
    metadata,
    ident(),
    text("name", 200),
    text("kind", 16),  # person | synthetic
    moment("created_at"),
    sa.UniqueConstraint("name", "kind"),
)

leases = sa.Table(
    "leases",
    metadata,
    ident(),
    ref("query_id", "queries.id"),
    ref("labeller_id", "labellers.id"),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
    moment("created_at"),
    moment("expires_at"),
    moment("released_at", nullable=True),  # given back, or answered
    sa.Index(None, "query_id", "released_at"),
    sa.Index(None, "labeller_id", "released_at"),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),  # labels | queries
    sa.Column("value", Big, nullable=False),
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("seq", Big, primary_key=True, autoincrement=False),  # from counters, so that seq order is commit order
    sa.Column("id", sa.String(64), nullable=False, unique=True),  # made by the client: a replayed submit is recognised
    ref("experiment_id", "experiments.id"),
    ref("query_id", "queries.id"),
    ref("labeller_id", "labellers.id"),
    text("verdict", 16),
    text("strength", 16),
    sa.Column("seconds", sa.Double, nullable=False),
    text("key", 32),
    sa.Column("swapped", sa.Boolean, nullable=False),  # left was shown on the right
    sa.Column("late", sa.Boolean, nullable=False),  # the lease or the query had ended
    sa.Column("overrules", sa.Boolean, nullable=False, default=False),  # a researcher's correction
    text("renderer", 200),
    moment("given_at"),
    sa.Index(None, "experiment_id", "seq"),
    sa.Index(None, "experiment_id", "given_at"),
    sa.Index(None, "query_id", "labeller_id"),
)

standing = sa.Table(
    "standing",
    metadata,
    ref("query_id", "queries.id", primary_key=True),
    ref("labeller_id", "labellers.id", primary_key=True),
    ref("experiment_id", "experiments.id"),
    sa.Column("seq", Big, sa.ForeignKey("labels.seq"), nullable=False),  # the newest label of this pair
    text("verdict", 16),
    sa.Column("overrules", sa.Boolean, nullable=False, default=False),
    sa.Index(None, "experiment_id", "verdict"),
    sa.Index(None, "labeller_id", "verdict"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    ident(),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),  # sha256; the token itself is kept nowhere
    text("role", 16),  # invite | labeller | researcher | admin
    ref("labeller_id", "labellers.id", nullable=True),
    ref("experiment_id", "experiments.id", nullable=True),  # null is all of them
    sa.Column("invite_id", sa.String(32)),  # the token of the invitation its holder came by
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
)

replays = sa.Table(
    "replays",
    metadata,
    ident(),
    ref("run_id", "runs.id"),
    sa.Column("step", Big, nullable=False),
    ref("clip_id", "clips.id"),
    sa.Column("true_return", sa.Double),
    moment("created_at"),
    sa.Index(None, "run_id", "created_at"),
    sa.Index(None, "clip_id"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    ident(),
    ref("experiment_id", "experiments.id"),
    ref("run_id", "runs.id", nullable=True),  # null is whichever run of the experiment looks first
    text("kind", 32),
    sa.Column("args", sa.JSON, nullable=False),
    text("state", 16),  # queued | taken | done | failed
    moment("created_at"),
    moment("taken_at", nullable=True),
    moment("done_at", nullable=True),
    sa.Index(None, "experiment_id", "state"),
)

results = sa.Table(
    "results",
    metadata,
    ref("job_id", "jobs.id", primary_key=True),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("blob", sa.String(64)),
    moment("created_at"),
)

points = sa.Table(
    "points",
    metadata,
    ref("run_id", "runs.id", primary_key=True),
    sa.Column("step", Big, primary_key=True, autoincrement=False),
    moment("at"),
    sa.Column("data", sa.JSON, nullable=False),  # figures by the name of their metric
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", Big, primary_key=True),
    moment("at"),
    text("who", 200),
    text("what", 100),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index(None, "at"),
)
