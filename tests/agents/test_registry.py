from __future__ import annotations

import pytest

from rl_teacher.agents.registry import resolve_agent
from rl_teacher.errors import UserError


def test_the_originals_name_means_todays_ppo():
    assert resolve_agent("pposgd_mpi") == resolve_agent("ppo") == "ppo"


@pytest.mark.parametrize("name", ["parallel_trpo", "sac", "PPO2"])
def test_other_names_are_refused_with_those_there_are(name):
    with pytest.raises(UserError, match=f"Unknown agent '{name}'.*ppo, pposgd_mpi"):
        resolve_agent(name)
