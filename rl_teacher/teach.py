"""The command: an agent learns from the true reward, from a synthetic teacher, or from a person.

    python rl_teacher/teach.py -p human --pretrain_labels 175 -e Reacher-v1 -n human-175

builds the parts, runs the loop, and leaves everything in `runs/<name>/`.
"""

from __future__ import annotations

import os
import sys

if __package__ in (None, ""):  # run as a script: Python has put this folder on the import path, not the one above it
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

from rl_teacher.shell import begin, hear_interrupts, tell

if __name__ == "__main__":
    begin()  # the imports below take a second

import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from rl_teacher.config import RunConfig
from rl_teacher.errors import NotFiniteError, UserError, outside_fault
from rl_teacher.options import Machine, parse
from rl_teacher.runs import PARTS, RunFolder, fault_log
from rl_teacher.session import Session


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, or 2 with one line on standard error for a mistake of the user's."""
    try:
        config, machine = parse(argv)
        return teach(config, machine)
    except UserError as error:
        return _refuse(str(error))
    except Exception as error:
        outside = outside_fault(error)
        if outside is None:
            raise
        return _refuse(outside)
    except KeyboardInterrupt:
        tell(sys.stderr, "rl-teacher: stopped at once; the same command goes on from the last checkpoint\n")
        return 130


def _refuse(message: str) -> int:
    tell(sys.stderr, f"rl-teacher: {' '.join(message.split())}\n")
    return 2


def teach(config: RunConfig, machine: Machine) -> int:
    """Teach an agent; everything about it lies in the run folder afterwards.

    Raises:
        UserError: For what cannot be used. What was learned and answered until then is kept.
    """
    with fault_log(machine.run_dir, config.name), ExitStack() as stack:
        folder = RunFolder(machine.run_dir, config.name, PARTS[config.predictor])
        stack.callback(folder.close)
        folder.compare(asdict(config))
        if folder.summary().get("finished"):
            tell(sys.stdout, f"Run '{config.name}' is finished. Watch it: {_watch(config.name, machine)}\n")
            return 0
        from rl_teacher.build import build  # torch and the simulator take seconds to import: mistakes come out first

        hear_interrupts()
        session = build(config, machine, folder, stack)
        session.console.open()
        stack.callback(session.console.close)
        with _interruptible(session), _told(session):
            session.loop.run()
            summary = session.finish(session.loop.steps, finished=not session.stop_asked)
        session.console.close()
        _say_goodbye(session, summary, machine)
    return 0


@contextmanager
def _interruptible(session: Session) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run in good order; a second Ctrl-C ends it at once."""

    def ask_to_stop(signum: int, frame: object) -> None:
        if session.stop_asked and signum == signal.SIGINT:
            raise KeyboardInterrupt
        session.stop_asked = True
        session.console.say("stopping: finishing the round, then saving (Ctrl-C again: at once)")

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _told(session: Session) -> Iterator[None]:
    """If the run fails, keep what is good and tell the page, whatever the reason."""
    try:
        yield
    except BaseException as error:
        try:
            session.save(session.loop.steps)
        except NotFiniteError as poisoned:  # then the checkpoint before is the good one
            if str(poisoned) != str(error):  # else it is told below
                session.console.line(str(poisoned))
            if not session.folder.summary():  # it failed before the first checkpoint
                session.folder.write_summary(session.summary(session.loop.steps, finished=False))
        except OSError as full:
            session.console.line(f"Not saved: {full}. The checkpoint before stays the newest.")
        with suppress(Exception):  # the page cannot be told where the database is the fault; `error` is told below
            session.fail(f"stopped by a mistake: {error}" if isinstance(error, UserError) else f"failed: {error!r}")
        raise


def _watch(name: str, machine: Machine) -> str:
    """The command that shows a run, as it can be typed here."""
    beside_python = Path(sys.executable).parent / "rl-teacher"
    program = "rl-teacher" if shutil.which("rl-teacher") else os.path.relpath(beside_python)
    elsewhere = "" if machine.run_dir == Path("runs") else f" --run_dir {machine.run_dir}"
    return f"{program} watch {name}{elsewhere}"


def _say_goodbye(session: Session, summary: dict, machine: Machine) -> None:
    line, name = session.console.line, session.folder.name
    returns = summary["true_return"]
    if returns and None not in returns.values():  # None stands for what is not finite
        line(f"True return {returns['mean']:,.1f} ± {returns['std']:,.1f} over {returns['episodes']} episodes.")
    session.replays.last(summary["steps"])
    line(f"Everything is in {session.folder.path}. Watch the agent: {_watch(name, machine)}")
    if not summary["finished"]:
        line("The same command goes on from here.")


if __name__ == "__main__":
    sys.exit(main())
