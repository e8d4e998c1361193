"""How synthetic teachers judge: without fault (the oracle), or with the faults of people (after B-Pref)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_teacher.errors import NotFiniteError, UserError, unknown
from rl_teacher.labels import Verdict
from rl_teacher.trajectory import Query, Segment

Judge = Callable[[Query], Verdict]
"""Says which clip is better, from `env_rew` alone."""

ORACLE = "oracle"
WINDOW = 100
"""Segments lately judged whose sums make the scale: fifty answers."""


@dataclass(frozen=True, slots=True)
class _Trait:
    field: str
    """Of TeacherConfig."""
    usual: float
    """B-Pref's value, where none is given."""
    most: float = 1.0


TRAITS = {
    "rational": _Trait("rationality", 1.0, math.inf),
    "myopic": _Trait("myopia", 0.9),
    "mistake": _Trait("mistake", 0.1),
    "skip": _Trait("skip", 0.1),
    "equal": _Trait("equal", 0.1),
}
"""What `--teacher` may name, besides the oracle."""


@dataclass(frozen=True, slots=True)
class TeacherConfig:
    """The faults of a synthetic teacher, after B-Pref (Lee et al. 2021, section 3); by default it has none.

    `str` gives the text that `parse_teacher` understands.

    Raises:
        UserError: For a value out of range, NaN among them.
    """

    rationality: float | None = None
    """β, 0 or more: how sure it prefers the better; 0 tosses a coin. None, or infinity: always the better."""
    myopia: float = 1.0
    """γ in [0, 1]: a step that lies n steps before the last one weighs γⁿ; 1 for all alike, 0 for the last one only."""
    mistake: float = 0.0
    """ε in [0, 1]: share of its choices that are turned round."""
    skip: float = 0.0
    """ε in [0, 1]: how far above the worst one of two clips must come to be worth judging, as a share of the usual."""
    equal: float = 0.0
    """ε in [0, 1]: how much two clips must differ to be told apart, as a share of the usual size."""

    def __post_init__(self) -> None:
        if self.rationality == math.inf:
            object.__setattr__(self, "rationality", None)
        for name, trait in TRAITS.items():
            value = getattr(self, trait.field)
            if value is not None and not 0 <= value <= trait.most:
                raise _refused(name, _number(value))

    def __str__(self) -> str:
        faults = [
            f"{name}:{_number(getattr(self, trait.field))}"
            for name, trait in TRAITS.items()
            if getattr(self, trait.field) != getattr(FAULTLESS, trait.field)
        ]
        return "+".join(faults) or ORACLE


FAULTLESS = TeacherConfig()


def parse_teacher(text: str) -> TeacherConfig:
    """The teacher that `--teacher` names: "oracle", "mistake", "rational:1+myopic:0.9", for example.

    Args:
        text: Names of faults joined by "+", each with its value after a colon; B-Pref's where it is left out.

    Raises:
        UserError: For a name that is unknown or given twice, faults given to the oracle, a value that is none.
    """
    words = re.split(r"\+(?![\d.])", text)  # a plus before a digit belongs to a number: 1e+3
    if len(words) == 1 and words[0].strip() == ORACLE:
        return FAULTLESS
    values: dict[str, float] = {}
    for word in words:
        name, colon, given = (part.strip() for part in word.partition(":"))
        if name == ORACLE:
            raise UserError(
                f"Teacher '{text}' given; allowed is '{ORACLE}' by itself, for it has no faults. "
                "Give either it or the faults."
            )
        if name not in TRAITS:
            raise unknown("teacher", name, (ORACLE, *TRAITS))
        trait = TRAITS[name]
        if trait.field in values:
            raise UserError(f"Teacher '{text}' given; allowed is '{name}' once only. Leave one out.")
        values[trait.field] = _value(name, given) if colon else trait.usual
    return TeacherConfig(**values)


def _value(name: str, given: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise _refused(name, given) from None


def _refused(name: str, given: object) -> UserError:
    trait = TRAITS[name]
    allowed = "a number of 0 or more" if trait.most == math.inf else f"a number from 0 to {_number(trait.most)}"
    return UserError(
        f"Teacher '{name}:{given}' given; allowed is {allowed}. Give for example {name}:{_number(trait.usual)}."
    )


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def oracle(query: Query) -> Verdict:
    """Never wrong: compares the sums of true reward, says TIE only where they are equal.

    Raises:
        NotFiniteError: If a true reward is NaN, which has no order.
    """
    left, right = float(query.left.env_rew.sum()), float(query.right.env_rew.sum())
    if np.isnan(left) or np.isnan(right):
        raise _no_order()
    return _better(left, right)


def make_judge(config: TeacherConfig, seed: int) -> Judge:
    """The oracle, or somebody with faults.

    Args:
        config: Which faults.
        seed: Of all chances; the oracle takes none.
    """
    return oracle if config == FAULTLESS else FallibleJudge(config, seed)


@dataclass(frozen=True, slots=True)
class Scale:
    """What sums of true reward are like lately: the unit in which β, skip and equal are meant.

    With it they mean the same on every task, and go on doing so while the agent improves.
    """

    worst: float
    """The lowest sum, or 0 if all are above it: what "nothing" is worth."""
    mean: float
    size: float
    """Mean of |sum|."""
    spread: float
    """Standard deviation of the sums as the judge sees them."""

    @classmethod
    def of(cls, sums: np.ndarray, seen: np.ndarray) -> Scale:
        """The scale of segments.

        Args:
            sums: (n,) of true reward.
            seen: (n,) of the same with myopic weights.
        """
        worst = min(0.0, float(sums.min()))
        return cls(worst, float(sums.mean()), float(np.abs(sums).mean()), float(seen.std()))


class FallibleJudge:
    """Judges as B-Pref's scripted teachers do (Lee et al. 2021, section 3 and algorithm 2), on a running scale.

    Of two clips with sums of true reward R¹ and R²:

    1. ABSTAIN where max(R¹, R²) < w + skip · (m − w): both are too poor to judge. m is the mean of the sums lately
       judged and w the worst of them, or 0 if that is lower.
    2. TIE where |R¹ − R²| < equal · a, with a the mean of |R| lately.
    3. Else left with P = σ(β (S¹ − S²) / s), S the sums with weights γ^(k−1−t) and s their standard deviation lately;
       without β the one with the larger S, TIE where they are equal.
    4. With probability `mistake` that choice is turned round; ties are not.

    Where no sum is negative, w = 0 and a = m, and 1 and 2 are B-Pref's, whose thresholds are ε · m. Where m is negative
    those skip nothing and tie nothing. Here nothing changes if every reward is multiplied by the same positive number;
    nor does 1 if the same is added to every sum and all stay negative.

    Args:
        config: The faults.
        seed: Of its chances.
    """

    def __init__(self, config: TeacherConfig, seed: int):
        self.config = config
        self._rng = np.random.default_rng(seed)
        self._lately = np.empty((0, 2))
        """(n, 2) sums of the segments lately judged, plain and as it sees them; the newest last."""
        self._scale = Scale(0.0, 0.0, 0.0, 0.0)

    def observe(self, queries: Sequence[Query]) -> None:
        """Look at all that is to be judged now, so that the scale knows it: before the first answer there is no other.

        The scale is that of the last 100 segments, or of all of `queries` where those are more.

        Raises:
            NotFiniteError: If a true reward is not finite. Then nothing was observed.
        """
        if not queries:
            return
        new = np.array([self._sums(side) for query in queries for side in (query.left, query.right)])
        if not np.isfinite(new).all():
            raise _no_order()
        self._remember(np.concatenate([self._lately, new])[-max(WINDOW, len(new)) :])

    def _remember(self, lately: np.ndarray) -> None:
        self._lately = lately
        if len(lately):
            self._scale = Scale.of(lately[:, 0], lately[:, 1])

    def __call__(self, query: Query) -> Verdict:
        """What it says of a pair, which counts as observed if nothing else was.

        Raises:
            NotFiniteError: If a true reward is not finite.
        """
        if not len(self._lately):
            self.observe([query])
        now, fault = self._scale, self.config
        (left, left_seen), (right, right_seen) = self._sums(query.left), self._sums(query.right)
        # both are too poor: max(R¹, R²) < w + ε (m − w)
        if max(left, right) < now.worst + fault.skip * (now.mean - now.worst):
            return Verdict.ABSTAIN
        # too much alike: |R¹ − R²| < ε a
        if abs(left - right) < fault.equal * now.size:
            return Verdict.TIE
        choice = self._choose(left_seen, right_seen)
        if choice is not Verdict.TIE and fault.mistake and self._rng.random() < fault.mistake:
            return Verdict.RIGHT if choice is Verdict.LEFT else Verdict.LEFT
        return choice

    def _choose(self, left: float, right: float) -> Verdict:
        beta, spread = self.config.rationality, self._scale.spread
        if beta is None or left == right or spread == 0:  # no spread though they differ: by less than can be squared
            return _better(left, right)
        # P[left] = σ(β (S¹ − S²) / s), with σ(x) = (1 + tanh(x / 2)) / 2, which never overflows
        chance = 0.5 * (1 + math.tanh(beta * (left - right) / spread / 2))
        return Verdict.LEFT if self._rng.random() < chance else Verdict.RIGHT

    def _sums(self, segment: Segment) -> tuple[float, float]:
        rew = segment.env_rew.astype(np.float64)
        # w_t = γ^(k−1−t): the last step weighs 1, also with γ = 0
        weight = self.config.myopia ** np.arange(len(rew) - 1.0, -1.0, -1.0)
        return float(rew.sum()), float((weight * rew).sum())

    def state(self) -> dict[str, Any]:
        """All that changes by judging, ready for JSON."""
        return {"lately": self._lately.tolist(), "rng": self._rng.bit_generator.state}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave: the answers to come are the same."""
        self._rng.bit_generator.state = state["rng"]
        self._remember(np.array(state["lately"], dtype=np.float64).reshape(-1, 2))


def _better(left: float, right: float) -> Verdict:
    if left == right:
        return Verdict.TIE
    return Verdict.LEFT if left > right else Verdict.RIGHT


def _no_order() -> NotFiniteError:
    return NotFiniteError(
        "The task's own reward is not a number on a segment, so a synthetic teacher cannot judge it. Mend the "
        "environment, or teach it with -p human."
    )
