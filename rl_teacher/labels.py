"""What a teacher may say about a query, and the one place where it becomes a preference μ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Verdict(StrEnum):
    """What a teacher said of (left, right)."""

    LEFT = "LEFT"
    RIGHT = "RIGHT"
    TIE = "TIE"
    ABSTAIN = "ABSTAIN"
    """Can't tell: kept in the record, never trained on."""
    WITHDRAWN = "WITHDRAWN"
    """The labeller took the earlier verdict back (undo)."""


PREFERENCES = (Verdict.LEFT, Verdict.RIGHT, Verdict.TIE)
"""What bears a preference and uses up a label."""


class Strength(StrEnum):
    """How much better the chosen clip is."""

    SLIGHT = "SLIGHT"
    PLAIN = "PLAIN"
    MUCH = "MUCH"


CERTAINTY = {Strength.SLIGHT: 0.75, Strength.PLAIN: 1.0, Strength.MUCH: 1.0}
"""μ of the chosen side by strength. "Slightly better" is trained as a soft label."""


@dataclass(frozen=True, slots=True)
class Label:
    """One event: what one labeller said of one query at one moment.

    The newest per (query, labeller) counts. Left and right are those of the query, whichever side of the screen they
    were shown on.
    """

    seq: int
    """Place in the record; rises in the order in which answers were committed."""
    query_id: str
    labeller: str
    verdict: Verdict
    strength: Strength = Strength.PLAIN
    seconds: float = 0.0
    """From the moment the pair was shown to the answer."""
    key: str = ""
    """What the labeller pressed."""
    given_at: float = 0.0
    """Unix time of the answer's arrival, seconds."""
    overrules: bool = False
    """A researcher's correction: while it stands, it alone counts."""


def preference(labels: Iterable[Label], random_shares: Mapping[str, float] | None = None) -> np.ndarray | None:
    """The labels of one query as a distribution μ over (left, right).

    LEFT is (1, 0), RIGHT (0, 1), TIE (½, ½); SLIGHT softens. Several labellers are averaged. Christiano et al. 2017,
    section 2.2.2, defines μ; ABSTAIN and WITHDRAWN have none. Where a correction stands, it alone counts. Of a labeller
    who answers a share ε of questions at random, (1-ε)μ + ε/2 is left.

    Args:
        labels: The newest label of each labeller.
        random_shares: ε in [0, 1] by labeller; 0 for those who are not named.

    Returns:
        μ, shape (2,), float32, sums to one; None when nobody expressed a preference.
    """
    standing = [label for label in labels if label.verdict is not Verdict.WITHDRAWN]
    corrections = [label for label in standing if label.overrules]
    lefts = []
    for label in corrections or standing:
        left = _left(label)
        if left is not None:
            share = 0.0 if label.overrules else (random_shares or {}).get(label.labeller, 0.0)
            lefts.append((1.0 - share) * left + share / 2)
    if not lefts:
        return None
    import numpy as np  # here, so that the server starts without

    left = sum(lefts) / len(lefts)
    return np.array([left, 1.0 - left], dtype=np.float32)


def _left(label: Label) -> float | None:
    """How much one label prefers the left; None for no preference."""
    if label.verdict is Verdict.LEFT:
        return CERTAINTY[label.strength]
    if label.verdict is Verdict.RIGHT:
        return 1.0 - CERTAINTY[label.strength]
    return 0.5 if label.verdict is Verdict.TIE else None
