"""How fast agent and teacher may go, so that neither outruns the other nor waits for ever."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The rhythm of a run, in environment steps and questions."""

    total_steps: int | None
    """The run ends here; None: when somebody stops it."""
    round_steps: int
    """Environment steps of one `agent.train`."""
    stage_steps: int
    """Steps played on the stage after a round, near 5 % of it."""
    clip_steps: int
    """k: every question gets so many fresh steps to be made of."""
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

    def to_ask(self, desired: int, n_decided: int, n_open: int) -> int:
        """How many questions to put now, given the answers that should exist by now, those that do, and those open."""
        missing = desired - n_decided
        if self.max_open is not None:
            missing = min(max(missing, self.min_open), self.max_open)
        if self.n_labels is not None:
            missing = min(missing, self.n_labels - n_decided)
        return max(0, missing - n_open)

    def may_go_on(self, desired: int, n_decided: int, n_open: int, news: bool, steps: int) -> bool:
        """Whether the agent may learn for another round.

        It may while the schedule wants no more answers than there are (plus slack); whenever nothing is open, for then
        no answer could end the wait; and after every answer (`news`), so that each is used at once, as long as the
        steps left give each answer to come a round of its own too.
        """
        if self.max_open is None or n_open == 0 or desired <= n_decided + self.slack:
            return True
        if not news or self.n_labels is None or self.total_steps is None:
            return news
        return self.total_steps - steps >= (self.n_labels - n_decided) * (self.round_steps + self.stage_steps)
