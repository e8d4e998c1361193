"""A run's place in the store: what people see of it, and what they ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, wait
from typing import Any

from rl_teacher.aside import Aside
from rl_teacher.clips.making import FromPoses, Maker, Played
from rl_teacher.clips.video import NoStudioError
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError
from rl_teacher.feedback.records import Job
from rl_teacher.feedback.showing import RENDER
from rl_teacher.feedback.store import Store
from rl_teacher.insight.answers import ANSWERS
from rl_teacher.trajectory import Segment

CLIPS_KNOWN = 1024
"""A segment may be part of several questions; its clip is made once."""


class ClipKeeper:
    """Puts what was played into the store as clips.

    Args:
        store: Where trainer and page meet.
        spec: The environment.
        maker: How its clips are made.
    """

    def __init__(self, store: Store, spec: EnvSpec, maker: Maker):
        self._store, self._spec, self._maker = store, spec, maker

    def __call__(self, played: Played) -> str:
        """The id of the clip that shows it."""
        made = self._maker.clip(played)
        return self._store.add_clip(
            kind=made.kind,
            data=made.data,
            media_type=made.media_type,
            scene=made.scene,
            n_frames=made.n_frames,
            fps=self._spec.fps,
            dt=self._spec.dt or 1.0 / self._spec.fps,
            renditions=made.renditions,
        )


class Desk:
    """Reports the run, shows the agent's play, takes in requests from the page.

    Args:
        store: Where trainer and page meet.
        spec: The environment.
        maker: How its clips are made, or None where there is no way; closed with the desk.
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
        maker: Maker | None,
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
        self.maker = maker
        self.keep = None if maker is None else ClipKeeper(store, spec, maker)
        """Puts anything that was played into the store as a clip; None where nothing can be seen."""
        self.aside = Aside()
        self._clips: dict[str, str] = {}
        self._showing: Future[None] | None = None
        self.paused = False
        self.finish_asked = False
        for job in store.jobs(self.run_id, besides=ANSWERS):  # asked of a trainer that was not there
            if job.kind == RENDER:
                self._render(job)
            else:
                store.finish_job(job.id, False, {"message": "The trainer was started after this was asked."})

    @property
    def can_show(self) -> bool:
        """Whether what the agent does can be seen on the page."""
        return self.maker is not None

    def clip(self, segment: Segment) -> str:
        """Put a segment into the store as a clip; returns its id."""
        if segment.key not in self._clips:
            if len(self._clips) >= CLIPS_KNOWN:
                self._clips.clear()
            self._clips[segment.key] = self._clip(segment)
        return self._clips[segment.key]

    def show(self, played: Played, step: int, true_return: float | None) -> None:
        """Let people watch how the agent plays at this step of the run."""
        if self.maker is not None and self.maker.at_once:
            self._show(played, step, true_return)
        else:
            self._showing = self.aside.submit(self._show, played, step, true_return)

    def report(self, status: str, message: str, progress: Mapping[str, Any]) -> None:
        """Say what the run does; also the sign that it lives."""
        self.store.report(self.run_id, status, message, dict(progress))

    def finish(self) -> None:
        """Teaching is over: no more questions are handed out."""
        self.store.edit_experiment(self.experiment_id, status="finished")

    def close(self) -> None:
        """End what is done aside; the last play is still shown."""
        if self._showing is not None:
            wait([self._showing])
        self.aside.close()
        if self.maker is not None:
            self.maker.close()

    def attend(self) -> None:
        """Do what people asked for on the page; questions about the run are answered by `insight.serve`.

        Fewer answers than the run was to have end it when they are there.
        """
        self.aside.check()
        cap = self.store.experiment_by_id(self.experiment_id).wanted
        if cap is not None and (self._wanted is None or cap < self._wanted):
            self.finish_asked |= self.store.counts(self.experiment_id).decided >= cap
        for job in self.store.jobs(self.run_id, besides=ANSWERS):
            known = {"pause": self._pause, "resume": self._resume, "finish": self._finish}
            if job.kind == RENDER:
                self._render(job)
            elif job.kind in known:
                known[job.kind]()
                self.store.finish_job(job.id, True, {})
            else:
                self.store.finish_job(job.id, False, {"message": f"This trainer cannot do '{job.kind}'."})

    def _clip(self, played: Played) -> str:
        if self.keep is None:
            raise ValueError("an environment without pictures or simulator state cannot be shown")
        return self.keep(played)

    def _show(self, played: Played, step: int, true_return: float | None) -> None:
        try:
            clip = self._clip(played)
        except NoStudioError:  # whoever is to make video files tells it
            return
        self.store.add_replay(self.run_id, step, clip, true_return)

    def _render(self, job: Job) -> None:
        self.aside.submit(render, self.store, self.maker, job)

    def _pause(self) -> None:
        self.paused = True

    def _resume(self) -> None:
        self.paused = False

    def _finish(self) -> None:
        self.finish_asked = True


def render(store: Store, maker: Maker | None, job: Job) -> str:
    """Make a film of a clip that is poses, as a job of kind `RENDER` asks; returns a line that says what came of it."""
    try:
        clip = store.clip(str(job.args.get("clip_id", "")), job.experiment_id)
        if clip.kind != "poses" or not isinstance(maker, FromPoses):
            raise UserError("This clip is no drawing.")
        films = maker.render(store.blobs.get(clip.blob), clip.n_frames)
    except (UserError, ValueError) as error:
        store.finish_job(job.id, False, {"message": str(error)})
        return f"{job.kind}: {error}"
    store.add_renditions(clip.id, films)
    store.finish_job(job.id, True, {})
    return f"{job.kind}: a film of {clip.n_frames} frames"
