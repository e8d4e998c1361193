"""Files for other programs, written by `rl-teacher export`."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing, suppress
from pathlib import Path

from rl_teacher.errors import UserError, unknown
from rl_teacher.feedback.exporting import FORMATS
from rl_teacher.feedback.store import open_store
from rl_teacher.shell import tell

WHAT = ("labels", "reward", "policy")
ONLY_FOR = {"format": ("labels",), "store": ("labels",), "hub": ("reward", "policy")}
"""What options are for."""


def export(args: argparse.Namespace) -> None:
    """Do what `rl-teacher export` was asked to.

    Args:
        args: what, name, format, out, hub, run_dir, store.

    Raises:
        UserError: For what is not there, or cannot be written, and for options that do not go together.
    """
    if args.what not in WHAT:
        raise unknown("thing to export", args.what, WHAT)
    for option, goes_with in ONLY_FOR.items():
        if getattr(args, option) is not None and args.what not in goes_with:
            raise UserError(
                f"--{option} given with 'export {args.what}'; it is for {' and '.join(goes_with)}. Leave it out."
            )
    if args.what == "labels":
        form = args.format or "jsonl"
        with suppress(BrokenPipeError):
            export_labels(args.name, form, args.out or f"{args.name}.{form}", Path(args.run_dir), args.store)
        return
    from rl_teacher.learned import export_learned  # torch and the simulator take seconds to import

    export_learned(args.what, args.name, args.out, Path(args.run_dir), args.hub)


def export_labels(name: str, form: str, out: str, run_dir: Path, store_url: str | None) -> None:
    """Write what people answered.

    Args:
        name: Of the experiment.
        form: jsonl or csv.
        out: File to write, whole or not at all; "-": standard output.
        run_dir: Where the store lies.
        store_url: Another database; None: SQLite in the run dir.

    Raises:
        UserError: For what is not there, or cannot be written.
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    if store_url is None and not (run_dir / "feedback.db").exists():
        raise UserError(f"No answers in {run_dir}: it holds no feedback.db. Give --run_dir, or --store.")
    with closing(open_store(run_dir, store_url)) as store:
        lines = store.export(store.experiment_by_name(name).id, form)
        store.note("command line", "answers exported", {"experiment": name, "format": form})
        if out == "-":
            sys.stdout.writelines(lines)
            return
        draft = Path(f"{out}.part")
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                n = sum(1 for line in lines if file.write(line))
            os.replace(draft, out)
        except OSError as error:
            raise UserError(f"{out} cannot be written ({error.strerror}). Choose another file with --out.") from error
    tell(sys.stdout, f"{out}: {n:,} lines\n")
