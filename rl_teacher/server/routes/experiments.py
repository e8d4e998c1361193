"""Experiments, runs and what people ask of the trainer."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from rl_teacher.feedback.records import NotFoundError
from rl_teacher.server import people_shapes, shapes, views
from rl_teacher.server.access import StoreDep, TheExperiment, Who, look_up, need_researcher, note, opens

router = APIRouter(tags=["experiments"])


@router.get("/experiments")
def list_experiments(store: StoreDep, identity: Who) -> shapes.ExperimentList:
    """All experiments your token opens."""
    shown = [views.experiment(store, one, identity) for one in store.experiments() if opens(identity, one.id)]
    return shapes.ExperimentList(experiments=shown)


@router.get("/experiments/{experiment_id}")
async def read_experiment(experiment: TheExperiment, store: StoreDep, identity: Who) -> shapes.ExperimentOut:
    """One experiment."""
    return await look_up(store, views.experiment, store, experiment, identity)  # every open page asks for it


@router.patch("/experiments/{experiment_id}")
def edit_experiment(
    experiment: TheExperiment, body: people_shapes.SettingsBody, store: StoreDep, identity: Who
) -> shapes.ExperimentOut:
    """Change settings (researchers). They hold from now on; `answers_per_pair` for open questions too."""
    need_researcher(identity)
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    for name, value in changes.items():
        if value is None and name != "wanted":
            raise HTTPException(422, f"body.{name}: null given; leave it out to keep it as it is")
    if changes:
        store.edit_experiment(experiment.id, **changes)
        note(store, identity, "settings changed", experiment=experiment.name, **changes)
    return views.experiment(store, store.experiment_by_id(experiment.id), identity)


@router.post("/experiments/{experiment_id}/jobs")
def add_job(experiment: TheExperiment, body: shapes.JobBody, store: StoreDep, identity: Who) -> shapes.JobMade:
    """Ask something of the trainer (researchers)."""
    need_researcher(identity)
    job_id = store.add_job(experiment.id, body.kind, body.args)
    note(store, identity, f"trainer asked to {body.kind}", experiment=experiment.name)
    return shapes.JobMade(job_id=job_id)


@router.get("/jobs/{job_id}")
def read_job(job_id: str, store: StoreDep, identity: Who) -> shapes.JobOut:
    """What came of a job (researchers)."""
    need_researcher(identity)
    job, result = store.job(job_id)
    if not opens(identity, job.experiment_id):
        raise NotFoundError(f"There is no job '{job_id[:100]}' in this store.")
    return views.job(job, result)


@router.get("/runs/{name}")
def read_run(name: str, store: StoreDep, identity: Who) -> shapes.RunPage:
    """A run and how its agent plays."""
    run = store.run_by_name(name)
    if not opens(identity, run.experiment_id):
        raise NotFoundError(f"There is no run '{name[:100]}' in this store.")
    return shapes.RunPage(
        run=views.run(run, store.clock()),
        experiment=views.experiment(store, store.experiment_by_id(run.experiment_id), identity),
        replays=[views.replay(one) for one in store.replays(run.id)],
    )
