"""A schedule written by a user: a function from [0, 1] to [0, 1], checked before the run begins."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from rl_teacher.errors import UserError
from rl_teacher.importing import import_own

GRID = 1_001
"""Points at which a function is called, all before the run begins; afterwards only these values count."""
ROUNDING = 1e-9
"""A fall or an overshoot so small is held to be rounding."""
ASKED_FOR = (
    "It must map the share of the steps done to the share of the answers wanted: from [0, 1] to [0, 1], never fall"
)


def load_curve(given: str) -> tuple[float, ...]:
    """The values of a user's function at GRID points from 0 to 1: rising, within [0, 1], the last exactly 1.

    Args:
        given: `package.module:function`; the module must be importable (on PYTHONPATH).

    Raises:
        UserError: If it cannot be imported or called, or breaks the rules; one line naming where and what.
    """
    function = _import(given)
    points = [i / (GRID - 1) for i in range(GRID)]
    values = [_call(function, given, point) for point in points]
    for (x, low), (y, high) in pairwise(zip(points, values, strict=True)):
        if high < low - ROUNDING:
            raise _bad(given, f"falls from {low:.6g} at {x:g} to {high:.6g} at {y:g}")
    if values[-1] < 1.0 - ROUNDING:
        raise _bad(given, f"must reach 1 at 1, but gives {values[-1]:.6g} there")
    rising = np.clip(np.maximum.accumulate(values), 0.0, 1.0)
    return (*rising[:-1].tolist(), 1.0)


def curve_at(values: Sequence[float], done: float) -> float:
    """The value at `done` in [0, 1], on the straight line between its neighbours on the grid; never falls."""
    place = done * (len(values) - 1)
    i = min(int(place), len(values) - 2)
    return values[i] + (values[i + 1] - values[i]) * (place - i)


def _import(given: str) -> Callable[[float], object]:
    module, _, name = given.partition(":")
    try:
        found = import_own(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # whatever a user's module does while it is imported
        raise UserError(
            f"Label schedule '{given}' cannot be imported: {_told(error)}. "
            "Give package.module:function, with the package on PYTHONPATH."
        ) from error
    if not callable(found):
        raise UserError(f"Label schedule '{given}' is no function but {found!r:.80}. {ASKED_FOR}.")
    return found


def _call(function: Callable[[float], object], given: str, point: float) -> float:
    try:
        value = function(point)
    except (Exception, SystemExit) as error:
        raise _bad(given, f"raises at {point:g}: {_told(error)}") from error
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()  # what np.where gives
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise _bad(given, f"gives no number at {point:g} but {value!r:.80}")
    number = float(value)
    if not -ROUNDING <= number <= 1.0 + ROUNDING:  # NaN is refused here too
        raise _bad(given, f"gives {number:g} at {point:g}; allowed is 0 to 1")
    return number


def _bad(given: str, what: str) -> UserError:
    return UserError(f"Label schedule '{given}' {what}. {ASKED_FOR}, and reach 1 at 1; mend it.")


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
