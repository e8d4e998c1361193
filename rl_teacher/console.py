"""What a run says on the terminal: a live table for people, plain lines for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from rich.console import Console as RichConsole
from rich.live import Live
from rich.table import Table

from rl_teacher.shell import unread

LOG_EVERY_SECONDS = 10.0


class _Patient(RichConsole):
    """Goes on where nobody reads any more (`| head -1`); rich's own would end the run."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        unread(sys.stdout)


class Console:
    """A `rich` live table where there is a terminal; elsewhere a line now and then, and whenever the news changes.

    Args:
        title: Name of the run.
        rich: The console to write to; by default standard output.
    """

    def __init__(self, title: str, rich: RichConsole | None = None):
        self._rich = rich or _Patient(highlight=False, soft_wrap=True)
        self._title = title
        self._figures: dict[str, str] = {}
        self._message = ""
        self._last_line, self._said = 0.0, ""
        self._live: Live | None = None

    def line(self, text: str) -> None:
        """A line that stays."""
        self._rich.print(text, markup=False)

    def open(self) -> None:
        """Start the live display, where there is a terminal."""
        if self._rich.is_terminal and self._live is None:
            self._live = Live(self._table(), console=self._rich, refresh_per_second=4)
            self._live.start()

    def close(self) -> None:
        """End the live display, leaving its last state. Closing twice is harmless."""
        if self._live is not None:
            self._live.update(self._table())
            self._live.stop()
            self._live = None

    def say(self, message: str) -> None:
        """What the run is doing now."""
        if message == self._message:
            return
        kind_changed = message.split(":")[0].split("(")[0] != self._message.split(":")[0].split("(")[0]
        self._message = message
        if self._live is not None:
            self._live.update(self._table())
        elif kind_changed:
            self.line(message)

    def show(self, figures: Mapping[str, str]) -> None:
        """The run's figures, in the order given."""
        self._figures = dict(figures)
        if self._live is not None:
            self._live.update(self._table())
        elif time.monotonic() - self._last_line >= LOG_EVERY_SECONDS:
            self._last_line = time.monotonic()
            news = " · ".join(f"{name} {value}" for name, value in self._figures.items())
            if news != self._said:  # a run that waits for people would fill a log with the same line
                self._said = news
                self.line(news)

    def _table(self) -> Table:
        table = Table(title=self._title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, value in self._figures.items():
            table.add_row(f"[dim]{name}[/dim]", value)
        table.add_row("[dim]now[/dim]", self._message)
        return table
