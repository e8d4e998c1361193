"""What the field did, what the paper wrote, and what we found best: three recipes for learning from comparisons.

docs/presets.md shows them side by side. The agent, its settings and the way the stage plays are the same in all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rl_teacher.config import RewardConfig
from rl_teacher.errors import unknown


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe: how r̂ is learned, which questions are asked, and when."""

    reward: RewardConfig
    queries: str
    """Name of the query strategy."""
    label_schedule: str
    """Name of the schedule where the number of answers is known."""


ORIGINAL = Preset(
    RewardConfig(
        members=1,
        wide=False,
        slope=0.3,  # Keras' own
        dropout=0.5,
        use_act=True,
        normalise_inputs=False,
        normalise_outputs=False,
        bootstrap=False,
        lr=1e-3,
        weight_decay=0.0,
        minibatch=64,
        iters=33,  # one for every thousand steps of a round
        pretrain_iters=10_000,
        keep_fitting=True,
        enough_in_a_row=0,
        error_rate=0.0,
        learn_ties=False,
        crops=0,
    ),
    queries="random",
    label_schedule="exponential",
)
"""OpenAI's repository of 2017: one network with dropout, random pairs, no error model (field: rl_teacher/teach.py)."""

PAPER = Preset(
    RewardConfig(
        members=3,
        wide=False,
        use_act=True,
        lr=1e-3,
        weight_decay=0.0,
        adaptive_l2=True,
        minibatch=64,
        iters=100,
        crops=0,
        pretrain_iters=1_000,
        keep_fitting=True,
        enough_in_a_row=0,
    ),
    queries="disagreement",
    label_schedule="hyperbolic",
)
"""Christiano et al. 2017, section 2.2 and appendix A.1. Step size, minibatch and iterations are not in the paper."""

DEFAULT = Preset(RewardConfig(), queries="disagreement", label_schedule="exponential")
"""The best we found: docs/results.md has the trials."""

PRESETS: Mapping[str, Preset] = {"default": DEFAULT, "paper": PAPER, "original": ORIGINAL}
"""By the name that `--preset` takes."""


def preset(name: str) -> Preset:
    """A preset by name, in whichever case.

    Raises:
        UserError: For an unknown name.
    """
    if name.lower() not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name.lower()]
