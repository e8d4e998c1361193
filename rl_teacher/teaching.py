"""A whole run of teaching around somebody's own learner."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self, cast

from rl_teacher.build import build
from rl_teacher.checkpoints import PARTS
from rl_teacher.config import derived_seed
from rl_teacher.envs.stage import Stage
from rl_teacher.errors import UserError
from rl_teacher.loop import TeachingLoop
from rl_teacher.options import parse
from rl_teacher.plug.lessons import OUTSIDE, Lessons, Outside
from rl_teacher.runs import RunFolder, fault_log
from rl_teacher.session import Session
from rl_teacher.teach import told


class Teaching(Lessons):
    """A run of `rl-teacher teach` whose agent is your own: same page, same questions, same run folder.

    It is a context manager; leaving it evaluates the policy, saves, and closes the page. The same call again goes on
    with what people answered and r̂ learned; what the learner has learned, its own program must save.

    Args:
        options: The options of `rl-teacher teach` by their long names (docs/cli.md), as `env_id`, `name`, `predictor`
            ("synth" or "human"), `n_labels`, `num_timesteps`. A true value gives an option that takes none.

    Raises:
        UserError: For what cannot be used; one line.
    """

    def __init__(self, **options: Any) -> None:
        config, machine = parse(_words(options))
        if config.predictor == "rl":
            raise UserError("predictor 'rl' given, where nobody teaches; allowed are synth and human. Give one.")
        if config.explore or config.explore_from:
            raise UserError("explore given, but your learner learns by itself; have it explore first. Leave it out.")
        config = replace(config, agent=OUTSIDE)
        with ExitStack() as stack:
            stack.enter_context(fault_log(machine.run_dir, config.name))
            folder = RunFolder(machine.run_dir, config.name, PARTS[config.predictor])
            stack.callback(folder.close)
            folder.compare(asdict(config))
            if folder.summary().get("finished"):
                raise UserError(
                    f"Run '{config.name}' is finished: nothing more is asked. Take its reward with `rl-teacher export "
                    f"reward {config.name}`, or give another name."
                )
            agent = Outside(derived_seed(config.seed, 1, 0))
            session = build(config, machine, folder, stack, agent)
            session.console.open()
            stack.callback(session.console.close)
            stack.enter_context(told(session))
            loop = cast(TeachingLoop, session.loop)
            stage = cast(Stage, loop.stage)
            super().__init__(loop, agent, session, stage.obs_space, stage.act_space)
            self._session: Session | None = session
            self._stack = stack.pop_all()

    def close(self) -> None:
        """End the run: evaluate the policy as it is, save, close the page. Closing twice is harmless."""
        session, self._session = self._session, None
        if session is None:
            return
        with self._stack:
            self.flush()
            session.finish(session.loop.steps, finished=session.loop.over())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or kind is KeyboardInterrupt:
            self.close()
        else:
            self._stack.__exit__(kind, error, trace)


def _words(options: dict[str, Any]) -> list[str]:
    """The command line that says the same."""
    words: list[str] = []
    for name, value in options.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not None and value is not False:
            words += [f"--{name}={one}" for one in (value if isinstance(value, (list, tuple)) else [value])]
    return words
