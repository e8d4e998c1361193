"""`rl-teacher worker`: answers what the page asks about runs whose trainer is not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rl_teacher.checkpoints import PARTS
from rl_teacher.feedback.records import Run
from rl_teacher.feedback.showing import RENDER
from rl_teacher.feedback.store import Store
from rl_teacher.insight.answers import ANSWERS
from rl_teacher.insight.serve import answers, refuse
from rl_teacher.insight.subject import Subject
from rl_teacher.reopen import reopen
from rl_teacher.runs import newest_checkpoint

IDLE_SECONDS = 0.5
KINDS = (*ANSWERS, RENDER)
"""What a worker can do."""


class Worker:
    """Answers questions about one run after the other; the run asked about last stays in memory.

    Args:
        run_dir: Where the run folders lie.
        store: Where the page asks.
        say: Tells a line.
    """

    def __init__(self, run_dir: Path, store: Store, say: Callable[[str], None]):
        self._run_dir, self._store, self._say = run_dir, store, say
        self._open: tuple[Path, Subject] | None = None

    def work(self) -> None:
        """Until somebody stops it."""
        while True:
            if not self.turn():
                time.sleep(IDLE_SECONDS)

    def turn(self) -> bool:
        """Answer all that waits now; whether there was anything."""
        served = False
        for name in self._store.waiting_runs(KINDS):
            run = self._store.run_by_name(name)
            if run.is_alive(self._store.clock()):
                continue  # its trainer knows better
            for line in self._answer(run):
                self._say(f"{name}: {line}")
                served = True
        return served

    def _answer(self, run: Run) -> Iterator[str]:
        """One line with each job, as soon as it is done."""
        try:
            subject = self._subject(run)
        except Exception as fault:  # a run that cannot be opened must not keep the others waiting
            for job in self._store.jobs(run.id, KINDS):
                yield refuse(self._store, job, fault)
            return
        for job in self._store.jobs(run.id, [RENDER]):
            yield subject.film(job)
        yield from answers(subject)

    def _subject(self, run: Run) -> Subject:
        _, checkpoint = newest_checkpoint(self._run_dir, run.name, PARTS.get(run.predictor, ()))
        if self._open is None or self._open[0] != checkpoint:
            self._open = checkpoint, reopen(self._run_dir, run, self._store)
        return self._open[1]
