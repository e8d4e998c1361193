"""`rl-teacher`: every command under one name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rl_teacher.shell import begin, hear_interrupts, tell

if TYPE_CHECKING:  # all else is imported where it is needed, so that Ctrl-C is in hand from the first moment
    from rl_teacher.words import Parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code: 0, or 2 with one line on standard error for a mistake of the user's."""
    if argv is None:  # the program itself, not somebody who calls it
        begin()
    from rl_teacher.errors import refuse, unknown

    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if not given or given[0] in ("-h", "--help"):
            tell(sys.stdout, _help())
            return 0
        if given[0] not in COMMANDS:
            raise unknown("command", given[0], COMMANDS)
        return COMMANDS[given[0]](given[1:])
    except Exception as error:
        return refuse(error)
    except KeyboardInterrupt:
        return 130


def _teach(argv: Sequence[str]) -> int:
    """Teach an agent: -p rl, synth or human."""
    from rl_teacher.teach import main as teach

    return teach(argv)


def _serve(argv: Sequence[str]) -> int:
    """Serve the page for all runs of a run dir."""
    parser = _page_options("serve", "Serve the page: all experiments of a run dir.")
    parser.add_argument("--share", action="store_true", help="serve it to the local network; print a link and QR code")
    parser.add_argument("--experiment", help="name of the only experiment that the link of --share opens")
    return _page(parser, argv)


def _watch(argv: Sequence[str]) -> int:
    """Watch how the agent of a run plays, drawn by the browser."""
    parser = _page_options("watch", "Watch how the agent of a run plays, drawn by the browser from poses.")
    parser.add_argument("name", help="of the run")
    return _page(parser, argv)


def _worker(argv: Sequence[str]) -> int:
    """Answer what the page asks about runs that are not training."""
    from contextlib import closing
    from pathlib import Path

    from rl_teacher.errors import UserError

    description = "Answer what the page asks about runs that are not training: r̂ along clips, how the agent plays …"
    parser = _store_options("worker", description)
    args = parser.read(argv)
    if not Path(args.run_dir).is_dir():
        raise UserError(f"--run_dir {args.run_dir} given; it must be a folder that holds runs. Choose another.")
    tell(sys.stdout, "Starting …\n")
    from rl_teacher.feedback.store import open_store
    from rl_teacher.worker import Worker  # torch and the simulator take seconds to import

    hear_interrupts()
    with closing(open_store(args.run_dir, args.store)) as store:
        tell(sys.stdout, "Ready. Open the page (rl-teacher serve) and ask; Ctrl-C ends this.\n")
        try:
            Worker(Path(args.run_dir), store, lambda line: tell(sys.stdout, line + "\n")).work()
        except KeyboardInterrupt:
            return 0
    return 0


def _page_options(command: str, description: str) -> Parser:
    parser = _store_options(command, description)
    parser.add_argument("--host", help="address of the page (default: 127.0.0.1; with --share 0.0.0.0)")
    names = ("--allowed_host", "--allowed-host")
    parser.add_argument(*names, dest="allowed_host", help="further name that people call this machine's page by")
    parser.add_argument("--port", help="port of the page (default: the first free one from 8000)")
    return parser


def _page(parser: Parser, argv: Sequence[str]) -> int:
    from pathlib import Path

    from rl_teacher.errors import UserError
    from rl_teacher.quantities import count
    from rl_teacher.serving import Place, Sharing, serve

    args = parser.read(argv)
    shared, experiment = getattr(args, "share", False), getattr(args, "experiment", None)
    if experiment is not None and not shared:
        raise UserError(f"--experiment {experiment} given without --share. It says what the link of --share opens.")
    port = None if args.port is None else count("--port", args.port, "8000", most=65_535)
    place = Place(Path(args.run_dir), args.store, args.allowed_host)
    hear_interrupts()
    host = args.host or ("0.0.0.0" if shared else "127.0.0.1")  # noqa: S104 - --share asks for just that
    return serve(place, host, port, getattr(args, "name", None), Sharing(experiment) if shared else None)


def _export(argv: Sequence[str]) -> int:
    """Write what people answered, a run's reward or its policy, for other programs."""
    from rl_teacher.exports import WHAT, export
    from rl_teacher.feedback.exporting import FORMATS

    description = "Write what people answered, or what a run has learned, for other programs."
    parser = _store_options("export", description)
    parser.add_argument("what", help=f"what to export: {', '.join(WHAT)}")
    parser.add_argument("name", help="of the run, or of its experiment, which has the same")
    parser.add_argument("--format", help=f"of labels: {' or '.join(FORMATS)} (default jsonl)")
    parser.add_argument("--out", help="file of labels, - for standard output (default: NAME.FORMAT); else a new folder")
    parser.add_argument("--hub", help="OWNER/NAME: put reward or policy there too, on the Hugging Face Hub (HF_TOKEN)")
    export(parser.read(argv))
    return 0


def _token(argv: Sequence[str]) -> int:
    """Make a token that lets somebody in, list them, revoke one."""
    from contextlib import closing

    from rl_teacher import admission
    from rl_teacher.quantities import count

    parser = _store_options("token", "Tokens let people and scripts in. Only their hashes are kept.")
    parser.add_argument("what", help=", ".join(admission.WHAT))
    parser.add_argument("id", nargs="?", help="of the token to revoke; its beginning is enough")
    parser.add_argument("--role", default="labeller", help=f"{', '.join(admission.ROLES)} (default labeller)")
    parser.add_argument("--name", help="in whose name its holder answers")
    parser.add_argument("--experiment", help="name of the only experiment it opens (default: all)")
    parser.add_argument("--days", default=str(admission.DAYS), help=f"how long it lasts (default {admission.DAYS})")
    args = parser.read(argv)
    days = count("--days", args.days, str(admission.DAYS), least=1, most=admission.MOST_DAYS)
    with closing(admission.open_there(args.run_dir, args.store)) as store:
        admission.token(store, args.what, args.id, args.role, args.name, args.experiment, days)
    return 0


def _audit(argv: Sequence[str]) -> int:
    """Tell who did what and when."""
    from contextlib import closing

    from rl_teacher import admission
    from rl_teacher.quantities import count

    parser = _store_options("audit", "Who did what and when: log-ins, tokens, settings, exports, what was refused.")
    parser.add_argument("--limit", default="50", help="lines, the newest (default 50)")
    parser.add_argument("--what", help="only lines about this: 'refused', 'signed in' …")
    args = parser.read(argv)
    limit = count("--limit", args.limit, "50", least=1)
    with closing(admission.open_there(args.run_dir, args.store)) as store:
        admission.audit(store, limit, args.what)
    return 0


def _doctor(argv: Sequence[str]) -> int:
    """Tell whether this machine has all that teaching needs, and how to mend what it has not."""
    from pathlib import Path

    from rl_teacher.doctor import doctor
    from rl_teacher.quantities import count

    parser = _store_options("doctor", "Whether this machine has what teaching needs, and how to mend what it has not.")
    parser.add_argument("--port", help="port that the page is to have (default: the first free one from 8000)")
    args = parser.read(argv)
    port = None if args.port is None else count("--port", args.port, "8000", most=65_535)
    return doctor(Path(args.run_dir), args.store, port, lambda text: tell(sys.stdout, text))


def _store_options(command: str, description: str) -> Parser:
    from rl_teacher.words import Parser

    parser = Parser(prog=f"rl-teacher {command}", description=description, allow_abbrev=False)
    parser.add_argument("--run_dir", "--run-dir", dest="run_dir", default="runs", help="where the runs lie")
    parser.add_argument("--store", help="database URL (default: SQLite in the run dir)")
    return parser


def _backup(argv: Sequence[str]) -> int:
    """Keep a copy of all answers and clips, while people go on answering."""
    from rl_teacher.keeping import backup

    parser = _store_options(
        "backup",
        "Write the database and all clips to a new folder, with a manifest of their hashes, while trainer and page go "
        "on. It holds every answer given before it began. Run folders (what agents have learned) are not part of it: "
        "copy them with the tools of your system.",
    )
    parser.add_argument("--out", help="folder to make (default: backup-DATE-TIME, in UTC)")
    args = parser.read(argv)
    return backup(args.run_dir, args.store, args.out)


def _restore(argv: Sequence[str]) -> int:
    """Bring back what backup wrote, after every hash in it was proved."""
    from rl_teacher.keeping import restore

    parser = _store_options(
        "restore",
        "Bring back what `rl-teacher backup` wrote, after every hash in it was proved. Nothing that is there is "
        "overwritten: the run dir must hold no database, and one given with --store must be empty.",
    )
    parser.add_argument("backup", help="folder that backup wrote")
    args = parser.read(argv)
    return restore(args.backup, args.run_dir, args.store)


def _prune(argv: Sequence[str]) -> int:
    """Make room: remove pairs nobody answered, old films and files that nothing needs."""
    from rl_teacher.errors import UserError
    from rl_teacher.keeping import prune

    parser = _store_options(
        "prune",
        "Make room while trainer and page go on: removes pairs that nobody answered and that were taken back or whose "
        "experiment is finished, finished jobs, films of clips that the browser draws anyway, and files that nothing "
        "needs. Answers stay, unless --answered is given. SQLite's own file keeps its size and fills the room again.",
    )
    parser.add_argument("--days", type=float, default=30.0, help="what is younger stays (default 30; at least 1)")
    parser.add_argument("--answered", action="store_true", help="answered pairs of finished experiments go too")
    parser.add_argument("--dry_run", "--dry-run", dest="dry_run", action="store_true", help="only say what would go")
    args = parser.read(argv)
    if not args.days >= 1.0:
        raise UserError(f"--days {args.days} given; at least 1 is allowed, so that nothing in use goes. Give more.")
    return prune(args.run_dir, args.store, args.days, args.answered, args.dry_run)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "teach": _teach,
    "serve": _serve,
    "watch": _watch,
    "export": _export,
    "worker": _worker,
    "backup": _backup,
    "restore": _restore,
    "prune": _prune,
    "token": _token,
    "audit": _audit,
    "doctor": _doctor,
}


def _help() -> str:
    lines = [f"  {name:8} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()]
    return "usage: rl-teacher COMMAND …\n\n" + "\n".join(lines) + "\n\nrl-teacher COMMAND --help tells more.\n"


if __name__ == "__main__":
    sys.exit(main())
