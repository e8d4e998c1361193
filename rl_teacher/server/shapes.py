"""The API's bodies: what requests hold and what answers look like. `/api/v1/openapi.json` is made of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rl_teacher.labels import Strength, Verdict

BLOBS = "/api/v1/blobs/"

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class OpenSession(BaseModel):
    """Swap a token for a cookie."""

    token: str = Field(min_length=1, max_length=256)
    name: Name | None = None
    """Of the person, where the token is an invitation's."""


class ClaimBody(BaseModel):
    """Ask for questions."""

    n: int = Field(default=1, ge=1, le=20)


class LabelBody(BaseModel):
    """An answer. Left and right are the query's own, however the page showed them."""

    id: Id
    query_id: Id
    lease: Id | None = None
    verdict: Verdict
    strength: Strength = Strength.PLAIN
    seconds: float = Field(default=0.0, ge=0.0, le=1e7, allow_inf_nan=False)
    key: str = Field(default="", max_length=32)
    swapped: bool = False
    renderer: str = Field(default="", max_length=200)


class LeasesBody(BaseModel):
    """Leases to go on holding."""

    leases: list[Id] = Field(max_length=100)


class JobBody(BaseModel):
    """Something the trainer is to do."""

    kind: Literal["finish", "pause", "resume"]
    args: dict[str, Any] = Field(default_factory=dict, max_length=50)


class Labeller(BaseModel):
    """Who answers."""

    id: str
    name: str


class Session(BaseModel):
    """Who you are."""

    role: str
    labeller: Labeller | None
    experiment_id: str | None


class Source(BaseModel):
    """A film of a clip."""

    media_type: str
    url: str


class ClipRef(BaseModel):
    """A clip and where to get it."""

    clip_id: str
    kind: Literal["poses", "video"]
    n_frames: int
    fps: float
    dt: float
    media_type: str
    url: str
    scene_url: str | None
    sources: list[Source]
    """Films of it, to be tried in this order; none of poses unless somebody has asked for one."""


class RenderOut(BaseModel):
    """Whether there is a film of a clip. `message` is one line for people, empty when all is well."""

    state: Literal["ready", "making", "waiting", "failed"]
    message: str
    clip: ClipRef


class CountsOut(BaseModel):
    """How far an experiment is."""

    model_config = ConfigDict(from_attributes=True)

    asked: int
    open: int
    answered: int
    decided: int
    left: int
    right: int
    tie: int
    abstain: int
    withdrawn: int


class RunOut(BaseModel):
    """A run as it last reported."""

    id: str
    name: str
    predictor: str
    """human, synth or rl: only the first has questions for people."""
    status: str
    message: str
    progress: dict[str, Any]
    heartbeat_at: float
    alive: bool


class ChecksOut(BaseModel):
    """How people are tested, and whether it matters what comes of it."""

    repeat_rate: float
    gold_rate: float
    trust: bool


class ExperimentOut(BaseModel):
    """An experiment, how far it is, and what its trainer does."""

    id: str
    name: str
    env_id: str
    status: str
    wanted: int | None
    instructions: str
    counts: CountsOut
    run: RunOut | None
    answers_per_minute: float
    answers_per_pair: int
    checks: ChecksOut | None
    """How people are tested; labellers are not to know."""


class ExperimentList(BaseModel):
    """All experiments the token opens, the newest first."""

    experiments: list[ExperimentOut]


class ClaimOut(BaseModel):
    """A question lent to you. `swapped`: show right on the left-hand side."""

    query_id: str
    lease: str
    lease_expires_at: float
    swapped: bool
    left: ClipRef
    right: ClipRef


class ClaimList(BaseModel):
    """Questions lent to you; none when nothing is open."""

    queries: list[ClaimOut]


class LabelSaved(BaseModel):
    """Your answer is on disk."""

    seq: int
    repeated: bool
    late: bool
    counts: CountsOut


class LabelOut(BaseModel):
    """An answer given earlier."""

    seq: int
    query_id: str
    verdict: Verdict
    strength: Strength
    seconds: float
    key: str
    given_at: float
    late: bool
    labeller: Labeller
    superseded: bool
    why: str
    step: int
    run: str
    kind: Literal["question", "repeat", "gold"]
    """What it was; labellers are told of questions only."""
    overrules: bool
    """A researcher's correction."""
    gold: Verdict | None
    """The answer expected of this pair; labellers are not told."""
    left: ClipRef
    right: ClipRef


class LabelList(BaseModel):
    """Answers, newest first."""

    labels: list[LabelOut]


class LeaseOut(BaseModel):
    """A lease you still hold."""

    lease: str
    lease_expires_at: float


class LeaseList(BaseModel):
    """Those of the leases you named that you still hold."""

    leases: list[LeaseOut]


class Released(BaseModel):
    """Whether you still held it."""

    released: bool


class JobMade(BaseModel):
    """Look at `/jobs/{job_id}` for what comes of it."""

    job_id: str


class ResultOut(BaseModel):
    """What came of a job."""

    ok: bool
    data: dict[str, Any]


class JobOut(BaseModel):
    """A job: queued, taken, done or failed."""

    job_id: str
    kind: str
    state: str
    created_at: float
    done_at: float | None
    result: ResultOut | None


class ReplayOut(BaseModel):
    """How the agent played."""

    step: int
    true_return: float | None
    created_at: float
    clip: ClipRef


class RunPage(BaseModel):
    """A run, its experiment, and how its agent plays, newest first."""

    run: RunOut
    experiment: ExperimentOut
    replays: list[ReplayOut]


class Health(BaseModel):
    """The server is up."""

    ok: Literal[True] = True
    version: str
