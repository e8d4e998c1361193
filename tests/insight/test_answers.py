from __future__ import annotations

import pytest

from rl_teacher.errors import UserError
from rl_teacher.feedback.records import NotFoundError
from rl_teacher.insight.answers import ANSWERS, agent_now, best_worst, disagreements, forecasted, rewards
from rl_teacher.labels import Verdict
from tests.insight.conftest import K


def test_rewards_run_along_both_clips_and_along_any_segments(desk):
    query_id, query = desk.ask(2.0, 1.0)
    told = rewards(desk.subject, {"query_id": query_id})
    assert told["left"] == {"rewards": [2.0] * K, "sum": 2.0 * K}
    assert told["right"] == {"rewards": [1.0] * K, "sum": 1.0 * K}
    assert told["p_left"] == pytest.approx(desk.reward.votes([query]).mean())
    stored = desk.lesson.store.query(query_id)
    ids = [stored.right_segment_id, stored.left_segment_id]
    told = rewards(desk.subject, {"segment_ids": ids})["segments"]
    assert {id: strip["sum"] for id, strip in told.items()} == dict(zip(ids, [K, 2 * K], strict=True))


def test_what_cannot_be_looked_at_is_refused(desk):
    with pytest.raises(NotFoundError):
        rewards(desk.subject, {"query_id": "nothing"})
    for ids in ([], ["x"] * 61):
        with pytest.raises(UserError, match="allowed are 1 to 60"):
            rewards(desk.subject, {"segment_ids": ids})


def test_best_and_worst_are_found_among_answered_questions_only(desk):
    for worth in range(1, 7):
        desk.answered(worth, -worth, Verdict.LEFT)
    desk.ask(99.0, -99.0)  # not answered: r̂ of it must not be seen
    told = best_worst(desk.subject, {})
    assert [row["sum"] / K for row in told["best"]] == [6, 5, 4]
    assert [row["sum"] / K for row in told["worst"]] == [-6, -5, -4]
    assert told["answered"] is True
    assert told["n"] == 12
    assert told["best"][0]["step"] == 50


def test_without_answers_they_come_from_what_was_played_last_and_lie_apart(desk):
    desk.pool = [desk.segment(start, start) for start in range(9)]  # one episode, cut at every step
    told = best_worst(desk.subject, {})
    assert told["answered"] is False
    assert [row["sum"] / K for row in told["best"]] == [8, 4, 0]
    assert [row["sum"] / K for row in told["worst"]] == [1, 5]
    shown = desk.lesson.store.segments([row["segment_id"] for row in told["best"]])
    assert [one.start for one in shown] == [8, 4, 0]
    assert desk.lesson.store.media_type(desk.lesson.store.clip(shown[0].clip_id).blob, desk.lesson.experiment)
    desk.pool = []
    with pytest.raises(UserError, match="no recent clips"):
        best_worst(desk.subject, {})


def test_the_agent_plays_now_and_the_replay_is_kept(desk):
    told = agent_now(desk.subject, {"seed": 3})
    assert told["true_return"] == 2.0 * K
    assert told["strip"]["sum"] == 3.0 * K
    (replay,) = desk.lesson.store.replays(desk.lesson.run)
    assert (replay.step, replay.true_return, replay.clip.id) == (777, 8.0, told["clip_id"])
    with_behavior = agent_now(desk.without(has_true_return=False, reward=lambda: None), {})
    assert with_behavior["true_return"] is None
    assert with_behavior["strip"] is None
    with pytest.raises(UserError, match="cannot be shown"):
        agent_now(desk.without(clip=None), {})


def test_disagreements_come_least_likely_first_and_agreements_not_at_all(desk):
    desk.answered(2.0, 1.0, Verdict.LEFT)
    wrong = desk.answered(1.0, 1.25, Verdict.LEFT)
    very_wrong = desk.answered(3.0, 1.0, Verdict.RIGHT)
    desk.answered(1.0, 5.0, Verdict.TIE)
    desk.answered(1.0, 5.0, Verdict.ABSTAIN)
    told = disagreements(desk.subject, {})
    assert told["n"] == 3
    assert [row["query_id"] for row in told["answers"]] == [very_wrong, wrong]
    first = told["answers"][0]
    assert first["p"] == pytest.approx(1 - first["p_left"])
    assert first["p"] < 0.01


def test_who_learned_an_answer_by_heart_is_not_asked(desk):
    query_id = desk.answered(2.0, 1.0, Verdict.RIGHT)
    (pair,) = desk.comparisons
    desk.reward.learned_by_heart = {pair}
    assert disagreements(desk.subject, {})["answers"] == []
    desk.reward.outside = {pair}
    (row,) = disagreements(desk.subject, {})["answers"]
    assert row["query_id"] == query_id
    assert row["p"] < 0.05


def test_a_script_cannot_be_asked_to_think_again(desk):
    _, query = desk.ask(1.0, 0.0)
    desk.answered(2.0, 1.0, Verdict.RIGHT)
    assert query.id not in desk.comparisons
    other = desk.without(experiment_id=desk.lesson.store.experiment("other", "hopper"))
    with pytest.raises(UserError, match="taught by a script"):
        disagreements(other, {})
    assert disagreements(desk.without(comparisons=dict), {}) == {"n": 0, "answers": []}


def test_a_forecast_is_made_of_the_curve_in_the_store(desk):
    with pytest.raises(UserError, match="Too early"):
        forecasted(desk.subject, {})
    for i, n in enumerate(range(10, 70, 5)):
        figures = {"reward/comparisons": n, "reward/held_out_accuracy": 0.9 - n**-0.5}
        desk.lesson.store.add_point(desk.lesson.run, 1_000 * (i + 1), figures)
        desk.lesson.store.add_point(desk.lesson.run, 1_000 * (i + 1) + 500, figures)  # stands, not measured anew
    told = forecasted(desk.subject, {})
    assert [n for n, _ in told["measured"]] == list(range(10, 70, 5))
    assert [row["answers"] for row in told["more"]] == [50, 100]
    assert told["curve"][-1][0] == 165
    assert told == forecasted(desk.subject, {})


@pytest.mark.parametrize("kind", ["rewards", "best_worst", "disagreements"])
def test_before_any_answer_there_is_no_r_hat_to_ask(desk, kind):
    with pytest.raises(UserError, match="no r̂ yet"):
        ANSWERS[kind](desk.without(reward=lambda: None), {})
