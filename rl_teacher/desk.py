"""A run's place in the store: what people see of it, and what they ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rl_teacher.clips.poses import drawable, poses, scene
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.feedback.store import Store
from rl_teacher.insight.answers import ANSWERS


class ClipMaker:
    """Puts simulator states into the store as clips.

    Args:
        store: Where trainer and page meet.
        spec: The environment.
        model: Its MuJoCo model; see `Desk`.
    """

    def __init__(self, store: Store, spec: EnvSpec, model: Any | None):
        self._store, self._spec, self._model = store, spec, model
        self._scene = scene(model, spec.env_id) if drawable(model) else b""

    def __call__(self, sim: np.ndarray) -> str:
        """The id of the clip of simulator states (F, S)."""
        return self._store.add_clip(
            kind="poses",
            data=poses(self._model, sim),
            media_type="application/octet-stream",
            scene=self._scene,
            n_frames=len(sim),
            fps=self._spec.fps,
            dt=self._spec.dt or 1.0 / self._spec.fps,
        )


class Desk:
    """Reports the run, shows the agent's play, takes in requests from the page.

    Args:
        store: Where trainer and page meet.
        spec: The environment.
        model: Its MuJoCo model, or None where there is none: then nothing can be drawn from poses.
        name: Of experiment and run.
        seed: Of the run.
        predictor: rl, synth or human.
        instructions: What people are told, Markdown; what the page made of it stays when a run goes on.
        is_new: The run begins here, if perhaps not its experiment.
        wanted: Answers in all; None: without end.
        people: Settings of the experiment that were given with the command; the others stay as the page has them.
    """

    def __init__(
        self,
        store: Store,
        spec: EnvSpec,
        model: Any | None,
        *,
        name: str,
        seed: int,
        predictor: str,
        instructions: str,
        is_new: bool,
        wanted: int | None,
        people: Mapping[str, Any] | None = None,
    ):
        self.store = store
        self.experiment_id = store.experiment(name, spec.env_id, instructions, wanted)
        if is_new:
            store.edit_experiment(self.experiment_id, instructions=instructions, wanted=wanted)
        if people:
            store.edit_experiment(self.experiment_id, **people)
        self._wanted = wanted
        self.run_id = store.run(self.experiment_id, name, seed, predictor)
        self.can_draw = drawable(model)
        self.model = model
        self.clip = ClipMaker(store, spec, model)
        self.paused = False
        self.finish_asked = False
        for job in store.jobs(self.run_id, besides=ANSWERS):  # asked of a trainer that was not there
            store.finish_job(job.id, False, {"message": "The trainer was started after this was asked."})

    def show(self, sim: np.ndarray, step: int, true_return: float | None) -> None:
        """Let people watch how the agent plays at this step of the run."""
        self.store.add_replay(self.run_id, step, self.clip(sim), true_return)

    def report(self, status: str, message: str, progress: Mapping[str, Any]) -> None:
        """Say what the run does; also the sign that it lives."""
        self.store.report(self.run_id, status, message, dict(progress))

    def close(self) -> None:
        """Teaching is over: no more questions are handed out."""
        self.store.edit_experiment(self.experiment_id, status="finished")

    def attend(self) -> None:
        """Do what people asked for on the page; questions about the run are answered by `insight.serve`.

        Fewer answers than the run was to have end it when they are there.
        """
        cap = self.store.experiment_by_id(self.experiment_id).wanted
        if cap is not None and (self._wanted is None or cap < self._wanted):
            self.finish_asked |= self.store.counts(self.experiment_id).decided >= cap
        for job in self.store.jobs(self.run_id, besides=ANSWERS):
            known = {"pause": self._pause, "resume": self._resume, "finish": self._finish}
            if job.kind in known:
                known[job.kind]()
                self.store.finish_job(job.id, True, {})
            else:
                self.store.finish_job(job.id, False, {"message": f"This trainer cannot do '{job.kind}'."})

    def _pause(self) -> None:
        self.paused = True

    def _resume(self) -> None:
        self.paused = False

    def _finish(self) -> None:
        self.finish_asked = True
