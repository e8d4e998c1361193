"""A run as it is looked on: time, metrics, evaluation, checkpoints, what people see, and the ways to end it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rl_teacher import telling
from rl_teacher.console import Console
from rl_teacher.desk import Desk
from rl_teacher.envs.evaluate import Returns
from rl_teacher.exploring import EXPLORED
from rl_teacher.files import write_json
from rl_teacher.insight.curves import Curves
from rl_teacher.insight.serve import attend
from rl_teacher.insight.subject import Subject
from rl_teacher.loop import TeachingLoop
from rl_teacher.metrics import Metrics, correlations, memory_mb
from rl_teacher.protocols import Info
from rl_teacher.replays import Replays
from rl_teacher.rounds import Loop
from rl_teacher.runs import RunFolder
from rl_teacher.serving import PageServer
from rl_teacher.stopwatch import Stopwatch
from rl_teacher.telling import number

SAVE_EVERY_SECONDS = 60.0
LEG_STEPS = 250_000
"""Steps of a leg, without a person."""
REPORT_EVERY_SECONDS = 0.5
IDLE_SECONDS = 0.1
SEGMENTS_TO_CORRELATE = 64


class Savable(Protocol):
    """Whatever keeps a part of the run's state."""

    def save(self, folder: Path) -> None:
        """Write it."""
        ...

    def load(self, folder: Path) -> None:
        """Go on from it."""
        ...


@dataclass
class Session:
    """The Observer of one run.

    Without a person a run is a chain of *legs*. Simulators cannot be saved, so at a checkpoint that begins a leg they
    begin new episodes, and whatever is drawn from then on follows from the run's seed and the step. A run that goes on
    from there does the same, and so ends as one that was never stopped. Other checkpoints are for a run whose legs take
    long, and for people, who are never the same twice.
    """

    folder: RunFolder
    metrics: Metrics
    console: Console
    desk: Desk
    stopwatch: Stopwatch
    about: Mapping[str, Any]
    """What stands unchanged in summary.json: name, env_id, agent, predictor, seed."""
    parts: list[Savable]
    """What a checkpoint holds."""
    evaluate: Callable[[int], Returns]
    """Plays so many episodes without exploration."""
    replays: Replays
    curves: Curves
    eval_every: int
    """Steps between evaluations."""
    total_steps: int | None
    n_glance: int
    """Episodes of an evaluation on the way …"""
    n_episodes: int
    """… and at the end."""
    behavior: str | None = None
    """What is taught in place of the task: then returns are those of its judge, and say so."""
    has_legs: bool = True
    """Whether what was done can be done again just as it was: neither people nor learners from elsewhere can."""
    server: PageServer | None = None
    stop_asked: bool = False
    """Set by Ctrl-C."""
    subject: Subject | None = None
    """What people may ask about the run; set when all its parts are built."""
    loop: Loop = field(init=False)
    """Set when it is built, for it needs this session to report to."""
    begin_leg: Callable[[int], None] = field(init=False)
    """Begins new episodes, at this step of the run. Set with the loop."""
    _latest: dict[str, float] = field(default_factory=dict)
    _true_return: dict[str, Any] | None = None
    """As in summary.json; with a behaviour its `behavior_return`."""
    _evaluated_at: int = 0
    _saved_at: float = -math.inf
    _saved_step: int | None = None
    _leg: int | None = None
    """Where the present leg began."""
    _reported_at: float = 0.0
    _message: str = ""

    @property
    def _return(self) -> str:
        """The name of the return in metrics."""
        return "behavior_return" if self.behavior else "true_return"

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Count seconds."""
        return self.stopwatch.phase(name)

    def elapsed(self) -> float:
        """Seconds of the run so far."""
        return self.stopwatch.elapsed()

    def paused(self) -> bool:
        """Whether somebody asked the agent to hold."""
        return self.desk.paused

    def should_stop(self) -> bool:
        """Whether somebody pressed Ctrl-C or Finish."""
        return self.stop_asked or self.desk.finish_asked

    def say(self, message: str) -> None:
        """Tell terminal and page what the run is doing."""
        self._message = message
        self.console.say(message)
        self._report()

    def idle(self, message: str) -> None:
        """Sleep a moment, saying what for."""
        self._message = message
        self.console.say(message)
        self._report(status="waiting")
        self._save_now_and_then()
        time.sleep(IDLE_SECONDS)

    def record(self, steps: int, info: Info) -> None:
        """A round is over."""
        figures = dict(info)
        for phase in ("collect", "learn"):
            self.stopwatch.add(phase, figures.pop(f"{phase}_seconds", 0.0))
        figures.pop("steps", None)
        figures["steps_per_second"] = steps / self.stopwatch.teaching()
        figures |= {f"labels/{name}": n for name, n in telling.tally(self.loop).items()}
        self._latest |= figures
        if steps // self.eval_every > self._evaluated_at // self.eval_every:
            figures |= self.look(steps, self.n_glance)
        seconds = {f"seconds/{name}": value for name, value in self.stopwatch.seconds().items()}
        self.metrics.write(steps, {**figures, **seconds, "wall_seconds": self.elapsed(), "memory_mb": memory_mb()})
        self._draw(steps, figures)
        if self._leg_is_over(steps):
            self.save(steps, leg=True)
            self.begin_leg(steps)
            self._leg = steps
        self._save_now_and_then()
        self._report()

    def _draw(self, steps: int, figures: Mapping[str, float]) -> None:
        """Go on with the curves on the page, and raise the alarm where they call for it."""
        if news := self.curves.add(steps, figures):
            self.console.line(news)

    def look(self, steps: int, n_episodes: int) -> dict[str, float]:
        """Evaluate the present policy and let people watch it; returns the figures."""
        with self.phase("eval"):
            returns = self.evaluate(n_episodes)
            figures = {self._return: returns.mean, f"{self._return}_std": returns.std}
            if "success" in returns.measures:
                figures["behavior_success" if self.behavior else "success"] = returns.measures["success"]
            if isinstance(self.loop, TeachingLoop) and self.loop.ready:
                segments = self.loop.pool.sample(SEGMENTS_TO_CORRELATE)
                linear, by_rank = correlations(self.loop.reward, segments)
                figures |= {"reward/correlation": linear, "reward/rank_correlation": by_rank}
            self.replays.show(steps, None if self.behavior else number(returns.mean))  # the page says "true return"
        self._true_return = {
            "mean": number(returns.mean),
            "std": number(returns.std),
            "episodes": returns.episodes,
            **{name: number(value) for name, value in returns.measures.items()},
        }
        self._evaluated_at = steps
        self._latest |= figures
        return figures

    def save(self, steps: int, leg: bool = False) -> None:
        """Write a checkpoint and the summary.

        Args:
            steps: Of the run so far.
            leg: Whether a leg begins here.

        Raises:
            NotFiniteError: If a NaN has got into the weights; the checkpoint before stays the newest.
        """
        self.folder.save(steps, lambda draft: self._write(draft, leg))
        self.folder.write_summary(self.summary(steps, finished=False))
        self._saved_at, self._saved_step = time.monotonic(), steps

    def _save_now_and_then(self) -> None:
        """The first time at once, so that there is a checkpoint and a summary from the beginning."""
        due = time.monotonic() - self._saved_at > SAVE_EVERY_SECONDS
        if self._saved_step is None or (due and self._saved_step != self.loop.steps):
            self.save(self.loop.steps)

    def _leg_is_over(self, steps: int) -> bool:
        if not self.has_legs or self.loop.cut:  # a run that was never stopped begins none there
            return False
        return self._leg is None or steps // LEG_STEPS > self._leg // LEG_STEPS

    def fail(self, message: str) -> None:
        """Tell terminal and page that the run has ended before its end."""
        self._message = message
        self._report("failed", force=True)

    def has_explored(self, steps: int) -> None:
        """Keep the agent for runs that begin with it. A leg begins here, so that this run goes on just as they do."""
        self.folder.keep(EXPLORED, steps, lambda draft: self._write(draft, leg=False))
        self.save(steps, leg=self.has_legs)
        self._leg = steps
        self.begin_leg(steps)

    def begin_with(self, explored: Path) -> None:
        """Begin with the agent that another run's exploring made; its steps count as this run's."""
        agent, *_ = self.parts
        agent.load(explored)
        self.loop.steps = self._leg = self._evaluated_at = json.loads((explored / "state.json").read_text())["steps"]
        self.begin_leg(self.loop.steps)

    def restore(self, checkpoint: Path) -> None:
        """Go on from a checkpoint."""
        for part in self.parts:
            part.load(checkpoint)
        state = json.loads((checkpoint / "state.json").read_text())
        self._evaluated_at, self._latest, self._true_return = (
            state[name] for name in ("evaluated_at", "latest", "true_return")
        )
        self.loop.restore(state["loop"])
        self._saved_step = self._leg = self.loop.steps
        self.begin_leg(self.loop.steps)

    def finish(self, steps: int, finished: bool) -> dict[str, Any]:
        """The end: last evaluation, replay, checkpoint and summary. Returns the summary."""
        seen = self._true_return is not None and self._evaluated_at == steps
        if not seen or self.n_glance < self.n_episodes:
            figures = self.look(steps, self.n_episodes)
            if finished:  # a run that goes on has not been looked at here
                self.metrics.write(steps, figures)
                self._draw(steps, figures)
        self.folder.save(steps, lambda draft: self._write(draft, leg=finished))
        if finished:
            self._say_what_is_missing()
        summary = self.summary(steps, finished)
        self.folder.write_summary(summary)
        self._message = "finished" if finished else "stopped; the same command goes on"
        if finished:
            self.desk.finish()
        self._report("finished" if finished else "stopped", force=True)
        return summary

    def _say_what_is_missing(self) -> None:
        """The steps may end before the answers do."""
        if not isinstance(self.loop, TeachingLoop) or self.desk.finish_asked:
            return
        wanted, given = self.loop.pace.n_labels or 0, self.loop.teacher.n_decided
        if given < wanted:
            self.console.line(f"The steps ended with {given} of {wanted} answers given; another run needs a larger -t.")

    def summary(self, steps: int, finished: bool) -> dict[str, Any]:
        """What summary.json holds (docs/architecture.md, "Run folder")."""
        return {
            **self.about,
            "steps": steps,
            "wall_seconds": round(self.elapsed(), 3),
            "steps_per_second": round(steps / self.stopwatch.teaching(), 1),
            "seconds": {name: round(value, 3) for name, value in self.stopwatch.seconds().items()},
            "labels": telling.tally(self.loop),
            "true_return": None if self.behavior else self._true_return,
            **({"behavior": self.behavior, "behavior_return": self._true_return} if self.behavior else {}),
            "reward_model": telling.about_reward(self.loop, self._latest),
            "finished": finished,
        }

    def _write(self, draft: Path, leg: bool) -> None:
        for part in self.parts:
            part.save(draft)
        state = {
            "leg": leg,
            "steps": self.loop.steps,
            "loop": self.loop.state(),
            "evaluated_at": self._evaluated_at,
            "true_return": self._true_return,
            "labels": telling.tally(self.loop),
            "seconds": self.stopwatch.seconds(),
            "latest": {name: value for name, value in self._latest.items() if math.isfinite(value)},
        }
        write_json(draft / "state.json", state)

    def _report(self, status: str = "training", force: bool = False) -> None:
        """Twice a second at most: to the page, to the terminal, and an ear for what the page asks."""
        if not force and time.monotonic() - self._reported_at < REPORT_EVERY_SECONDS:
            return
        self._reported_at = time.monotonic()
        if self.server is not None and self.server.keep_up() and self.server.n_starts > 1:
            self.console.line(self.server.news)
        self.desk.attend()
        if self.subject is not None:
            attend(self.subject)
        self.replays.attend()
        paused, alarm = self.desk.paused, self.curves.alarm
        told = telling.progress(self.loop, self.total_steps, paused, self._latest, alarm)
        self.desk.report(status, self._message, told)
        self.console.show(telling.terminal(self.loop, self.total_steps, self._latest, self._return))
