"""What a command owes the shell it is started from: a quiet end by Ctrl-C, and streams that nobody reads.

It imports next to nothing, so that it can be first.
"""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper
from typing import TextIO


class _Program:
    is_ours = False
    """Whether this process is the command itself, not somebody's program that calls it: their Ctrl-C is theirs."""


def begin() -> None:
    """The first thing a command does, before it imports what takes a second.

    Until `hear_interrupts` there is nothing to save, so Ctrl-C ends it at once and without a word; where the shell has
    it ignored, by `nohup` for example, it stays so. In the place of a standard stream that was closed (`>&-`) comes
    /dev/null: else the next file opened would take its number, and what is written to it. Letters that a stream does
    not know come out as question marks.
    """
    _Program.is_ours = True
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - open until the program ends
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def hear_interrupts() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt, so that what is open gets closed."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def last_interrupt() -> None:
    """Ctrl-C pressed once more, while libraries clear up, ends the command without another word."""
    if _Program.is_ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def tell(stream: TextIO, text: str) -> None:
    """Write a text at once. It is no fault if nobody reads it any more (`| head -1`)."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        unread(stream)


def unread(stream: TextIO) -> None:
    """Nobody reads this stream any more: what is written to it from now on goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
