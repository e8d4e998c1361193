from __future__ import annotations

import pytest

from rl_teacher.config import PPOConfig, RewardConfig
from rl_teacher.errors import UserError
from rl_teacher.overrides import override

CONFIGS = {"reward": RewardConfig(), "ppo": PPOConfig()}


def test_a_setting_takes_the_kind_of_value_it_has():
    given = ["reward.members=5", "reward.use_act=true", "ppo.gamma=0.9", "ppo.hidden=32,16", "reward.members=4"]
    changed = override(CONFIGS, given)
    assert (changed["reward"].members, changed["reward"].use_act) == (4, True)
    assert (changed["ppo"].gamma, changed["ppo"].hidden) == (0.9, (32, 16))
    assert {"reward": RewardConfig(), "ppo": PPOConfig()} == CONFIGS


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("members=5", "reward.FIELD=VALUE"),
        ("reward.members", "reward.FIELD=VALUE"),
        ("agent.lr=1", "reward.FIELD=VALUE"),
        ("reward.member=5", "Unknown setting of reward 'member'.*members"),
        ("reward.members=many", "allowed is a whole number"),
        ("reward.members=2.5", "allowed is a whole number"),
        ("reward.use_act=1", "allowed is true or false"),
        ("ppo.hidden=64,x", "whole numbers with commas"),
        ("reward.lr=fast", "allowed is a number"),
        ("reward.members=0", r"reward.members 0 given; allowed is a number above 0"),
        ("reward.error_rate=1.5", r"reward.error_rate 1.5 given; allowed is a number from 0 to 1"),
        ("reward.error_rate=nan", "reward.error_rate nan given"),
        ("reward.smoothing=-0.1", "reward.smoothing -0.1 given"),
        ("reward.discount=0", "above 0 to 1"),
        ("reward.lr=inf", "reward.lr inf given"),
        ("reward.hidden=64,0", "reward.hidden 0 given"),
        ("ppo.gamma=1.1", "ppo.gamma 1.1 given; allowed is a number from 0 to 1"),
        ("ppo.n_envs=0", "ppo.n_envs 0 given"),
    ],
)
def test_what_cannot_be_set_is_told_in_one_line(word, says):
    with pytest.raises(UserError, match=says) as told:
        override(CONFIGS, [word])
    assert "\n" not in str(told.value)
