"""How fast agent and teacher may go, so that neither outruns the other nor waits for ever, and how much is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rl_teacher.config import RunConfig
from rl_teacher.learners import DQNConfig, ReplayConfig

ROUND_STEPS = 32_768
"""Steps between two fits: eight rollouts of our PPO, some 1.5 s on HalfCheetah; …"""
ROUNDS = 32
"""… fewer in short runs, so that there are about so many fits."""
HUMAN_ROUND_SECONDS = 1.0
"""With a person a round is one rollout, and shorter where it would take longer than this: an answer is used soon."""
BITE_BOUTS = 4
"""Bouts of learning from a replay before it is looked up: 256 steps, a second or two, five with large networks."""
STALE_STEPS = 160_000
"""Open questions about older behaviour are taken back: 20 answers' worth."""
STAGE_SHARE = 0.05
"""Steps on the stage for each step of the run."""
SHORTEST_PLAY = 4
"""Segments' lengths in the shortest play: less would hold too few different segments."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The rhythm of a run, in environment steps and questions."""

    total_steps: int | None
    """The run ends here; None: when somebody stops it."""
    round_steps: int
    """Environment steps of one `agent.train`."""
    clip_steps: int
    """k, the steps of a segment."""
    n_pretrain: int = 0
    """Answers about random behaviour before the agent learns."""
    n_labels: int | None = None
    """Answers in all; None: without end."""
    min_open: int = 0
    """Questions that always wait for a person, so that the person never waits for the agent."""
    max_open: int | None = None
    """No more than these are open, so that questions stay fresh; None: the teacher answers at once."""
    slack: int = 0
    """How many answers the agent may be ahead of its teacher."""
    stale_after: int = 1_000_000
    """Steps after which an open question is taken back."""
    round_seconds: float | None = None
    """A round is to take no longer: where the environment is slow, rounds are shorter. None: as long as they like."""
    bite_steps: int | None = None
    """Steps after which the agent can be held up without any change in what it learns; None: only after a round."""

    def steps_now(self, steps_per_second: float | None) -> int:
        """Environment steps of the next round, at the speed of the last one; None before there was one."""
        if self.round_seconds is None or steps_per_second is None:
            return self.round_steps
        return max(1, min(self.round_steps, int(self.round_seconds * steps_per_second)))

    def bites(self, n_steps: int) -> list[int]:
        """A round in parts that an agent learns from just as from the whole: the last takes what is left over.

        So it is no shorter than the others, for rollouts would be shorter with it.
        """
        if self.bite_steps is None or n_steps < 2 * self.bite_steps:
            return [n_steps]
        n_before = n_steps // self.bite_steps - 1
        return [self.bite_steps] * n_before + [n_steps - n_before * self.bite_steps]

    def to_ask(self, desired: int, n_decided: int, n_open: int) -> int:
        """How many questions to put now, given the answers that should exist by now, those that do, and those open."""
        missing = desired - n_decided
        if self.max_open is not None:
            missing = min(max(missing, self.min_open), self.max_open)
        if self.n_labels is not None:
            missing = min(missing, self.n_labels - n_decided)
        return max(0, missing - n_open)

    def may_go_on(self, desired: int, n_decided: int, n_open: int, n_unused: int, steps: int) -> bool:
        """Whether the agent may learn for another round.

        It may while the schedule wants no more answers than there are (plus slack, but the last round waits for all);
        whenever nothing is open, for then no answer could end the wait; and after every answer, so that each is used at
        once. Where the steps left are too few for that, as many answers share a round as there must, those not used yet
        (`n_unused`) among them.
        """
        wanted = desired - self.slack
        if self.n_labels is not None and self._rounds_left(steps) <= 1:
            wanted = self.n_labels
        if self.max_open is None or n_open == 0 or wanted <= n_decided:
            return True
        if self.n_labels is None:
            return n_unused > 0
        return n_unused >= self._answers_per_round(self.n_labels - n_decided + n_unused, steps)

    def _answers_per_round(self, n_answers: int, steps: int) -> int:
        """How many answers must share a round, so that the steps left are enough for all of them; at least 1."""
        return max(1, math.ceil(n_answers / max(1.0, self._rounds_left(steps))))

    def _rounds_left(self, steps: int) -> float:
        """Rounds that the steps left are enough for, each with its share of the stage."""
        if self.total_steps is None:
            return math.inf
        return math.ceil((self.total_steps - steps) / (self.round_steps * (1 + STAGE_SHARE)))

    def warning(self) -> str | None:
        """One line for a person whose answers are too many for the steps of the run to be used one by one."""
        if self.max_open is None or self.n_labels is None or self.total_steps is None:
            return None
        later = self.n_labels - self.n_pretrain
        together = self._answers_per_round(later, 0)
        if together == 1:
            return None
        enough = later * self.round_steps * (1 + STAGE_SHARE)
        return (
            f"{self.total_steps:,} steps are few for {later:,} answers: it will learn from {together} at a time. "
            f"With -t {enough:.1e} it would learn from each at once."
        )


class StageAccount:
    """How much is played on the stage: near a share of all steps, and enough that every question is about fresh steps.

    Questions come in bursts, most of them early. Half of the share is for them, and may be played in advance; until the
    share is reached again, the other half goes on, so that questions always have much to choose from. Where answers are
    many for the steps of the run, questions share fresh steps.
    """

    def __init__(self, pace: Pace):
        self._shortest = SHORTEST_PLAY * pace.clip_steps
        self._usual = max(STAGE_SHARE * pace.round_steps, self._shortest)
        self.per_question = float(pace.clip_steps)
        """Fresh steps that a question is worth."""
        if pace.total_steps is not None and pace.n_labels is not None:
            self.per_question = min(self.per_question, STAGE_SHARE / 2 * pace.total_steps / pace.n_labels)
        self.open(0)

    def open(self, steps: int) -> None:
        """Begin to count at this step of the run."""
        self._began = self._last = steps
        self._played, self._owed = 0, 0.0

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {"began": self._began, "last": self._last, "played": self._played, "owed": self._owed}

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on from what `state` gave."""
        self._began, self._last, self._played = (int(state[name]) for name in ("began", "last", "played"))
        self._owed = state["owed"]

    def promise(self, n: int) -> None:
        """So many questions will be asked."""
        self._owed += n * self.per_question

    def due(self, steps: int, exhausted: bool) -> int:
        """Steps to play now.

        Args:
            steps: Of the run so far.
            exhausted: No question can be made of what was played before, so something must be played.

        Returns:
            0 where what is owed to questions and left of the share is too little for a play.
        """
        unplayed = STAGE_SHARE * (steps - self._began) - self._played
        other_half = STAGE_SHARE / 2 * (steps - self._last)
        wanted = max(min(max(unplayed, other_half), self._usual), self._owed)
        return round(max(wanted, self._shortest)) if exhausted or wanted >= self._shortest else 0

    def played(self, n_steps: int, steps: int) -> None:
        """So many were played, up to this step of the run; whatever was owed is paid."""
        self._played += n_steps
        self._owed, self._last = 0.0, steps


def pace_for(config: RunConfig, clip_steps: int) -> Pace:
    """The rhythm of a run: long rounds without a person, short ones with."""
    if config.predictor == "rl":
        return Pace(config.num_timesteps, ROUND_STEPS, clip_steps, bite_steps=_bite(config))
    human = config.predictor == "human"
    return Pace(
        total_steps=None if config.endless else config.num_timesteps,
        round_steps=_human_round(config) if human else min(ROUND_STEPS, max(1, config.num_timesteps // ROUNDS)),
        clip_steps=clip_steps,
        n_pretrain=config.pretrain_labels,
        n_labels=config.n_labels,
        min_open=8 if human else 0,
        max_open=20 if human or "sort" in config.queries else None,  # each question of a sort builds on the last ones
        slack=4 if human else 0,
        stale_after=STALE_STEPS,
        round_seconds=HUMAN_ROUND_SECONDS if human else None,
        bite_steps=_bite(config),
    )


def _bite(config: RunConfig) -> int:
    """A whole rollout, or a few bouts of learning from a replay, which take a second or two where they are slow."""
    rollout, shortest = config.rounds()
    return BITE_BOUTS * shortest if isinstance(config.learner, ReplayConfig | DQNConfig) else rollout


def _human_round(config: RunConfig) -> int:
    """Steps of a round with a person: one rollout, so short that each answer can have a policy update of its own."""
    rollout, shortest = config.rounds()
    if config.n_labels is None:
        return rollout
    later = max(1, config.n_labels - config.pretrain_labels)
    affordable = int(0.9 * config.num_timesteps / later)  # a tenth is for the stage and for whole rollouts
    return max(shortest, min(rollout, affordable))
