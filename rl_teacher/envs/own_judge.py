"""A judge of the user's own, `--behavior package.module:function`: found, tried, and watched while it judges."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rl_teacher.envs.faults import LONGEST, where
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import BrokenEnvironmentError, NotFiniteError, UserError
from rl_teacher.importing import import_own

Judge = Callable[[np.ndarray], Any]
"""obs (…, D) float64, or pictures (…, *obs) float64, 0 to 255 -> rewards (…,)."""

TRIED = 7
"""Steps that a judge is tried on before anything else is done."""
NEEDED = (
    "allowed is a function of obs (…, D), or of pictures (…, *obs), that returns finite rewards (…,), one for each "
    "observation"
)


def judged_by(spec: EnvSpec, name: str) -> EnvSpec:
    """The environment with the user's own function for its true reward.

    Args:
        spec: The environment.
        name: "package.module:function".

    Raises:
        UserError: If it cannot be imported, raises something, or returns what is no reward for each observation.
    """
    function, seen = _found(name), _played(spec)
    judge = OwnJudge(name, function, seen[0].ndim)
    _try(judge, seen)
    if spec.task is None:
        return replace(spec, behavior=name, judge=judge)
    return replace(spec, task=replace(spec.task, reward=judge, info_keys=()), behavior=name)


@dataclass(frozen=True, slots=True)
class OwnJudge:
    """A user's function as a `tasks.RewardFormula` that lets nothing pass that is no reward.

    Raises:
        NotFiniteError: If it returns a NaN or an infinity.
        BrokenEnvironmentError: If it raises something, or returns numbers of another shape.
    """

    name: str
    function: Judge
    n_axes: int
    """Axes of one observation: 1, or those of a picture."""

    def __call__(self, obs: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
        """Rewards (…,) for obs (…, *obs)."""
        given = np.array(obs, dtype=np.float64)  # of its own: a judge that writes into it changes no simulator
        try:
            rew = np.asarray(self.function(given))
            rew = rew if rew.dtype == bool else np.asarray(rew, dtype=np.float64)
        except Exception as error:
            raise self._broken(obs, error) from error
        if rew.shape != given.shape[: given.ndim - self.n_axes]:
            raise BrokenEnvironmentError(
                f"The judge '{self.name}' returned shape {rew.shape} for observations {given.shape}; {NEEDED}. "
                "Mend it and start the same command again."
            )
        if not np.isfinite(rew).all():
            raise NotFiniteError(
                f"The judge '{self.name}' returned {rew[~np.isfinite(rew)].flat[0]} for an observation; {NEEDED}. "
                "Mend it and start the same command again."
            )
        return rew.astype(np.float64)

    def _broken(self, obs: np.ndarray, error: Exception) -> BrokenEnvironmentError:
        said = " ".join(str(error).split())[:LONGEST]
        try:
            home = inspect.getsourcefile(inspect.unwrap(self.function))
        except TypeError:  # an object that can be called
            home = None
        return BrokenEnvironmentError(
            f"The judge '{self.name}' raised {type(error).__name__}{f': {said}' if said else ''} "
            f"({where(error, home)}) for observations {obs.shape}; {NEEDED}. Mend it and start the same command again."
        )


def _found(name: str) -> Judge:
    module, _, function = name.partition(":")
    advice = f"--behavior {name} given; allowed is MODULE:FUNCTION, with MODULE on PYTHONPATH or in this folder"
    if not module or not function:
        raise UserError(f"{advice}. Give both.")
    try:
        found = import_own(module)
    except Exception as error:  # whatever its code raises
        said = " ".join(str(error).split())[:LONGEST]
        raise UserError(f"{advice}, but importing it raised {type(error).__name__}: {said}. Mend that.") from error
    judge = getattr(found, function, None)
    if not callable(judge):
        names = [key for key, value in vars(found).items() if inspect.isfunction(value) and not key.startswith("_")]
        raise UserError(
            f"{advice}, but {module} has no function '{function}'. Its functions: {', '.join(sorted(names)) or 'none'}."
        )
    return judge


def _played(spec: EnvSpec) -> list[np.ndarray]:
    """Observations of a few random steps, of which there are not as many as numbers in one."""
    from rl_teacher.envs.simulator import Simulator  # not above: the command line is read before MuJoCo is imported,
    from rl_teacher.envs.stage import random_actions  # which fails where MUJOCO_GL is wrong

    with closing(Simulator(spec)) as sim:
        rng = np.random.default_rng(0)
        seen = [np.array(sim.reset(seed=0), dtype=np.float64)]
        n_steps = TRIED if sim.obs_space.shape != (TRIED,) else TRIED + 1  # else D rewards would look like N
        while len(seen) < n_steps:
            step = sim.step(random_actions(sim.act_space, 1, rng)[0])
            seen.append(np.array(sim.reset() if step.terminated or step.truncated else step.obs, dtype=np.float64))
    return seen


def _try(judge: OwnJudge, seen: list[np.ndarray]) -> None:
    """One by one and together, as the two simulators will ask."""
    try:
        together, alone = judge(np.stack(seen), {}), [judge(obs, {}) for obs in seen]
    except (BrokenEnvironmentError, NotFiniteError) as error:
        raise UserError(str(error)) from error.__cause__  # nothing has begun: no log, no folder
    if not np.allclose(together, alone, rtol=1e-6, atol=1e-9):
        raise UserError(
            f"The judge '{judge.name}' judges {len(seen)} observations together otherwise than one by one; {NEEDED}, "
            "whatever stands beside it. Write obs[..., i] for the i-th number of an observation."
        )
