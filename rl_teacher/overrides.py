"""Single settings changed from the command line: `--set reward.members=5`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from rl_teacher.errors import UserError, unknown

Config = TypeVar("Config")


def override(configs: Mapping[str, Any], given: Sequence[str]) -> dict[str, Any]:
    """The same configurations with some fields changed.

    Args:
        configs: Frozen dataclasses by the name that stands before the dot.
        given: Words such as "reward.members=5"; the last one counts where a field is named twice.

    Raises:
        UserError: For a word that is no assignment, an unknown field, or a value of another type or out of range.
    """
    changed = dict(configs)
    for word in given:
        path, equals, text = word.partition("=")
        part, _, name = path.strip().partition(".")
        if not equals or part not in changed:
            allowed = ", ".join(f"{known}.FIELD=VALUE" for known in configs)
            raise UserError(f"--set {word} given; allowed is {allowed}. Give for example --set reward.members=5.")
        names = [field.name for field in fields(changed[part])]
        if name not in names:
            raise unknown(f"setting of {part}", name, names)
        value = _value(word, text.strip(), getattr(changed[part], name))
        changed[part] = replace(changed[part], **{name: value})
    return changed


def _value(word: str, text: str, present: Any) -> Any:
    """The text as what the field holds at present: a truth value, a whole number, a number, a text or whole numbers."""
    truths = {"true": True, "false": False}
    try:
        if isinstance(present, bool):
            return truths[text.lower()]
        if isinstance(present, tuple):
            return tuple(int(number) for number in text.strip("()").split(",") if number.strip())
        if isinstance(present, int):
            return int(text)
        return float(text) if isinstance(present, float) else text
    except (ValueError, KeyError):
        kind = {bool: "true or false", tuple: "whole numbers with commas between", int: "a whole number"}
        wanted = next((name for type_, name in kind.items() if isinstance(present, type_)), "a number")
        raise UserError(f"--set {word} given; allowed is {wanted}. It is {present} now.") from None
