"""What other libraries' agents do can be told without them, whichever it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rl_teacher.agents.actors import layers_of
from rl_teacher.agents.frozen import FrozenPolicy
from rl_teacher.agents.registry import KINDS
from rl_teacher.agents.weights import restore_state, state_tensors
from rl_teacher.errors import UserError
from rl_teacher.tensors import group, load_tensors
from tests.agents.kinds import agent

OTHERS = [name for name in KINDS if name != "ppo"]


def experienced(name: str):
    """One whose layers and running statistics are no longer those it began with."""
    learner = agent(name, hidden=(16, 12), minibatch=16)
    torch.manual_seed(2)
    held = state_tensors(learner.algorithm)
    for key, value in held.items():
        if value.is_floating_point() and value.ndim and "opt" not in key:
            held[key] = value + 0.5 * (torch.rand(value.shape) if "var" in key else torch.randn(value.shape))
    restore_state(learner.algorithm, held)
    if hasattr(learner, "_norm"):
        learner._norm.update(np.random.default_rng(0).normal(2.0, 3.0, (50, *learner.env.inner.obs_space.shape)))
    return learner


@pytest.mark.parametrize("name", OTHERS)
def test_the_exported_policy_does_what_the_agent_does(name, tmp_path):
    learner = experienced(name)
    learner.save(tmp_path)
    tensors = load_tensors(tmp_path / "agent.safetensors")
    space, kind = learner.env.inner.act_space, KINDS[name]
    policy = FrozenPolicy.of_layers(layers_of(name, kind, group(tensors, "algorithm")), tensors, space, kind.on_policy)
    obs = np.random.default_rng(1).normal(size=(500, *learner.env.inner.obs_space.shape)).astype(np.float32)
    far = np.arange(len(obs)) % 9 == 0
    obs[far] *= 100
    mine, said = learner.act(obs, explore=False), policy(torch.from_numpy(obs)).numpy()
    assert said.shape == mine.shape
    assert said.dtype == mine.dtype
    np.testing.assert_allclose(said[~far], mine[~far], atol=1e-5)
    np.testing.assert_allclose(said[far], mine[far], atol=1e-3)  # sums of large float32 numbers, in another order
    assert np.unique(said.round(3), axis=0).shape[0] > 1
    again = FrozenPolicy(obs.shape[1], space, **{**policy.settings, "hidden": tuple(policy.settings["hidden"])})
    again.load_state_dict(policy.state_dict())
    assert torch.equal(again(torch.from_numpy(obs)), policy(torch.from_numpy(obs)))


def test_what_is_no_chain_of_layers_is_refused_in_one_line():
    for tensors in (
        {},
        {"policy.actor.latent_pi.0.weight": torch.zeros(4, 3), "policy.actor.mu.weight": torch.zeros(2, 4)},
    ):
        with pytest.raises(UserError, match="no plain chain of layers") as caught:
            layers_of("sb3:SAC", KINDS["sb3:SAC"], tensors)
        assert "\n" not in str(caught.value)
    wrong = {
        f"policy.actor.{name}.{part}": torch.zeros(4, 3) if part == "weight" else torch.zeros(4)
        for name in ("latent_pi.0", "mu")
        for part in ("weight", "bias")
    }
    with pytest.raises(UserError, match="does not fit"):
        layers_of("sb3:SAC", KINDS["sb3:SAC"], wrong)
