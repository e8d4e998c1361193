"""The API's bodies that are about many people: settings, corrections, figures, invitations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rl_teacher.labels import Strength, Verdict
from rl_teacher.quantities import HIGHEST_RATE, MOST_PER_PAIR
from rl_teacher.server.shapes import Id

Rate = Annotated[float, Field(ge=0.0, le=HIGHEST_RATE, allow_inf_nan=False)]
LONGEST_INSTRUCTIONS = 20_000
MOST_WANTED = 100_000


class SettingsBody(BaseModel):
    """What to change of an experiment; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "finished"] | None = None
    instructions: str | None = Field(default=None, max_length=LONGEST_INSTRUCTIONS)
    wanted: int | None = Field(default=None, ge=1, le=MOST_WANTED)
    """Answers after which no more are asked for; null: without end."""
    answers_per_pair: int | None = Field(default=None, ge=1, le=MOST_PER_PAIR)
    repeat_rate: Rate | None = None
    gold_rate: Rate | None = None
    trust: bool | None = None


class CorrectionBody(BaseModel):
    """What is right of a pair, whatever others said; WITHDRAWN takes the correction back."""

    id: Id
    query_id: Id
    verdict: Verdict
    strength: Strength = Strength.PLAIN


class GoldBody(BaseModel):
    """The answer expected of a pair; null makes it an ordinary one again."""

    verdict: Literal["LEFT", "RIGHT", "TIE"] | None


class GoldSaved(BaseModel):
    """What is expected of the pair now."""

    query_id: str
    verdict: Verdict | None


class PersonOut(BaseModel):
    """Figures of one person (docs/people.md); null where there is too little to say."""

    model_config = ConfigDict(from_attributes=True)

    labeller_id: str
    name: str
    kind: str
    n_answers: int
    last_at: float
    per_minute: float | None
    median_seconds: float | None
    n_repeats: int
    consistency: float | None
    n_golds: int
    gold_accuracy: float | None
    n_shared: int
    alpha: float | None
    n_sided: int
    screen_left: float | None
    screen_left_interval: tuple[float, float]
    wrong_share: float


class PeopleOut(BaseModel):
    """Everybody who has answered, most answers first."""

    model_config = ConfigDict(from_attributes=True)

    people: list[PersonOut]
    alpha: float | None


class InviteBody(BaseModel):
    """Who is to be let in where, and for how long."""

    experiment_id: Id | None = None
    """Null: all experiments that you may see."""
    days: int = Field(default=30, ge=1, le=365)


class InviteOut(BaseModel):
    """An invitation that lets people in now."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    experiment_id: str | None
    created_at: float
    expires_at: float | None
    n_people: int


class InviteMade(BaseModel):
    """The link, which is shown only once, and a picture of it for phones."""

    invite: InviteOut
    url: str
    qr_svg: str
    local: bool
    """Only this computer can open it: the page is not served to the network."""


class InviteList(BaseModel):
    """Invitations that let people in, the newest first."""

    invites: list[InviteOut]


class Ended(BaseModel):
    """It lets nobody in any more."""

    ended: Literal[True] = True
