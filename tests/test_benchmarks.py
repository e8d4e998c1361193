"""The grid runner and the report, on runs of a few seconds and on rows made by hand."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rliable import library, metrics
from safetensors.numpy import save_file

from benchmarks import unseen
from benchmarks.grid import Cell, cells, fill
from benchmarks.report import EIGHT, areas, draw_labels, draw_minutes, iqm, score_table, scored, truth_table
from rl_teacher.teachers.kept import save_queries
from rl_teacher.trajectory import Query, Segment, Source


def rows(*entries: tuple[str, int, int, float], task: str = "reacher") -> pd.DataFrame:
    """(variant, labels, seed, return)."""
    made = [(task, 500_000, *entry) for entry in entries]
    return pd.DataFrame(made, columns=["task", "steps", "variant", "labels", "seed", "true_return"])


TRUTH = [("random", 0, 1, -10.0), ("truth", 0, 1, -2.0), ("truth", 0, 2, 0.0)]
"""R_random -10, R* -1."""


def test_a_score_is_the_share_of_the_way_from_random_to_the_pooled_truth():
    grid = rows(*TRUTH, ("default", 100, 1, -1.0), ("default", 100, 2, -5.5), ("paper", 100, 1, -10.0))
    assert scored(grid[grid.variant == "default"], reference=grid).score.tolist() == pytest.approx([1.0, 0.5])
    assert scored(grid[grid.variant == "paper"], reference=grid).score.tolist() == pytest.approx([0.0])


def test_tasks_without_a_truth_have_no_score():
    assert scored(rows(("default", 100, 1, -1.0)), reference=rows(*TRUTH, task="cheetah")).empty


def test_the_interquartile_mean_leaves_out_what_is_far_off_and_lies_in_its_interval():
    scores = rows(*(("default", 100, seed, 0.0) for seed in range(8))).assign(score=[0.9, 1, 1, 1, 1, 1, 1.1, -50.0])
    point, low, high = iqm(scores)
    assert point == pytest.approx(1.0)
    assert low <= point <= high
    with pytest.raises(ValueError, match="no scores given"):
        iqm(scores.head(0))


def many(**runs: list[float]) -> pd.DataFrame:
    """Scores of each task, a seed each."""
    made = [(task, 500_000, seed, score) for task, scores in runs.items() for seed, score in enumerate(scores)]
    return pd.DataFrame(made, columns=["task", "steps", "seed", "score"])


def test_where_all_tasks_have_as_many_seeds_mean_and_interval_are_rliables():
    table = np.random.default_rng(0).normal(1.0, 0.3, (8, 3))
    point, interval = library.get_interval_estimates({"all": table}, metrics.aggregate_iqm, reps=2_000)
    low, high = interval["all"].ravel()
    of_ours = iqm(many(**{name: list(column) for name, column in zip("abc", table.T, strict=True)}))
    assert of_ours[0] == pytest.approx(point["all"].item())
    assert of_ours[1:] == pytest.approx((low, high), abs=0.03)


def test_a_task_counts_as_much_as_another_however_many_seeds_it_has():
    few = many(a=[1.0], b=[0.0], c=[0.5], d=[0.6])
    assert iqm(few)[0] == pytest.approx(0.55)
    assert iqm(many(a=[1.0], b=[0.0] * 50, c=[0.5], d=[0.6]))[0] == pytest.approx(0.55)


def test_the_same_rows_give_the_same_interval_and_one_seed_each_gives_none():
    scores = many(a=[1.0, 0.2, 0.4], b=[0.0, 0.9], c=[0.5, 0.7])
    assert iqm(scores) == iqm(scores.sample(frac=1.0, random_state=1).sort_values(["task", "seed"]))
    point, low, high = iqm(many(a=[1.0], b=[0.0], c=[0.5], d=[0.6]))
    assert low == point == high


def test_over_all_eight_tasks_there_is_a_mean_only_where_all_eight_were_run():
    runs = pd.DataFrame([("default", 700, task, steps, 1, 0.9) for task, steps in EIGHT.items()])
    runs.columns = ["variant", "labels", "task", "steps", "seed", "score"]
    assert score_table(runs).endswith("| **0.90** (0.90 to 0.90) | **0.90** (0.90 to 0.90) |")
    assert score_table(runs[1:]).endswith("| **0.90** (0.90 to 0.90) | – |")


def test_the_tables_name_the_worst_seed_and_the_number_of_seeds(tmp_path):
    grid = rows(*TRUTH, *(("default", n, seed, -1.0 - seed) for n in (100, 700) for seed in (1, 2)))
    scores = scored(grid[grid.variant == "default"], reference=grid)
    assert "| default | 100 | 0.83 (0.78; 2) |" in score_table(scores)
    assert "| reacher, 0.5 M | -10 | **-1** (-2 to 0) | -2 | 2 |" in truth_table(grid)
    course = scored(
        pd.concat(
            [
                scores.assign(minutes=m, true_return=r).drop(columns=["score", "truth", "random"])
                for m, r in ((1.0, -5.5), (2.0, -1.0))
            ]
        ),
        reference=grid,
    )
    assert "| default | 100 | " in areas(scores, course)
    draw_labels(scores, tmp_path / "labels.png")
    draw_minutes(course, tmp_path / "minutes.png")
    assert min((tmp_path / f"{name}.png").stat().st_size for name in ("labels", "minutes")) > 5_000


def test_a_slow_recipe_has_a_smaller_area_over_minutes_and_an_untimed_one_has_none():
    grid = rows(*TRUTH, ("default", 100, 1, -1.0), ("paper", 100, 1, -1.0), ("original", 100, 1, -1.0))
    scores = scored(grid[~grid.variant.isin(["truth", "random"])], reference=grid)
    looks = [("default", 1.0, -1.0), ("paper", 1.0, -10.0), ("paper", 2.0, -1.0)]
    timed = pd.concat([scores[scores.variant == who].assign(minutes=m, true_return=r) for who, m, r in looks])
    course = scored(timed.drop(columns=["score", "truth", "random"]), reference=grid)
    # there by half of the time that the slower one takes · at its very end
    assert re.findall(r"\| (\w+) \| 100 \| (\S+) \|", areas(scores, course)) == [
        ("default", "0.50"),
        ("original", "–"),
        ("paper", "0.02"),
    ]


def test_a_variant_is_a_preset_with_options():
    cell = Cell("cheetah", "1e6", "paper:--set=reward.crops=4:--teacher=mistake:0.1", 100, 3)
    assert "--preset paper -e cheetah -t 1e6 -s 3 -w 1 --set=reward.crops=4 --teacher=mistake:0.1" in cell.words
    assert cell.name != Cell("cheetah", "1e6", "paper", 100, 3).name
    assert "-p rl" in Cell("cheetah", "1e6", "truth", 0, 3).words
    grid = cells(["reacher:5e5", "cheetah:1e6"], ["default", "paper"], [100, 700], [1, 2], truth=True)
    assert len({cell.key for cell in grid}) == len(grid) == 2 * 2 * (2 + 4)


def test_a_task_may_hold_a_colon_and_another_agent_has_a_truth_of_its_own():
    grid = cells(["dm:walker-walk:5e5"], ["truth:--agent=sbx:SAC", "default:--agent=sbx:SAC"], [100, 200], [1], False)
    assert [cell.labels for cell in grid] == [0, 100, 200]
    assert grid[0].words == "-p rl -e dm:walker-walk -t 5e5 -s 1 -w 1 --agent=sbx:SAC"
    assert grid[1].words.startswith("-p synth -l 100 --preset default -e dm:walker-walk -t 5e5 ")
    assert all(":" not in cell.name for cell in grid)
    assert len({cell.name for cell in grid}) == 3


@pytest.mark.slow
def test_the_grid_goes_on_where_it_stopped_and_its_rows_make_a_report(tmp_path):
    grid = cells(["reacher:3e4"], ["default:--set=reward.members=2"], [8], [1], truth=True)
    out = tmp_path / "grid.csv"
    fill(grid[:2], out, Path("runs"), jobs=2)
    before = out.read_text()
    fill(grid, out, Path("runs"), jobs=1)
    assert out.read_text().startswith(before)
    again = out.read_text()
    fill(grid, out, Path("runs"), jobs=1)
    assert out.read_text() == again
    with out.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["variant"] for row in read][2:] == ["default:--set=reward.members=2"]
    assert all(float(row["true_return"]) < 0 for row in read)
    assert float(read[2]["reward/held_out_accuracy"]) <= 1
    everything = pd.read_csv(out)
    assert len(scored(everything[everything.labels > 0], reference=everything)) == 1
    course = pd.read_csv(tmp_path / "grid-course.csv")
    assert {"true_return", "reward/rank_correlation", "answered", "minutes"} <= set(course.columns)


def test_what_r_hat_makes_of_play_it_never_saw_is_read_from_two_checkpoints(tmp_path):
    rng = np.random.default_rng(0)
    taught, true = (tmp_path / name / "checkpoints" / "step-000000000010" for name in ("taught", "true"))
    taught.mkdir(parents=True)
    true.mkdir(parents=True)

    def segment(i: int) -> Segment:
        obs = (rng.normal(0.0, 1.0, 3) + rng.normal(0.0, 0.3, (10, 3))).astype(np.float32)
        return Segment(obs, np.zeros((10, 1), np.float32), obs[:, 0], source=Source("taught", i, 0, 0))

    queries = [Query(segment(i), segment(i)) for i in range(80)]
    told = save_queries(taught, queries)
    for row, query in zip(told, queries, strict=True):
        row["verdict"] = "LEFT" if query.left.env_rew.sum() > query.right.env_rew.sum() else "RIGHT"
    told[0]["verdict"] = "ABSTAIN"
    (taught / "teacher.json").write_text(json.dumps({"answers": told, "judge": None}))
    obs = rng.normal(0.0, 1.0, (600, 2, 3)).astype(np.float32)
    obs[300:] += 1.0  # behaviour that comes later
    (tmp_path / "true" / "config.json").write_text('{"predictor": "rl"}')
    save_file(
        {"obs": obs, "act": np.zeros((600, 2, 1), np.float32), "rew": obs[..., 0].copy()}, true / "replay.safetensors"
    )

    said = unseen.answers(tmp_path / "taught")
    plays = unseen.parts(tmp_path / "true", 2, rng)
    assert len(said) == 79
    assert plays[1].obs.mean() > plays[0].obs.mean() + 0.5
    config = unseen.config_of("default:reward.members=2:reward.hidden=32,32")
    assert (config.members, config.hidden) == (2, (32, 32))
    assert min(unseen.known(config, said, plays, 0)) > 0.8
    (tmp_path / "true" / "config.json").write_text('{"predictor": "synth"}')
    with pytest.raises(SystemExit, match="did not learn from the true reward"):
        unseen.parts(tmp_path / "true", 2, rng)
    with pytest.raises(SystemExit, match="no checkpoint"):
        unseen.newest(tmp_path)
