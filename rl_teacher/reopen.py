"""A run that nobody trains any more, from its newest checkpoint, so that questions about it can be answered."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from rl_teacher.agents.making import make_agent
from rl_teacher.checkpoints import PARTS
from rl_teacher.config import REWARD_SEED, RunConfig, derived_seed, read_config
from rl_teacher.desk import ClipKeeper, render
from rl_teacher.envs.behaviors import resolve
from rl_teacher.envs.episode import play_episode
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.stage import Stage
from rl_teacher.errors import UserError
from rl_teacher.feedback.records import Run
from rl_teacher.feedback.store import Store
from rl_teacher.insight.subject import Subject
from rl_teacher.plug.lessons import OUTSIDE
from rl_teacher.protocols import Teacher
from rl_teacher.queries.pool import SegmentPool
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.runs import newest_checkpoint
from rl_teacher.sight import make_maker, why_blind
from rl_teacher.teachers.human import HumanTeacher
from rl_teacher.teachers.judging import make_judge, parse_teacher
from rl_teacher.teachers.replay import ReplayTeacher
from rl_teacher.teachers.synthetic import SyntheticTeacher
from rl_teacher.trajectory import Comparison, Segment


def reopen(run_dir: Path, run: Run, store: Store) -> Subject:
    """The run as its newest checkpoint has it.

    Args:
        run_dir: Where the run folders lie.
        run: Which.
        store: Where its people are met.

    Raises:
        UserError: If there is no checkpoint to load, or its environment cannot be made.
    """
    settings, checkpoint = newest_checkpoint(run_dir, run.name, PARTS.get(run.predictor, ()))
    config = read_config(settings)
    if config.agent == OUTSIDE:
        raise UserError(
            f"Run '{run.name}' teaches a learner of another program, which alone has its policy. Ask while that runs."
        )
    spec = resolve(config.env_id, config.behavior, config.fixed_horizon)
    torch.set_num_threads(1)
    with ExitStack() as stack:
        env = make_vec(spec, 1, 0, 1)
        stack.callback(env.close)
        stage = Stage(spec, 0, n_envs=1)
        stack.callback(stage.close)
        agent = make_agent(config, env, 0, only_plays=True)
        agent.load(checkpoint)
        reward = RewardEnsemble(stage.obs_space, stage.act_space, config.reward, derived_seed(config.seed, REWARD_SEED))
        if config.predictor != "rl":
            reward.load(checkpoint)
        maker = make_maker(spec, stage.model, why_blind(spec, looked_at=True), for_people=False)
        clip = None if maker is None else ClipKeeper(store, spec, maker)
    step = int(checkpoint.name.removeprefix("step-"))

    def recent(n: int) -> list[Segment]:
        pool = SegmentPool(spec.clip_steps, 1, np.random.default_rng(0))
        pool.add([play_episode(agent, spec, 0, step, pictures=clip is not None)])
        return pool.spread(n)

    return Subject(
        store=store,
        experiment_id=run.experiment_id,
        run_id=run.id,
        step=lambda: step,
        reward=lambda: reward if reward.n_fits else None,
        comparisons=_Said(_teacher(config, run, store, checkpoint)),
        recent=recent,
        play=lambda seed: play_episode(agent, spec, seed),
        clip=clip,
        film=lambda job: render(store, maker, job),
        has_true_return=spec.behavior is None,
    )


class _Said:
    """What the teacher of a run has said so far; read on each time it is asked for."""

    def __init__(self, teacher: Teacher | None):
        self._teacher = teacher
        self._cursor = 0
        self._comparisons: dict[str, Comparison] = {}

    def __call__(self) -> Mapping[str, Comparison]:
        if self._teacher is not None:
            changes = self._teacher.changes(self._cursor)
            self._cursor = changes.cursor
            self._comparisons |= {one.query.id: one for one in changes.comparisons}
            for query_id in changes.withdrawn:
                self._comparisons.pop(query_id, None)
        return self._comparisons


def _teacher(config: RunConfig, run: Run, store: Store, checkpoint: Path) -> Teacher | None:
    if config.predictor == "rl":
        return None
    if config.predictor == "human":
        return HumanTeacher(store, run.experiment_id, run.id, lambda segment: "")  # it asks nothing here
    teacher = ReplayTeacher() if config.replay else SyntheticTeacher(make_judge(parse_teacher(config.teacher), 0))
    teacher.load(checkpoint)
    return teacher
