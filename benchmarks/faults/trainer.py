"""Kill the trainer at random moments, again and again: does it always go on, and is any answer lost?

    python benchmarks/faults/trainer.py human --kills 200      # a person answers all the while
    python benchmarks/faults/trainer.py synth --kills 200      # must end as a run that was never killed

The trainer is the command itself with checkpoints every half second and legs of 10,000 steps. Every other kill
(SIGKILL) comes while a checkpoint is being written, the others at random moments. After every kill the same command is
started again. It must say that it goes on, from a whole checkpoint; every answer that was acknowledged must be in the
store, once and as it was given; and in the end the agent must have learned from as many. Exit code 1: something was
lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from benchmarks.runs import ROOT, machine
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict

SAVE_SECONDS = 0.5
LEG_STEPS = 10_000
STEPS_A_KILL = 20_000
"""How many steps of the synthetic run there are for each kill: a second's work."""
DRIVER = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from rl_teacher import session
session.SAVE_EVERY_SECONDS, session.LEG_STEPS = {SAVE_SECONDS}, {LEG_STEPS}
from rl_teacher.teach import main
sys.exit(main(sys.argv[1:]))
"""
WORDS = {
    "human": "-p human -L 4 -e Reacher-v1 -V --no_serve",
    "synth": "-p synth -l 100 -e Reacher-v1 -V -t {steps}",
}
TIMES = ("seconds", "wall_seconds", "steps_per_second", "memory_mb", "update_seconds", "label_latency_seconds")
PATIENCE = 120.0
"""Seconds that a start may take."""


@dataclass
class Found:
    """What came of it."""

    kills: int = 0
    in_checkpoints: int = 0
    """Kills that left a half-written checkpoint behind."""
    behind: list[float] = field(default_factory=list)
    """Seconds of work, waiting left out, between the newest checkpoint and what the run last wrote down."""
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Answers that the store confirmed: (query, verdict) by id."""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Run:
    """The command in a process of its own."""

    def __init__(self, folder: Path, words: str):
        self.log = folder / "trainer.log"
        self._from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as log:
            command = [sys.executable, "-c", DRIVER, *shlex.split(words)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)

    def said(self) -> str:
        """What it has printed."""
        with self.log.open() as log:
            log.seek(self._from)
            return log.read()

    def until(self, true: Callable[[], object], meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Wait for something; False if the process ended before, or it took too long."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            if self.process.poll() is not None or time.monotonic() > deadline:
                return bool(true())
            meanwhile()
            time.sleep(0.02)
        return True

    def kill(self) -> None:
        """As a power failure would, for the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def human(folder: Path, n_kills: int, seed: int = 1) -> Found:
    """A person answers while the trainer is killed so many times."""
    found, rng, began = Found(), random.Random(seed), time.monotonic()
    words = f"{WORDS['human']} -n killed"
    with closing(open_store(folder / "runs")) as store:
        person = store.labeller("person")

        def answer() -> None:
            _answer(store, person, found, rng)

        for _ in range(n_kills):
            run = Run(folder, words)
            if not run.until(lambda run=run: "Nobody serves" in run.said(), answer):
                found.faults.append(f"did not start: {run.said()[-500:]}")
                run.kill()
                break
            _check_step(folder, run, found)
            _live(folder, run, rng.uniform(0.0, 4.0), answer, in_checkpoint=found.kills % 2 == 1)
            _kill(folder, run, found)
            _check_answers(store, found)
        run = Run(folder, words)
        run.until(lambda: "Nobody serves" in run.said(), answer)
        _live(folder, run, 3.0, answer)
        store.add_job(store.experiment_by_name("killed").id, "finish", {})
        run.process.wait(PATIENCE)
        _check_answers(store, found)
        given = len({query for query, _ in found.acknowledged.values()})
    done = _summary(folder, "killed")
    if not done.get("finished") or done["labels"]["answered"] != given:
        found.faults.append(
            f"the run ended with {done.get('labels')}, {given} questions were answered: {run.said()[-300:]}"
        )
    found.seconds = time.monotonic() - began
    return found


def synth(folder: Path, n_kills: int, seed: int = 1) -> Found:
    """A synthetic run, killed so many times, against one that never was."""
    found, rng, began = Found(), random.Random(seed), time.monotonic()
    n_steps = STEPS_A_KILL * (n_kills + 1)
    words = WORDS["synth"].format(steps=n_steps)
    whole = Run(folder, f"{words} -n whole")
    whole.process.wait()
    while True:
        run = Run(folder, f"{words} -n killed")
        if found.kills == n_kills:
            run.process.wait()
            break
        run.until(lambda run=run: "steps " in run.said() or "going on" in run.said())
        _check_step(folder, run, found)
        # A fast machine must not reach the end before the last kill: each life has its share of the steps.
        share = STEPS_A_KILL * (found.kills + 1)
        _live(
            folder,
            run,
            rng.uniform(0.0, 3.0),
            in_checkpoint=found.kills % 2 == 1,
            enough=lambda n=share: _at(folder) >= n,
        )
        if run.process.poll() is not None:
            break
        _kill(folder, run, found)
    if _course(folder, "killed") != _course(folder, "whole"):
        found.faults.append("the metrics differ from those of the run that was never killed")
    if _ending(folder, "killed") != _ending(folder, "whole"):
        found.faults.append(f"ended with {_ending(folder, 'killed')}, the other with {_ending(folder, 'whole')}")
    found.seconds = time.monotonic() - began
    return found


def _answer(store: Store, person: str, found: Found, rng: random.Random) -> None:
    """Answer what is open, at most three pairs."""
    for experiment in store.experiments():
        for claim in store.claim(experiment.id, person, 3):
            id, verdict = f"answer {len(found.acknowledged)}", rng.choice((Verdict.LEFT, Verdict.RIGHT))
            store.submit(Submit(id, claim.query_id, person, verdict, lease=claim.lease))
            found.acknowledged[id] = (claim.query_id, str(verdict))


def _live(
    folder: Path,
    run: Run,
    seconds: float,
    meanwhile: Callable[[], object] = lambda: None,
    in_checkpoint: bool = False,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """So long; and until a checkpoint is being written, if that is asked for and happens soon; or enough was done."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and run.process.poll() is None and not enough():
        meanwhile()
        time.sleep(0.02)
    checkpoints = folder / "runs" / "killed" / "checkpoints"
    while in_checkpoint and time.monotonic() < end + 10.0 and run.process.poll() is None and not enough():
        meanwhile()
        look_until = time.monotonic() + 0.1
        while time.monotonic() < look_until:
            if any(name.endswith(".tmp") for name in os.listdir(checkpoints)):
                return


def _at(folder: Path) -> int:
    """The step of the newest checkpoint."""
    whole = sorted((folder / "runs" / "killed" / "checkpoints").glob("step-*[0-9]"))
    return int(whole[-1].name.removeprefix("step-")) if whole else 0


def _kill(folder: Path, run: Run, found: Found) -> None:
    if run.process.poll() is not None:
        found.faults.append(f"ended by itself: {run.said()[-500:]}")
        return
    run.kill()
    found.kills += 1
    checkpoints = folder / "runs" / "killed" / "checkpoints"
    found.in_checkpoints += any(checkpoints.glob("*.tmp"))
    metrics = folder / "runs" / "killed" / "metrics.jsonl"
    whole = sorted(checkpoints.glob("step-*[0-9]"))
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    told = [json.loads(line) for line in lines if line.endswith("}")]
    if whole and told and "wall_seconds" in told[-1]:
        held = json.loads((whole[-1] / "state.json").read_text())["seconds"]
        worked = told[-1]["wall_seconds"] - told[-1]["seconds/wait"]
        found.behind.append(max(0.0, worked - sum(held.values()) + held.get("wait", 0.0)))


def _check_step(folder: Path, run: Run, found: Found) -> None:
    """Where it went on, against the checkpoints there are."""
    said, checkpoints = run.said(), folder / "runs" / "killed" / "checkpoints"
    if "damaged" in said or "starting afresh" in said:
        found.faults.append(f"a checkpoint was damaged: {said[-300:]}")
    if found.kills and list(checkpoints.glob("step-*[0-9]")) and "going on from step" not in said:
        found.faults.append(f"did not go on: {said[-300:]}")


def _check_answers(store: Store, found: Found) -> None:
    held = {}
    for experiment in store.experiments():
        labels = store.labels_since(experiment.id, 0, 1_000_000)
        if len({label.seq for label in labels}) != len(labels):
            found.faults.append("two answers have the same number")
        for label in labels:
            held[label.query_id, str(label.verdict)] = held.get((label.query_id, str(label.verdict)), 0) + 1
    lost = [id for id, said in found.acknowledged.items() if said not in held]
    if lost:
        found.faults.append(f"{len(lost)} acknowledged answers are not in the store, {lost[0]} for one")
    if sum(held.values()) != len(found.acknowledged):
        found.faults.append(f"{sum(held.values())} answers in the store, {len(found.acknowledged)} were given")


def _summary(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "runs" / name / "summary.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _course(folder: Path, name: str) -> list[dict[str, Any]]:
    """Every line of the metrics, times aside."""
    path = folder / "runs" / name / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key.partition("/")[0] not in TIMES} for line in lines]


def _ending(folder: Path, name: str) -> dict[str, Any]:
    done = _summary(folder, name)
    return {key: done.get(key) for key in ("steps", "labels", "true_return", "reward_model", "finished")}


def main() -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("human", "synth"))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        found = {"human": human, "synth": synth}[args.what](Path(folder), args.kills, args.seed)
    sys.stdout.write("| run | kills | while a checkpoint was written | seconds of work to be done again, most |")
    sys.stdout.write(" answers acknowledged | faults | took, min |\n" + "|---" * 7 + "|\n")
    figures = [args.what, found.kills, found.in_checkpoints, f"{max(found.behind, default=0.0):.1f}"]
    figures += [len(found.acknowledged), len(found.faults), f"{found.seconds / 60:.0f}"]
    sys.stdout.write("| " + " | ".join(map(str, figures)) + " |\n")
    for fault in found.faults:
        sys.stdout.write(f"- {' '.join(fault.split())}\n")
    return int(bool(found.faults) or found.kills < args.kills)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
