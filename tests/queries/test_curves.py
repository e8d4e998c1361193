from __future__ import annotations

import math
import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.errors import UserError
from rl_teacher.queries.curves import GRID, curve_at, load_curve


@pytest.fixture
def mine(monkeypatch):
    """Gives the name of a module that holds the function."""

    def add(function: object) -> str:
        module = ModuleType("a_users_module")
        module.__dict__["curve"] = function
        monkeypatch.setitem(sys.modules, "a_users_module", module)
        return "a_users_module:curve"

    return add


def raises(done: float) -> float:
    return 1 / (done - 0.5)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda x: 1.0 - x, "falls from 1 at 0 to 0.999 at 0.001"),
        (lambda x: 0.9 if 0.3 < x < 0.5 else x, "falls from 0.9 at 0.499 to 0.5 at 0.5"),
        (lambda x: math.nan if x > 0.2 else x, "gives nan at 0.201; allowed is 0 to 1"),
        (lambda x: math.inf, "gives inf at 0;"),
        (lambda x: 2 * x, "gives 1.002 at 0.501;"),
        (lambda x: x - 0.1, "gives -0.1 at 0;"),
        (lambda x: 0.99 * x, "must reach 1 at 1, but gives 0.99"),
        (lambda x: str(x), "gives no number at 0 but '0.0'"),
        (lambda x: None, "gives no number at 0 but None"),
        (lambda x: x + 0j, "gives no number at 0 but"),
        (lambda x: np.array([x, x]), "gives no number at 0 but"),
        (lambda: 0.0, "raises at 0: TypeError"),
        (raises, "gives -2 at 0;"),
        (lambda x: x if x < 0.7 else sys.exit(3), "raises at 0.7: SystemExit: 3"),
        (lambda x: x if x != 0.5 else x / 0, "raises at 0.5: ZeroDivisionError"),
        (3, "is no function but 3"),
    ],
)
def test_a_function_that_cannot_be_used_is_told_in_one_line(mine, function, told):
    with pytest.raises(UserError) as caught:
        load_curve(mine(function))
    assert told in str(caught.value)
    assert "a_users_module:curve" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given", ["no_such_module_of_mine:f", "math:no_such_function", ":f", "math:", "a b:c", "..x:f"]
)
def test_what_cannot_be_imported_is_told_in_one_line(given):
    with pytest.raises(UserError, match="cannot be imported") as caught:
        load_curve(given)
    assert "\n" not in str(caught.value)


def test_a_module_that_fails_while_it_is_imported(tmp_path, monkeypatch):
    (tmp_path / "half_done_module.py").write_text("raise RuntimeError('not\\nready')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="RuntimeError: not ready"):
        load_curve("half_done_module:f")


def test_numbers_of_all_kinds_will_do(mine):
    for function in (lambda x: int(x >= 0.5), lambda x: np.float32(x), lambda x: np.where(x < 0.5, 0.0, 1.0), np.sqrt):
        values = load_curve(mine(function))
        assert len(values) == GRID
        assert values[-1] == 1.0


def test_it_is_called_beforehand_and_never_again(mine):
    calls = []
    values = load_curve(mine(lambda x: calls.append(x) or x))
    assert calls == pytest.approx(np.linspace(0, 1, GRID))
    curve_at(values, 0.123)
    assert len(calls) == GRID


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20).map(sorted), st.floats(0, 1), st.floats(0, 1))
def test_between_the_points_it_never_falls_nor_leaves_them(values, one, other):
    low, high = (curve_at(values, at) for at in sorted((one, other)))
    assert values[0] - 1e-12 <= low <= high + 1e-12 <= values[-1] + 2e-12
    for i, value in enumerate(values):
        assert curve_at(values, i / (len(values) - 1)) == pytest.approx(value, abs=1e-9)
