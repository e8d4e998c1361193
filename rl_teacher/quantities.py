"""Numbers as people write them on a command line."""

from __future__ import annotations

import math

from rl_teacher.errors import UserError

LARGEST = 2**53
"""No count is larger: every number up to here is exact wherever it is written down."""
MOST_LABELS = 100_000
"""More answers than anybody gives; all of them are kept in memory."""
MOST_PER_PAIR = 100
"""More people than ever answer the same pair."""
HIGHEST_RATE = 0.5
"""Of repeats, and of gold pairs: each costs an answer that could have taught something."""


def count(option: str, given: str, example: str, least: int = 1, most: int = LARGEST) -> int:
    """A whole number from the command line; "5e6" is one.

    Args:
        option: Its names, "-l/--n_labels" for example.
        given: As the user wrote it.
        example: A number that would do.
        least: The smallest allowed.
        most: The largest allowed.

    Raises:
        UserError: If it is none, or out of bounds.
    """
    value = number(given)
    if least <= value <= most and value == int(value):
        return int(value)
    upper = "up" if most == LARGEST and not value > LARGEST else f"to {most}"  # the largest is told who needs it
    raise UserError(
        f"{option} {given} given; allowed is a whole number from {least} {upper}. "
        f"Give for example {option.split('/')[0]} {example}."
    )


def share(option: str, given: str) -> float:
    """A share above 0, to 1, from the command line.

    Raises:
        UserError: If it is none.
    """
    value = number(given)
    if not 0.0 < value <= 1.0:
        raise UserError(f"{option} {given} given; allowed is a share above 0 to 1. Give for example {option} 0.5.")
    return value


def number(given: str) -> float:
    """A number from the command line; NaN if it is none."""
    try:
        return int(given) if given.isdecimal() else float(given)
    except ValueError:
        return math.nan


def in_range(name: str, given: float, *, least: float, most: float = math.inf, open_below: bool = False) -> None:
    """Check one setting.

    Args:
        name: As `--set` names it.
        given: Its value.
        least: The smallest allowed …
        most: … and the largest.
        open_below: Whether it must be larger than `least`.

    Raises:
        UserError: If it is out of bounds or no number.
    """
    if (least < given if open_below else least <= given) and given <= most and math.isfinite(given):
        return
    above = f"above {least}" if open_below else f"from {least}"
    upto = "" if most == math.inf else f" to {most}"
    raise UserError(f"{name} {given} given; allowed is a number {above}{upto}. Choose another with --set {name}=….")
