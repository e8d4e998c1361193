from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher import load_policy, load_reward
from rl_teacher.config import RewardConfig
from rl_teacher.errors import UserError
from rl_teacher.plug.hub import download, upload
from rl_teacher.plug.packing import Export, write_export
from rl_teacher.reward.frozen import FrozenReward, settings_of
from tests.hub import Hub, serve

TOKEN = "hf_not-to-be-shown"  # noqa: S105


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: pip install 'rl-teacher[hub]'")
    from huggingface_hub import constants

    with serve(TOKEN) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield hub


@pytest.fixture
def folder(tmp_path) -> Path:
    """An export as `rl-teacher export` writes it."""
    config, act = RewardConfig(members=2, hidden=(8,)), gym.spaces.Discrete(3)
    module = FrozenReward(config, 4, act)
    export = Export("reward", (4,), act, settings_of(config), {"run": "r"}, module.state_dict())
    write_export(tmp_path / "mine", export, lambda draft: None)
    return tmp_path / "mine"


def test_what_was_uploaded_comes_back_the_same(hub, folder, capfd):
    address = upload(folder, "me/mine")
    assert address == "hf:me/mine"
    assert hub.files["me/mine"] == {file.name: file.read_bytes() for file in folder.iterdir()}
    assert hub.private["me/mine"]
    obs, act = np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % 3
    assert np.array_equal(load_reward(address)(obs, act), load_reward(folder)(obs, act))
    assert load_reward("hf:me/mine@main").about["run"] == "r"
    upload(folder, "me/mine")  # once more is no mistake
    with pytest.raises(UserError, match=r"holds a reward .* wanted is a policy"):
        load_policy(address)
    said = capfd.readouterr()
    assert TOKEN not in said.out + said.err


def test_a_file_that_was_changed_there_is_found_damaged(hub, folder):
    upload(folder, "me/mine")
    hub.files["me/mine"]["reward.safetensors"] = b"something else"
    with pytest.raises(UserError, match=r"damaged: reward.safetensors is not what was exported"):
        load_reward("hf:me/mine")


def test_faults_are_one_line_without_the_token(hub, folder, monkeypatch):
    for address in ("hf:me/nobody", "hf:a/b/c", "hf:"):
        with pytest.raises(UserError, match="cannot be had") as caught:
            download(address)
        assert "\n" not in str(caught.value)
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}-expired")
    with pytest.raises(UserError, match="was not uploaded to me/mine") as caught:
        upload(folder, "me/mine")
    assert TOKEN not in str(caught.value)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="was not uploaded"):
        upload(folder, "me/mine")


def test_without_a_token_nothing_is_sent(hub, folder, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UserError, match=r"the environment variable HF_TOKEN holds no token"):
        upload(folder, "me/mine")
    assert not hub.asked


def test_the_missing_library_names_its_extra(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"rl-teacher\[hub\]"):
        upload(folder, "me/mine")
    with pytest.raises(UserError, match=r"rl-teacher\[hub\]"):
        load_reward("hf:me/mine")
