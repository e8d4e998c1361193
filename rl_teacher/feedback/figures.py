"""How good answers are, as numbers. Verdicts are any values that can be compared; no database in here."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Z_95 = 1.959964
"""Standard deviations of a normal variable that 95 % lie within."""
BREAK_SECONDS = 60.0
"""Who answers nothing for longer than this has made a break."""
PRIOR_WRONG, PRIOR_WEIGHT = 0.05, 20.0
"""Before there is evidence a person is held to err in 5 % (r̂ assumes 10 % random answers, half of them right), and this
counts as much as 20 known answers."""
EM_ROUNDS = 50
EM_ENOUGH = 1e-5


# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: o_ck is the sum over units of the number
# of (c, k) pairs divided by m_u - 1; n_c its row sums, n their sum; nominal
# alpha = 1 - D_o/D_e, D_o = 1/n Σ_{c≠k} o_ck, D_e = 1/(n(n-1)) Σ_{c≠k} n_c n_k.
def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Agreement of several people beyond chance: 1 perfect, 0 as by chance.

    Args:
        units: For each pair of clips what people said of it, one value a person.

    Returns:
        None where no pair has two answers, or all answers are the same.
    """
    seen: dict[tuple[Hashable, Hashable], float] = defaultdict(float)
    for values in units:
        counts = Counter(values)
        for c in counts:
            for k in counts:
                n_pairs = counts[c] * (counts[k] - (c == k))
                if n_pairs:
                    seen[c, k] += n_pairs / (len(values) - 1)
    return _alpha(seen)


def alpha_with_others(units: Iterable[tuple[Hashable, Sequence[Hashable]]]) -> float | None:
    """Agreement of one person with the others: the same formula over the pairs of values that the person is part of.

    Args:
        units: (the person's value, the others' values), others' together worth one value each time.
    """
    seen: dict[tuple[Hashable, Hashable], float] = defaultdict(float)
    for own, others in units:
        for other in others:
            seen[own, other] += 1 / len(others)
            seen[other, own] += 1 / len(others)
    return _alpha(seen)


def _alpha(seen: Mapping[tuple[Hashable, Hashable], float]) -> float | None:
    totals: dict[Hashable, float] = defaultdict(float)
    for (c, _), weight in seen.items():
        totals[c] += weight
    n = sum(totals.values())
    expected = n * n - sum(total * total for total in totals.values())
    if n <= 1 or expected <= 1e-9:
        return None
    observed = sum(weight for (c, k), weight in seen.items() if c != k)
    return 1.0 - (n - 1) * observed / expected


# Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22: the share p̂ = k/n has
# (p̂ + z²/2n ± z √(p̂(1-p̂)/n + z²/4n²)) / (1 + z²/n).
def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of which k in n were seen; all of [0, 1] for n = 0."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = k / n, Z_95**2
    middle = share + z2 / (2 * n)
    width = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, (middle - width) / (1 + z2 / n)), min(1.0, (middle + width) / (1 + z2 / n))


def per_minute(moments: Sequence[float]) -> float | None:
    """Answers per minute while somebody was answering: breaks are left out.

    Args:
        moments: When answers came, Unix seconds, rising.

    Returns:
        None for fewer than two answers without a break between them.
    """
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    busy = [gap for gap in gaps if gap <= BREAK_SECONDS]
    return 60.0 * len(busy) / sum(busy) if sum(busy) > 0 else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One person chose one side of one pair; a repeat is a second judgement of the same pair."""

    pair: str
    person: str
    left: bool


# Dawid & Skene (1979), "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
# Statistics 28, with one error rate e per person and two equally likely truths. E: P[left is better] of a pair
# ∝ Π (1-e if the person said left, else e). M: e = (expected wrong + prior wrong) / (judgements + prior weight).
def wrong_shares(judgements: Sequence[Judgement], known: Mapping[str, bool] | None = None) -> dict[str, float]:
    """Estimated share of wrong answers by person, in [0, ½], from repeats, gold pairs and other people's answers alike.

    Who answered alone, without a repeat and without a gold pair, keeps what is assumed of everybody.

    Args:
        judgements: All that bear a side; ties say nothing here.
        known: Whether the left is better, of gold pairs.
    """
    if not judgements:
        return {}
    import numpy as np  # here, so that the server starts without

    pairs = {pair: place for place, pair in enumerate(dict.fromkeys(one.pair for one in judgements))}
    people = {person: place for place, person in enumerate(dict.fromkeys(one.person for one in judgements))}
    pair = np.array([pairs[one.pair] for one in judgements])
    person = np.array([people[one.person] for one in judgements])
    sign = np.array([1.0 if one.left else -1.0 for one in judgements])
    settled = [(pairs[name], float(left)) for name, left in (known or {}).items() if name in pairs]
    n_of = np.bincount(person, minlength=len(people))
    wrong = np.full(len(people), PRIOR_WRONG)
    for _ in range(EM_ROUNDS):
        odds = np.bincount(pair, sign * np.log((1 - wrong) / wrong)[person], minlength=len(pairs))
        left = 1.0 / (1.0 + np.exp(-np.clip(odds, -500, 500)))
        for place, truth in settled:
            left[place] = truth
        missed = np.bincount(person, np.where(sign > 0, 1 - left[pair], left[pair]), minlength=len(people))
        before, wrong = wrong, (missed + PRIOR_WRONG * PRIOR_WEIGHT) / (n_of + PRIOR_WEIGHT)
        wrong = np.clip(wrong, 1e-4, 0.5)
        if np.abs(wrong - before).max() < EM_ENOUGH:
            break
    return {name: float(wrong[place]) for name, place in people.items()}


def random_share(wrong: float) -> float:
    """Share of answers given at random that makes for so many wrong ones: half of what is random is right by chance."""
    return min(1.0, 2.0 * wrong)
