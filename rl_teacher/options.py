"""The command line of `teach`, the original's flags among them, and what may be asked of it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rl_teacher.agents.registry import check_fit, resolve_agent
from rl_teacher.config import STEPS_PER_LABEL, RewardConfig, RunConfig
from rl_teacher.envs.behaviors import resolve
from rl_teacher.errors import UserError, unknown
from rl_teacher.overrides import override
from rl_teacher.presets import preset
from rl_teacher.protocols import LabelSchedule
from rl_teacher.quantities import HIGHEST_RATE, MOST_LABELS, MOST_PER_PAIR, count, number, share
from rl_teacher.queries.schedules import make_schedule
from rl_teacher.queries.strategies import make_strategy
from rl_teacher.replaying import fill_in
from rl_teacher.runs import fault_log
from rl_teacher.settings import PIXELS, QUERIES_OF_PIXELS, exploring, reward_for, settings_for
from rl_teacher.teachers.judging import FAULTLESS, parse_teacher
from rl_teacher.words import Parser

PREDICTORS = ("rl", "synth", "human")


@dataclass(frozen=True, slots=True)
class Machine:
    """What may differ between two starts of the same run."""

    run_dir: Path
    workers: int
    """Simulator threads."""
    videos: bool
    store: str | None
    """URL of the database; None: SQLite beside the runs."""
    host: str
    port: int | None
    """None: the first free one."""
    serve: bool
    allowed_host: str | None = None
    """Further name of this machine for the page's address."""
    people: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the experiment that were given; people may change them on the page."""


def parser() -> Parser:
    """The parser of `teach`. Every long option is understood with underscores and with dashes."""
    p = Parser(
        prog="rl-teacher teach",
        description="Teach an agent: from the true reward (rl), a synthetic teacher (synth), or a person (human).",
        allow_abbrev=False,
    )

    def option(*names: str, **settings: object) -> None:
        spellings = dict.fromkeys(s for name in names for s in (name, _dashed(name)))
        p.add_argument(*spellings, dest=names[-1].lstrip("-").replace("-", "_"), **settings)  # pyright: ignore

    option("-e", "--env_id", help="Reacher-v1, gym:ID, dm:walker-walk, metaworld:reach, atari:pong, MODULE:FACTORY …")
    option("-p", "--predictor", help="rl: true reward; synth: comparisons by it; human: by a person")
    option("-n", "--name", help="of the run; the same command again goes on where it stopped")
    option("-s", "--seed", default="1", help="of every random choice (default 1)")
    option("-w", "--workers", help="simulator threads (default: the cores)")
    option("-l", "--n_labels", help="answers in all, up to 100,000; without it a person teaches until they stop")
    option("-L", "--pretrain_labels", help="answers before the agent learns (default: a quarter of -l)")
    option("-t", "--num_timesteps", default="5e6", help="environment steps (default 5e6)")
    option("-a", "--agent", default="ppo", help="who learns: ppo (default), trpo, sb3:SAC, sbx:SAC …; docs/agents.md")
    option("-i", "--pretrain_iters", help="gradient steps of the first fit (default 300)")
    option("-V", "--no_videos", action="store_true", help="do not render video files")
    option("--preset", default="default", help="how r̂ is learned and asked for: default, paper, original")
    option("--set", action="append", default=[], help="one setting, as --set reward.members=5; may be given often")
    option("--teacher", default="oracle", help="who judges with -p synth: oracle, mistake:0.1, rational:1+skip:0.1 …")
    option("--replay", help="name of an experiment: what people answered there is given again, in place of -p")
    option("--queries", help="which pairs to ask: random, information, sort … or a mixture (default: the preset's)")
    option("--label_schedule", help="when to ask: exponential, hyperbolic, linear, constant, clock or MODULE:FUNCTION")
    option("--labels_by", default="1", help="share of the run by which all of -l are asked for (default 1)")
    option("--instructions", help="what people are told, Markdown: text, or @file")
    option("--answers_per_pair", help="people who are to answer each pair with -p human (default 1)")
    option("--repeat_rate", help="share of pairs shown to the same person once more, as a test (default 0)")
    option("--gold_rate", help="share of pairs whose answer is known, as a test (default 0)")
    option("--trust", action="store_true", help="soften the answers of people who often err")
    option("--behavior", help="trick to teach in place of the task: hopper-backflip …, or your judge, MODULE:FUNCTION")
    option("--fixed_horizon", help="of foreign environments that end early: never-done, or absorbing (stand still)")
    option("--explore", help="steps in which the agent seeks what it has not seen, before the first question (0)")
    option("--explore_from", help="run that had --explore, or its folder: begin with the agent as it was then")
    option("--run_dir", default="runs", help="where runs and the feedback store lie (default runs)")
    option("--store", help="database URL (default: SQLite in the run dir)")
    option("--host", default="127.0.0.1", help="address of the page (default 127.0.0.1)")
    option("--allowed_host", help="further name that people call this machine's page by, besides its own")
    option("--port", help="port of the page (default: the first free one from 8000)")
    option("--no_serve", action="store_true", help="do not start the page (another process serves it)")
    return p


def parse(argv: Sequence[str] | None = None) -> tuple[RunConfig, Machine]:
    """The command line as configuration.

    Raises:
        UserError: For anything that cannot be used; one line.
    """
    args = parser().read(argv)
    run_dir = Path(args.run_dir)
    if args.replay is not None:
        fill_in(args, run_dir)
    if missing := [name for name in ("-p/--predictor", "-n/--name") if getattr(args, name.split("--")[1]) is None]:
        raise UserError(f"The following arguments are required: {', '.join(missing)}. See --help.")
    if args.predictor not in PREDICTORS:
        raise unknown("predictor", args.predictor, PREDICTORS)
    agent = resolve_agent(args.agent)
    with fault_log(run_dir, args.name):
        spec = resolve(args.env_id, args.behavior, args.fixed_horizon)
    check_fit(agent, spec.env_id, spec.choices, spec.pixels)
    n_labels = None if args.n_labels is None else count("-l/--n_labels", args.n_labels, "700", most=MOST_LABELS)
    pretrain = _pretrain(args.pretrain_labels, n_labels)
    recipe = preset(args.preset)
    task = spec.task.name if spec.task else PIXELS if spec.pixels else spec.env_id
    ppo, learner = settings_for(agent, task, args.behavior)
    explore = _explore(args, spec.pixels)
    learner = exploring(learner) if explore or args.explore_from else learner
    of_agent = {"ppo": ppo} if learner is None else {"learner": learner}
    settings = override(
        {"reward": reward_for(recipe.reward, task, args.behavior, pixels=spec.pixels), **of_agent}, args.set
    )
    reward: RewardConfig = settings["reward"]
    if spec.pixels and (reward.wide or reward.use_act):
        raise UserError(
            f"reward.{'wide' if reward.wide else 'use_act'}=true given with '{spec.env_id}', whose observations are "
            "pictures; r̂ sees nothing but these, by convolutions. Leave it out."
        )
    if args.pretrain_iters is not None:
        reward = replace(reward, pretrain_iters=count("-i/--pretrain_iters", args.pretrain_iters, "300"))
    schedule = args.label_schedule or (recipe.label_schedule if n_labels else "constant")
    config = RunConfig(
        env_id=spec.env_id,
        predictor=args.predictor,
        name=args.name,
        seed=count("-s/--seed", args.seed, "1", least=0),
        n_labels=n_labels,
        pretrain_labels=pretrain,
        num_timesteps=count("-t/--num_timesteps", args.num_timesteps, "1e6"),
        agent=agent,
        preset=args.preset.lower(),
        teacher=_teacher(args.predictor, args.teacher),
        label_schedule=schedule,
        labels_by=share("--labels_by", args.labels_by),
        queries=args.queries or (QUERIES_OF_PIXELS if spec.pixels else recipe.queries),
        instructions=_instructions(args.instructions) or spec.instructions,
        behavior=args.behavior,
        ppo=settings.get("ppo"),
        reward=reward,
        replay=args.replay,
        fixed_horizon=args.fixed_horizon,
        learner=settings.get("learner"),
        explore=explore,
        explore_from=args.explore_from,
    )
    make_strategy(config.queries)  # a mistake is told before anything is made
    schedule_for(config)
    machine = Machine(
        run_dir=run_dir,
        workers=os.cpu_count() or 1 if args.workers is None else count("-w/--workers", args.workers, "4"),
        videos=not args.no_videos,
        store=args.store,
        host=args.host,
        port=None if args.port is None else count("--port", args.port, "8000", most=65_535),
        serve=not args.no_serve,
        allowed_host=args.allowed_host,
        people=_people(args),
    )
    return config, machine


def schedule_for(config: RunConfig) -> LabelSchedule:
    """How many answers a run wants by when.

    Raises:
        UserError: For a schedule that cannot be used.
    """
    n_steps, by = config.num_timesteps, config.labels_by
    return make_schedule(config.label_schedule, config.n_labels, config.pretrain_labels, n_steps, STEPS_PER_LABEL, by)


def _people(args: argparse.Namespace) -> dict[str, Any]:
    """What was given of the settings that the page can change too."""
    given = {name: getattr(args, name) for name in ("answers_per_pair", "repeat_rate", "gold_rate", "trust")}
    given = {name: value for name, value in given.items() if value not in (None, False)}
    if given and args.predictor != "human":
        raise UserError(f"--{min(given)} given with -p {args.predictor}, where nobody is asked. Leave it out.")
    if "answers_per_pair" in given:
        given["answers_per_pair"] = count("--answers_per_pair", given["answers_per_pair"], "3", most=MOST_PER_PAIR)
    for name in {"repeat_rate", "gold_rate"} & set(given):
        value = number(given[name])
        if not 0.0 <= value <= HIGHEST_RATE:
            raise UserError(
                f"--{name} {given[name]} given; allowed is a share from 0 to {HIGHEST_RATE}. "
                f"Give for example --{name} 0.05."
            )
        given[name] = value
    return given


def _pretrain(given: str | None, n_labels: int | None) -> int:
    if given is None:
        return max(1, n_labels // 4) if n_labels else 0
    pretrain = count("-L/--pretrain_labels", given, "175", least=0, most=MOST_LABELS)
    if n_labels is not None and pretrain > n_labels:
        raise UserError(
            f"-L/--pretrain_labels {pretrain} given with -l/--n_labels {n_labels}; the labels before training are part "
            f"of all labels. Give -L {n_labels} or fewer, or a larger -l."
        )
    return pretrain


def _explore(args: argparse.Namespace, pixels: bool) -> int | None:
    """Steps of exploring; None: there are none."""
    for name in ("explore", "explore_from"):
        if getattr(args, name) is not None and args.predictor == "rl":
            raise UserError(f"--{name} given with -p rl, where no question is asked. Leave it out, or -p synth.")
        if getattr(args, name) is not None and pixels:
            raise UserError(
                f"--{name} given with '{args.env_id}', whose observations are pictures; how new one is, nobody can "
                "measure so far. Leave it out."
            )
    if args.explore is None:
        return None
    if args.explore_from is not None:
        raise UserError(
            f"--explore {args.explore} given with --explore_from, which brings what was explored. Give one."
        )
    steps = count("--explore", args.explore, "9000", least=0)
    if steps >= number(args.num_timesteps):
        raise UserError(
            f"--explore {steps} given with -t/--num_timesteps {args.num_timesteps}, which it is a part of; allowed is "
            "less. Explore for fewer steps, or give a larger -t."
        )
    return steps or None


def _teacher(predictor: str, given: str) -> str:
    teacher = parse_teacher(given)
    if predictor != "synth" and teacher != FAULTLESS:
        raise UserError(
            f"--teacher {given} given with -p {predictor}, where no script judges. Leave it out, or -p synth."
        )
    return str(teacher)


def _instructions(given: str | None) -> str:
    if given is None or not given.startswith("@"):
        return given or ""
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--instructions {given} given, but it cannot be read: {error}. Give text, or @file.") from None


def _dashed(name: str) -> str:
    return name if not name.startswith("--") else "--" + name[2:].replace("_", "-")
