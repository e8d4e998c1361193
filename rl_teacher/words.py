"""Reading a command line. It imports next to nothing, so that a command that needs no simulator starts at once."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from rl_teacher.errors import UserError


class Parser(argparse.ArgumentParser):
    """Tells mistakes in one line, as UserError."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # argparse's own takes -1e3 for an option

    def read(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """The options in a command line.

        Raises:
            UserError: If it cannot be understood.
        """
        words = sys.argv[1:] if argv is None else argv
        for word in words:
            if not _is_text(word):
                shown = os.fsencode(word).decode(errors="replace")
                raise UserError(f"'{shown}' given, which is no text in UTF-8; allowed is UTF-8. Write it anew.")
        return self.parse_args(words)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UserError(f"{message[0].upper()}{message[1:]}. See --help.")


def _is_text(word: str) -> bool:
    """Whether a word of the command line was UTF-8: what was not is kept by Python as half characters."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)
