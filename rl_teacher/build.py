"""Building the parts of a run from its configuration."""

from __future__ import annotations

import json
import platform
import socket
import sys
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rl_teacher.agents.making import make_learner
from rl_teacher.agents.novelty import Novelty
from rl_teacher.clips.making import Maker
from rl_teacher.config import REWARD_SEED, RunConfig, derived_seed
from rl_teacher.console import Console
from rl_teacher.desk import Desk, render
from rl_teacher.envs.behaviors import resolve
from rl_teacher.envs.episode import play_episode
from rl_teacher.envs.evaluate import evaluate
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.exploring import ExploringLoop, explored_agent
from rl_teacher.feedback.place import check_for_people
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.hints import serve_command
from rl_teacher.insight.curves import Curves
from rl_teacher.insight.subject import Subject
from rl_teacher.lengths import check_length, check_same
from rl_teacher.loop import TeachingLoop
from rl_teacher.metrics import Metrics
from rl_teacher.options import Machine, schedule_for
from rl_teacher.pace import pace_for
from rl_teacher.patience import Patience, patient
from rl_teacher.plug.lessons import OUTSIDE
from rl_teacher.protocols import Agent
from rl_teacher.queries.pool import SegmentPool
from rl_teacher.queries.strategies import make_strategy
from rl_teacher.replaying import check_fit
from rl_teacher.replays import Replays
from rl_teacher.reward.model import RewardEnsemble
from rl_teacher.rounds import Loop
from rl_teacher.runs import RunFolder
from rl_teacher.serving import FIRST_PORT, PageServer, Place, invitation, listen
from rl_teacher.session import Session
from rl_teacher.sight import INVISIBLE, make_maker, why_blind
from rl_teacher.stopwatch import Stopwatch
from rl_teacher.teachers.human import HumanTeacher
from rl_teacher.teachers.judging import make_judge, parse_teacher
from rl_teacher.teachers.replay import ReplayTeacher, recorded
from rl_teacher.teachers.synthetic import SyntheticTeacher

EVALUATIONS = 20
"""Looks at the policy in a run of known length."""
EVAL_EVERY = 250_000
"""Steps between them where the length is not known."""
EVAL_LEAST = 50_000
"""Fewer steps between two looks would spend more on looking than on learning."""
EVAL_EPISODES = 20
GLANCE_EPISODES = 4
"""The same on the way with a person, whose answers wait meanwhile."""
EVAL_SEED = 1_000_003
"""The same starts for every run and every look."""
POOL_PLAYS = 3
"""Questions are made of the last so many plays on the stage."""
BORROWED = ("stable-baselines3", "sb3-contrib", "sbx-rl")
PACKAGES = ("rl-teacher", "torch", "numpy", "gymnasium", "mujoco", "envpool", "dm_control", "metaworld", *BORROWED)


def build(
    config: RunConfig, machine: Machine, folder: RunFolder, stack: ExitStack, agent: Agent | None = None
) -> Session:
    """The session of a run with its loop, gone on from its last checkpoint if it has one.

    Args:
        config: What to run.
        machine: Where.
        folder: The run folder.
        stack: Closes what was opened.
        agent: Who learns; None: the one that the configuration names.

    Raises:
        UserError: For what cannot be used.
    """
    door = _door(config, machine, stack)
    spec = resolve(config.env_id, config.behavior, config.fixed_horizon)
    check_length(spec)
    console = Console(f"{config.name}: {config.behavior or config.env_id}, {config.predictor}")
    checkpoint = folder.latest(console.line)
    explored = None
    if checkpoint is None and config.explore_from is not None:
        explored = explored_agent(config.explore_from, machine.run_dir, config)
    done = _state(checkpoint)

    opened = open_store(machine.run_dir, machine.store)
    stack.callback(opened.close)
    patience = Patience(console.line)
    store = patient(opened, patience)
    if agent is None:
        agent, novelty = make_learner(config, spec, machine.workers, stack)
    else:
        novelty = None
    human = config.predictor == "human"
    blind = why_blind(spec, looked_at=human or machine.videos)
    pictures = human and blind is None
    warn = None if config.predictor == "rl" else console.line
    stage = Stage(spec, derived_seed(config.seed, 3, 0), run=config.name, pictures=pictures, warn=warn)
    stack.callback(stage.close)
    maker = make_maker(spec, stage.model, blind, for_people=human)
    desk = _desk(config, machine, spec, maker, store, folder.is_new())
    stack.callback(desk.close)
    session = _session(config, machine, patient(folder, patience), console, desk, agent, spec, done, blind)
    session.metrics = patient(session.metrics, patience)
    patience.should_stop = lambda: session.stop_asked
    stack.callback(session.metrics.close)
    if config.predictor == "rl":
        session.loop = Loop(agent, pace_for(config, spec.clip_steps), session)
    else:
        session.loop = _teaching(config, spec, session, agent, stage, novelty, is_new=checkpoint is None)

    def begin_leg(steps: int) -> None:
        agent.restart(derived_seed(config.seed, 1, steps))
        stage.restart(derived_seed(config.seed, 3, steps))
        if isinstance(session.loop, TeachingLoop):
            session.loop.pool.restart(derived_seed(config.seed, 5, steps))
            session.loop.choose = make_strategy(config.queries)

    session.begin_leg = begin_leg
    if checkpoint is not None:
        session.restore(checkpoint)
        if isinstance(session.loop, TeachingLoop) and not config.replay:
            check_same(session.loop.comparisons.values(), spec)
        console.line(f"going on from step {session.loop.steps:,}")
    elif explored is not None:
        session.begin_with(explored)
        console.line(f"beginning with what '{config.explore_from}' explored in {session.loop.steps:,} steps")
    session.subject = _subject(session, agent, spec)
    if config.predictor == "human":
        _open_the_page(session, machine, stack, done, door)
    folder.configure(asdict(config), {"workers": machine.workers, "versions": _versions()})
    return session


def _teaching(
    config: RunConfig,
    spec: EnvSpec,
    session: Session,
    agent: Agent,
    stage: Stage,
    novelty: Novelty | None,
    *,
    is_new: bool,
) -> Loop:
    desk, human = session.desk, config.predictor == "human"
    reward = RewardEnsemble(stage.obs_space, stage.act_space, config.reward, derived_seed(config.seed, REWARD_SEED))
    pool = SegmentPool(spec.clip_steps, POOL_PLAYS, np.random.default_rng(derived_seed(config.seed, 5, 0)))
    if human:
        at_once = desk.maker is not None and desk.maker.at_once
        aside = None if at_once else desk.aside
        teacher = HumanTeacher(desk.store, desk.experiment_id, desk.run_id, desk.clip, config.reward.error_rate, aside)
    elif config.replay:
        said = recorded(desk.store, config.replay, config.reward.error_rate) if is_new else []
        if said:
            check_fit(said, config.replay, stage.obs_space.shape, stage.act_space.shape)
        teacher = ReplayTeacher(said)
    else:
        teacher = SyntheticTeacher(make_judge(parse_teacher(config.teacher), derived_seed(config.seed, 6)))
    session.parts += [reward, pool]
    if not isinstance(teacher, HumanTeacher):
        session.parts.append(teacher)
    pace = pace_for(config, spec.clip_steps)
    if warning := pace.warning():
        session.console.line(warning)
    parts: dict[str, Any] = {
        **{"agent": agent, "pace": pace, "watch": session, "stage": stage, "pool": pool, "reward": reward},
        **{"teacher": teacher, "choose": make_strategy(config.queries), "schedule": schedule_for(config)},
        **{"pretrain_iters": config.reward.pretrain_iters, "keep_fitting": config.reward.keep_fitting},
    }
    if novelty is None or config.explore is None:
        return TeachingLoop(**parts, novice=agent if config.explore_from else None)
    session.parts.append(novelty)
    return ExploringLoop(**parts, novelty=novelty, explore_steps=config.explore, explore_round=config.rounds()[0])


def _session(
    config: RunConfig,
    machine: Machine,
    folder: RunFolder,
    console: Console,
    desk: Desk,
    agent: Agent,
    spec: EnvSpec,
    done: dict[str, Any],
    blind: str | None,
) -> Session:
    def look(n_episodes: int) -> Any:
        return evaluate(agent, spec, n_episodes, EVAL_SEED, machine.workers)

    total = None if config.endless else config.num_timesteps
    return Session(
        folder=folder,
        metrics=Metrics(folder.path, done["steps"]),
        console=console,
        desk=desk,
        stopwatch=Stopwatch(done["seconds"]),
        about={name: getattr(config, name) for name in ("name", "env_id", "agent", "predictor", "seed")},
        parts=[agent],
        evaluate=look,
        replays=Replays(
            desk,
            play=lambda: play_episode(agent, spec, EVAL_SEED),
            folder=folder.path / "videos" if machine.videos else None,
            why_not=None if desk.can_show else f"No video of {config.env_id}: {blind or INVISIBLE}.",
            say=console.line,
        ),
        curves=Curves(desk.store, desk.run_id, done["steps"]),
        eval_every=EVAL_EVERY if total is None else max(total // EVALUATIONS, EVAL_LEAST),
        total_steps=total,
        n_glance=GLANCE_EPISODES if config.predictor == "human" else EVAL_EPISODES,
        n_episodes=EVAL_EPISODES,
        behavior=config.behavior,
        has_legs=config.predictor != "human" and config.agent != OUTSIDE,
    )


def _desk(config: RunConfig, machine: Machine, spec: EnvSpec, maker: Maker | None, store: Store, is_new: bool) -> Desk:
    return Desk(
        store,
        spec,
        maker,
        name=config.name,
        seed=config.seed,
        predictor=config.predictor,
        instructions=config.instructions,
        is_new=is_new,
        wanted=config.n_labels,
        people=machine.people,
    )


def _door(config: RunConfig, machine: Machine, stack: ExitStack) -> socket.socket | None:
    """The page's listening socket, opened before anything is written: a command that is refused leaves no trace."""
    if config.predictor != "human":
        return None
    check_for_people(machine.run_dir, machine.store)
    return stack.enter_context(listen(machine.host, machine.port)) if machine.serve else None


def _open_the_page(
    session: Session, machine: Machine, stack: ExitStack, done: dict[str, Any], door: socket.socket | None
) -> None:
    desk, line = session.desk, session.console.line
    before, here = done.get("labels", {}).get("answered", 0), desk.store.counts(desk.experiment_id).answered
    if here < before:
        line(f"The store holds {here} answers, the checkpoint knew of {before}: was the database replaced?")
    screen = f"teach/{desk.experiment_id}"
    if door is None:
        line(f"Nobody serves the page here (--no_serve). Serve it with: {serve_command(machine)}")
        return
    server = PageServer(door, Place.of(machine), session.folder.path / "server.log")
    stack.callback(server.close)
    server.keep_up()
    session.server = server
    if machine.port is None and server.port != FIRST_PORT:
        line(f"port {FIRST_PORT} is in use: the page is at port {server.port}")
    line(f"Teach it here: {invitation(desk.store, server.address, screen)}")


def _subject(session: Session, agent: Agent, spec: EnvSpec) -> Subject:
    """What people may ask about the run, answered from its own parts."""
    loop, desk = session.loop, session.desk
    teaching = loop if isinstance(loop, TeachingLoop) else None
    return Subject(
        store=desk.store,
        experiment_id=desk.experiment_id,
        run_id=desk.run_id,
        step=lambda: loop.steps,
        reward=lambda: teaching.reward if teaching and teaching.ready and teaching.reward.n_fits else None,
        comparisons=lambda: teaching.comparisons if teaching else {},
        recent=lambda n: teaching.pool.spread(n) if teaching else [],
        play=lambda seed: play_episode(agent, spec, seed),
        clip=desk.keep,
        film=lambda job: render(desk.store, desk.maker, job),
        has_true_return=spec.behavior is None,
    )


def _state(checkpoint: Path | None) -> dict[str, Any]:
    return {"steps": 0, "seconds": {}} if checkpoint is None else json.loads((checkpoint / "state.json").read_text())


def _versions() -> dict[str, str]:
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except ModuleNotFoundError:
            installed[package] = "not installed"
    return {"python": sys.version.split()[0], "platform": platform.platform(), **installed}
