"""Jobs that are questions about a run, answered one by one."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rl_teacher.errors import UserError
from rl_teacher.feedback.records import Job
from rl_teacher.feedback.store import Store
from rl_teacher.insight.answers import ANSWERS
from rl_teacher.insight.subject import Subject

ATTEND_SECONDS = 0.25
"""No further job is begun after so much time of one call: the agent's learning waits meanwhile."""


def attend(subject: Subject, seconds: float = ATTEND_SECONDS) -> list[str]:
    """Answer what is asked about this run until there is nothing left or the time is up; returns one line per job."""
    end = time.monotonic() + seconds
    lines = []
    for line in answers(subject):
        lines.append(line)
        if time.monotonic() > end:
            break
    return lines


def answers(subject: Subject) -> Iterator[str]:
    """Answer what is asked about this run, one job with each line taken, which says what came of it."""
    while taken := subject.store.jobs(subject.run_id, ANSWERS, limit=1):
        yield answer(subject, taken[0])


def answer(subject: Subject, job: Job) -> str:
    """Answer one job, whatever comes of it; returns a line that says what did."""
    began = time.monotonic()
    try:
        data = ANSWERS[job.kind](subject, job.args)
    except Exception as fault:  # a question must never end a run: whoever asked is told what went wrong
        return refuse(subject.store, job, fault)
    subject.store.finish_job(job.id, True, data)
    return f"{job.kind}: answered in {time.monotonic() - began:.2f} s"


def refuse(store: Store, job: Job, fault: Exception) -> str:
    """Tell whoever asked why there is no answer; returns a line that says so too."""
    message = str(fault) if isinstance(fault, UserError) else f"It could not be answered: {fault!r}"
    store.finish_job(job.id, False, {"message": message})
    return f"{job.kind}: {message}"
