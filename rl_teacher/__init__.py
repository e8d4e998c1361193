"""RL-Teacher: an agent learns what a person wants from comparisons of short clips.

What other programs need is here by name, and imported when it is asked for: torch takes a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rl_teacher.plug.exported import load_reward as load_reward
    from rl_teacher.plug.paths import PathPredictor as PathPredictor
    from rl_teacher.plug.sb3 import PredictedVecEnv as PredictedVecEnv
    from rl_teacher.plug.sb3 import TeachingCallback as TeachingCallback
    from rl_teacher.plug.wrappers import PredictedReward as PredictedReward
    from rl_teacher.plug.wrappers import PredictedRewardVector as PredictedRewardVector
    from rl_teacher.policies import load_policy as load_policy
    from rl_teacher.teaching import Teaching as Teaching

__version__ = "0.1.0"

_WHERE = {
    "PathPredictor": "plug.paths",
    "PredictedReward": "plug.wrappers",
    "PredictedRewardVector": "plug.wrappers",
    "PredictedVecEnv": "plug.sb3",
    "Teaching": "teaching",
    "TeachingCallback": "plug.sb3",
    "load_policy": "policies",
    "load_reward": "plug.exported",
}


def __getattr__(name: str) -> Any:
    """What is asked for, from where it is."""
    if name not in _WHERE:
        raise AttributeError(f"module 'rl_teacher' has no attribute '{name}'")
    return getattr(import_module(f"rl_teacher.{_WHERE[name]}"), name)
