"""`--replay NAME`: what the command takes from the record of an experiment, and whether the two fit each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rl_teacher.errors import UserError
from rl_teacher.quantities import MOST_LABELS, count
from rl_teacher.trajectory import Comparison


def fill_in(args: argparse.Namespace, run_dir: Path) -> None:
    """Environment, name and number of answers from the experiment, where they were not given.

    Args:
        args: The command line with `--replay`; changed in place.
        run_dir: Where runs and store lie.

    Raises:
        UserError: If there is no such experiment or nothing in it, or something was given that does not go with it.
    """
    if args.predictor is not None or args.teacher != "oracle":
        given = "--teacher" if args.predictor is None else f"-p {args.predictor}"
        raise UserError(f"--replay {args.replay} given with {given}. The record is the teacher: leave {given} out.")
    if args.name == args.replay:
        raise UserError(f"-n {args.name} given, the name of what is replayed. Choose another, or leave -n out.")
    env_id, n_said = _look_up(run_dir, args.store, args.replay)
    if args.env_id is None and args.behavior is None:
        args.env_id = env_id
    args.predictor, args.name = "synth", args.name or f"{args.replay}-replay"
    args.n_labels = args.n_labels or str(n_said)
    if count("-l/--n_labels", args.n_labels, str(n_said), most=MOST_LABELS) > n_said:
        raise UserError(
            f"-l {args.n_labels} given, but {args.replay} holds {n_said} answers that express a preference. Give fewer."
        )


def check_fit(said: Sequence[Comparison], name: str, obs: Sequence[int] | None, act: Sequence[int] | None) -> None:
    """Whether what was said is about such an environment.

    Args:
        said: The record.
        name: Of its experiment.
        obs: Shape of the environment's observations.
        act: Shape of its actions.

    Raises:
        UserError: If it is not, with the shapes.
    """
    segment = said[0].query.left
    there, here = (segment.obs.shape[1:], segment.act.shape[1:]), (tuple(obs or ()), tuple(act or ()))
    if there != here:
        raise UserError(
            f"--replay {name} given, whose clips are of another environment: observations {there[0]} and actions "
            f"{there[1]} there, {here[0]} and {here[1]} here. Leave -e out, or give one with the same shapes."
        )


def _look_up(run_dir: Path, url: str | None, name: str) -> tuple[str, int]:
    """Environment of a recorded experiment, and how many of its answers express a preference."""
    from rl_teacher.feedback.store import open_store  # the database's library takes a while to import
    from rl_teacher.teachers.replay import recorded

    beside = run_dir / "feedback.db"
    if url is None and not beside.exists():
        raise UserError(f"--replay {name} given, but there is no {beside}. Give the --run_dir or --store that has it.")
    with closing(open_store(run_dir, url)) as store:
        n_said = len(recorded(store, name))
        return store.experiment_by_name(name).env_id, n_said
