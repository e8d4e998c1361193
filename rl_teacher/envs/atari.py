"""Atari games, `-e atari:Pong`, as Christiano et al. 2017 (appendix A.2) had them, simulated by EnvPool.

84×84 grey pixels, the last four frames in a stack, four frames for each action. The score is blanked, for r̂ could read
it. Neither a lost life nor the end of a game is told to the agent: games follow each other as if nothing had happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from rl_teacher.envs.horizon import NEVER_DONE
from rl_teacher.errors import UserError, unknown

ATARI = "atari:"
"""Prefix of a game."""
CLIP_STEPS = 25
FPS = 15
"""A console draws 60 frames a second, and an action lasts four."""
LONGEST_GAME = 4_500
"""Steps: five minutes. Where games are judged they are cut here, or one that nobody wins would never end."""
LONGEST_NAME = 60
"""Letters shown of a game that is not known."""
LIST_ALL = 'All: python -c "from envpool.atari.registration import atari_game_list; print(atari_game_list)".'
SIZE, ROWS, COLUMNS = 84, 210, 160
"""Pixels of an observation's side, and of the console's picture."""

Box = tuple[int, int, int, int]
"""Rows from, to, columns from, to, of the console's picture."""


@dataclass(frozen=True, slots=True)
class Game:
    """What is known of one game."""

    score: Box | None = None
    """Where the score stands; None: nobody has looked yet, and it stays in sight."""
    ending: float = 0.0
    """Taken from the true reward when a game ends, since the end itself is hidden."""


_WIDE = (0, COLUMNS)
GAMES: Mapping[str, Game] = {
    "BeamRider": Game((0, 32, *_WIDE), 440),
    "Breakout": Game((0, 17, *_WIDE), 10),
    "Enduro": Game((158, ROWS, *_WIDE), 10),
    "Pong": Game((0, 24, *_WIDE)),  # the paper: no penalty here, for a game has two ends
    "Qbert": Game((0, 17, 0, 72), 250),  # to its right Q*bert himself stands
    "Seaquest": Game((0, 18, *_WIDE), 200),
    "SpaceInvaders": Game((0, 22, *_WIDE), 100),
}
"""The paper's seven games. That it penalised an end is in the paper, how much is not: here ten hits of the game."""


def game_of(env_id: str) -> Game:
    """What is known of a game, "atari:Pong"."""
    return GAMES.get(env_id.removeprefix(ATARI), Game())


def known_game(env_id: str) -> str:
    """A game as it is called everywhere, "atari:SpaceInvaders", however the user writes it: "atari:space-invaders".

    Raises:
        UserError: If EnvPool is not installed or does not have the game.
    """
    try:
        from envpool.atari.registration import atari_game_list
    except ImportError as error:
        raise UserError(
            f"'{env_id}' given, but EnvPool, which has the games, is not installed here; it exists for Linux only. "
            "Install 'envpool', or choose another environment."
        ) from error
    games = {
        name.replace("_", ""): ATARI + "".join(word.title() for word in name.split("_")) for name in atari_game_list
    }
    found = games.get(re.sub("[-_ ]", "", env_id.removeprefix(ATARI)).lower())
    if found is None:
        raise unknown("Atari game", env_id[:LONGEST_NAME], games.values(), LIST_ALL)
    return found


def make_pool(env_id: str, n_envs: int, seed: int, n_threads: int, limit: int | None, pictures: bool = False) -> Any:
    """N copies of a known game in EnvPool; `limit` steps at most, or as many as it takes."""
    import envpool

    options: dict[str, Any] = {"num_envs": n_envs, "num_threads": min(n_threads, n_envs)}
    options["seed"] = int(np.random.default_rng(seed).integers(2**31 - n_envs))
    if limit is not None:
        options["max_episode_steps"] = limit
    if pictures:
        options["render_mode"] = "rgb_array"
    return envpool.make(f"{env_id.removeprefix(ATARI)}-v5", env_type="gymnasium", **options)


def check_horizon(env_id: str, horizon: str | None) -> None:
    """Refuse what a game cannot do.

    Raises:
        UserError: For any other than never-done, which it is anyway.
    """
    if horizon not in (None, NEVER_DONE):
        raise UserError(
            f"--fixed_horizon {horizon} given with '{env_id}', where the end of a game is hidden anyway. Leave it out."
        )


def blank(obs: np.ndarray, env_id: str) -> np.ndarray:
    """Observations (…, 84, 84) with the score blacked out, in an array of their own."""
    seen, score = obs.copy(), game_of(env_id).score
    if score is not None:
        seen[(..., *_cut(score, SIZE / ROWS, SIZE / COLUMNS))] = 0
    return seen


def _cut(box: Box, tall: float, wide: float) -> tuple[slice, slice]:
    top, bottom, left, right = box
    return (
        slice(int(top * tall), int(np.ceil(bottom * tall))),
        slice(int(left * wide), int(np.ceil(right * wide))),
    )


class AtariGame(gym.Env):
    """One game in full view, for the stage. It never ends.

    Args:
        env_id: "atari:Pong".
        pictures: Whether it draws itself, in colours, without the score.
    """

    def __init__(self, env_id: str, pictures: bool = False) -> None:
        self._env_id, self._pictures = env_id, pictures
        self._ending = game_of(env_id).ending
        self.render_mode = "rgb_array" if pictures else None
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}
        self._env = make_pool(env_id, 1, 0, 1, None, pictures)
        self.observation_space = self._env.observation_space
        self.action_space = gym.spaces.Discrete(int(self._env.action_space.n))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a game."""
        if seed is not None:  # EnvPool takes a seed only when it is made
            self._env.close()
            self._env = make_pool(self._env_id, 1, seed, 1, None, self._pictures)
        obs, _ = self._env.reset()
        return blank(obs[0], self._env_id), {}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a step. After a game's end EnvPool begins the next one by itself."""
        obs, rew, terminated, _, _ = self._env.step(np.array([action], dtype=np.int32))
        return blank(obs[0], self._env_id), float(rew[0]) - self._ending * float(terminated[0]), False, False, {}

    def render(self) -> np.ndarray:
        """(210, 160, 3) uint8: what people see is what r̂ can see, so it has no score."""
        picture = np.array(self._env.render()[0])
        if score := game_of(self._env_id).score:
            picture[_cut(score, 1, 1)] = 0
        return picture

    def close(self) -> None:
        """Free the simulator."""
        self._env.close()
