"""The command: an agent learns from the true reward, from a synthetic teacher, or from a person.

    python rl_teacher/teach.py -p human --pretrain_labels 175 -e Reacher-v1 -n human-175

builds the parts, runs the loop, and leaves everything in `runs/<name>/`.
"""

from __future__ import annotations

import os
import sys

if __package__ in (None, ""):  # run as a script: Python has put this folder on the import path, not the one above it
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

from rl_teacher.shell import begin, hear_interrupts, last_interrupt, tell

if __name__ == "__main__":
    begin()  # the imports below take a second

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from rl_teacher.checkpoints import PARTS
from rl_teacher.config import RunConfig
from rl_teacher.errors import NotFiniteError, UserError, refuse
from rl_teacher.hints import watch_command
from rl_teacher.options import Machine, parse
from rl_teacher.runs import RunFolder, fault_log

if TYPE_CHECKING:  # MuJoCo, which it imports, fails where an environment variable is wrong: `main` tells that
    from rl_teacher.session import Session


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, or 2 with one line on standard error for a mistake of the user's."""
    try:
        config, machine = parse(argv)
        return teach(config, machine)
    except Exception as error:
        return refuse(error)
    except KeyboardInterrupt:
        last_interrupt()
        tell(sys.stderr, "rl-teacher: stopped at once; the same command goes on from the last checkpoint\n")
        return 130


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
            watch = f" Watch it: {watch_command(config.name, machine)}" if _was_drawn(config.name, machine) else ""
            tell(sys.stdout, f"Run '{config.name}' is finished.{watch}\n")
            return 0
        from rl_teacher.build import build  # torch and the simulator take seconds to import: mistakes come out first

        hear_interrupts()
        session = build(config, machine, folder, stack)
        session.console.open()
        stack.callback(session.console.close)
        with _interruptible(session), told(session):
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
        session.console.say("stopping: ending the round, then saving (Ctrl-C again: at once)")

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def told(session: Session) -> Iterator[None]:
    """If the run fails, keep what is good and tell the page, whatever the reason."""
    try:
        yield
    except BaseException as error:
        _keep_what_is_good(session, error)
        with suppress(Exception):  # the page cannot be told where the database is the fault; `error` is told below
            session.fail(f"stopped by a mistake: {error}" if isinstance(error, UserError) else f"failed: {error!r}")
        raise


def _keep_what_is_good(session: Session, error: BaseException) -> None:
    """Save once more. Where even that fails, the checkpoint before is the good one; `error` is told all the same."""
    try:
        session.save(session.loop.steps)
    except Exception as fault:
        if not isinstance(fault, NotFiniteError):
            session.console.line(f"Not saved: {fault}. The checkpoint before stays the newest.")
        elif str(fault) != str(error):  # else it is told when the command ends
            session.console.line(str(fault))
        with suppress(Exception):  # a full disk may have no room for this either
            if not session.folder.summary():  # it failed before the first checkpoint
                session.folder.write_summary(session.summary(session.loop.steps, finished=False))


def _was_drawn(name: str, machine: Machine) -> bool:
    """Whether the page has a replay of a run to show."""
    from rl_teacher.feedback.records import NotFoundError
    from rl_teacher.feedback.store import open_store  # it takes a while to import

    with closing(open_store(machine.run_dir, machine.store)) as store:
        try:
            return bool(store.replays(store.run_by_name(name).id, limit=1))
        except NotFoundError:  # another database than that of the run
            return False


def _advice(session: Session) -> str:
    """What to do about an environment without a reward, where it is of use."""
    if session.about["predictor"] == "human":
        return ""
    return " If nothing is ever paid, give a judge, --behavior MODULE:FUNCTION, or teach it yourself with -p human."


def _say_goodbye(session: Session, summary: dict, machine: Machine) -> None:
    line, name = session.console.line, session.folder.name
    kind = "Behavior return" if session.behavior else "True return"
    returns = summary[kind.lower().replace(" ", "_")]
    if returns and None not in returns.values():  # None stands for what is not finite
        success = f", success {returns['success']:.0%}" if "success" in returns else ""
        if session.behavior or any((returns["mean"], returns["std"])):
            line(f"{kind} {returns['mean']:,.1f} ± {returns['std']:,.1f} over {returns['episodes']} episodes{success}.")
        else:
            line(f"The return was 0 in each of {returns['episodes']} episodes{success}.{_advice(session)}")
    session.replays.last(summary["steps"])
    watch = f" Watch the agent: {watch_command(name, machine)}" if session.desk.can_show else ""
    line(f"Everything is in {session.folder.path}.{watch}")
    if not summary["finished"]:
        line("The same command goes on" + (" from here." if session.about["predictor"] == "human" else "."))


if __name__ == "__main__":
    sys.exit(main())
