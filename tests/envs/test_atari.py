from __future__ import annotations

import io
from dataclasses import replace

import av
import numpy as np
import pytest

from rl_teacher.clips.making import FromPictures
from rl_teacher.envs.atari import GAMES, LONGEST_GAME, blank, make_pool
from rl_teacher.envs.evaluate import evaluate
from rl_teacher.envs.games import whole_games
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError

pytest.importorskip("envpool")
PONG = "atari:Pong"


def test_a_clip_is_the_papers():
    spec = resolve(PONG)
    assert (spec.clip_steps, spec.fps, spec.choices, spec.pixels) == (25, 15, (6,), True)


def test_pongs_score_changes_nothing_that_is_seen():
    """The two colours of the digits, and where the score stands, are all that tells scores apart."""
    pool = make_pool(PONG, 1, 0, 1, None)
    first, _ = pool.reset()
    scored = False
    for _ in range(300):
        obs, rew, *_ = pool.step(np.zeros(1, np.int32))
        scored |= bool(rew[0])
    pool.close()
    assert scored
    top = slice(0, 9)
    assert (first[0, -1, top] != obs[0, -1, top]).any()  # the score has changed, and stands there
    seen = blank(obs, PONG)
    assert (seen[..., top, :] == 0).all()
    np.testing.assert_array_equal(seen[..., 10:, :], obs[..., 10:, :])
    assert obs[..., top, :].any()  # what was given is as it was


@pytest.mark.parametrize("game", GAMES)
def test_every_score_lies_within_the_picture_and_leaves_most_of_it(game):
    seen = blank(np.full((84, 84), 255, np.uint8), f"atari:{game}")
    assert 0.6 < (seen > 0).mean() < 0.97


def test_the_learner_sees_no_end_and_a_judge_does():
    spec = replace(resolve(PONG))
    hidden, whole = (make_vec(one, 2, 1, 1, staggered=True) for one in (spec, whole_games(spec)))
    ends, lost, score = 0, np.zeros(2), np.zeros(2)
    for env in (hidden, whole):
        env.reset()
    for _ in range(1_100):  # a game that nobody plays is lost in some 800 steps
        out = hidden.step(np.zeros(2, int))
        assert out.obs.dtype == np.uint8
        assert not (out.terminated | out.truncated).any()
        lost += out.env_rew
        if not ends:
            judged = whole.step(np.zeros(2, int))
            score += judged.env_rew
            ends += int((judged.terminated | judged.truncated).any())
    hidden.close()
    whole.close()
    assert ends
    assert score.min() == -21  # the whole of a game, and nothing taken off for its end
    assert lost.min() < -21  # the next game goes on


def test_an_end_costs_where_it_is_hidden():
    """Breakout, with nobody playing: it ends after five lives at most."""
    spec = resolve("atari:Breakout")
    env = make_vec(spec, 4, 0, 1)
    env.reset()
    rng = np.random.default_rng(0)
    rews = np.stack([env.step(rng.integers(0, 4, 4)).env_rew for _ in range(500)])
    env.close()
    assert rews.min() == -GAMES["Breakout"].ending


def test_a_game_is_evaluated_to_its_end_with_actions_drawn():
    class Waits:
        drawn = True

        def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
            self.drawn &= explore
            return np.zeros(len(obs), dtype=np.int64)

    player = Waits()
    assert evaluate(player, resolve(PONG), n_episodes=2).returns == (-21.0, -21.0)
    assert player.drawn


def test_the_same_seed_gives_the_same_game():
    spec = resolve(PONG)
    plays = []
    for _ in range(2):
        env = make_vec(spec, 2, 7, 1)
        first = env.reset(3)
        plays.append([first, *(env.step(np.full(2, i % 6)).obs for i in range(20))])
        env.close()
    np.testing.assert_array_equal(plays[0], plays[1])


def test_on_the_stage_it_is_seen_in_colours_without_the_score():
    stage = Stage(resolve(PONG), 1, n_envs=1, pictures=True)
    (played,) = stage.play(None, 30)
    stage.close()
    assert played.obs.shape == (31, 4, 84, 84)
    assert played.obs.dtype == np.uint8
    assert played.frames is not None
    picture = played.frames[-1].array()
    assert picture.shape == (210, 160, 3)
    assert (picture[:24] == 0).all()
    assert len(np.unique(picture[40:190].reshape(-1, 3), axis=0)) > 1
    segment = played.segment(5, 25)
    assert not segment.obs.flags.writeable
    made = FromPictures(15).clip(segment)
    assert (made.kind, made.n_frames) == ("video", 25)
    with av.open(io.BytesIO(made.data)) as film:
        shown = next(film.decode(video=0)).to_ndarray(format="rgb24")
    assert shown.shape == (420, 320, 3)
    assert abs(shown[100:400:2, ::2].astype(int) - played.frames[5].array()[50:200]).mean() < 8


@pytest.mark.parametrize("name", ["SpaceInvaders", "spaceinvaders", "space_invaders", "space-invaders"])
def test_a_game_has_one_name_however_it_is_written(name):
    assert resolve(f"atari:{name}").env_id == "atari:SpaceInvaders"


def test_what_a_game_cannot_do_is_said():
    with pytest.raises(UserError, match="Did you mean atari:Pong"):
        resolve("atari:Pnog")
    with pytest.raises(UserError, match="the end of a game is hidden anyway"):
        resolve(PONG, "absorbing")
    assert resolve(PONG, "never-done").episode_steps == LONGEST_GAME
