"""From the grid's rows to scores, intervals and curves.

    python benchmarks/report.py docs/results/grid.csv --timed docs/results/minutes.csv \
        --pictures docs/pictures --page docs/results.md

Prints Markdown tables, puts them into a page, and draws `score-labels.png` and `score-minutes.png`. Areas and curves
are of the presets as they are; a preset with options has a line in the table of scores. Minutes are those of the
runs in `--timed`, beside which nothing else ran; without it, of all runs. A run's score is
(R - R_random) / (R* - R_random), with R* the same agent on the true reward for as many steps and R_random uniformly
random actions, both pooled over their seeds. Means over tasks are interquartile, each task with the same weight however
many seeds it has; intervals are 95 %, by bootstrap over the runs of each task (Agarwal et al. 2021; rliable's are of
tasks with equally many seeds only, and tests/test_benchmarks.py compares). The same rows give the same tables. Needs
the extra `report`.
"""

from __future__ import annotations

# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false, reportReturnType=false
# (pandas says DataFrame | Series wherever rows are chosen)
import argparse
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

mpl.use("Agg")
import matplotlib.pyplot as plt

RESAMPLES = 10_000
BEGIN, END = "<!-- report -->", "<!-- end of report -->"
"""Where the tables stand in a page."""
POINTS = 50
"""Of a curve against minutes."""
TASK = ["task", "steps"]
PANELS = 4
"""In a row of a picture."""
EIGHT = {
    **{"reacher": 500_000, "pendulum": 200_000, "doublependulum": 1_000_000, "swimmer": 2_000_000},
    **{"cheetah": 1_000_000, "hopper": 3_000_000, "walker": 3_000_000, "ant": 5_000_000},
}
"""The tasks that recipes are judged by over all, and for how many steps."""


def scored(rows: pd.DataFrame, column: str = "true_return", reference: pd.DataFrame | None = None) -> pd.DataFrame:
    """The same rows with a `score`; those of tasks whose R* or R_random is not there yet are left out."""
    known = rows if reference is None else reference
    ends = known[known.variant.isin(["truth", "random"])].pivot_table("true_return", TASK, "variant")
    ends = ends.dropna().reindex(columns=["truth", "random"])
    joined = rows.join(ends, on=TASK, how="inner")
    return joined.assign(score=(joined[column] - joined.random) / (joined.truth - joined.random))


def iqm(scores: pd.DataFrame, seed: int = 0) -> tuple[float, float, float]:
    """Interquartile mean over runs and tasks, each task with the same weight, and its 95 % interval.

    The interval is that of other seeds on the same tasks: with one seed of each task there is none to be seen.

    Raises:
        ValueError: If there are no scores.
    """
    if scores.empty:
        raise ValueError("no scores given, at least 1 needed; run benchmarks/grid.py first")
    rng = np.random.default_rng(seed)
    of_tasks = [group.score.to_numpy() for _, group in scores.groupby(TASK)]
    weights = np.concatenate([np.full(len(runs), 1.0 / len(runs)) for runs in of_tasks])
    drawn = np.concatenate([rng.choice(runs, (RESAMPLES, len(runs))) for runs in of_tasks], axis=1)
    low, high = np.quantile(_middle_half(drawn, weights), [0.025, 0.975])
    return float(_middle_half(np.concatenate(of_tasks), weights)), float(low), float(high)


def _middle_half(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean (…,) of what lies between the quartiles of values (…, n) with weights (n,), to a part of a value."""
    order = np.argsort(values, axis=-1)
    below = np.cumsum(weights[order] / weights.sum(), axis=-1)
    within = np.diff(np.clip(below, 0.25, 0.75), axis=-1, prepend=0.25)
    return (np.take_along_axis(values, order, -1) * within).sum(-1) / 0.5


def groups(rows: pd.DataFrame, *columns: str) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Rows that are alike in these columns, with what they have there."""
    return [(tuple(key), group) for key, group in rows.groupby([*columns])]  # type: ignore[arg-type]


def shared(scores: pd.DataFrame) -> pd.DataFrame:
    """What recipes can be compared by over all: tasks that each of them ran, with numbers of answers that each got."""
    recipes = scores.variant.nunique()
    tasks = scores[scores.groupby(TASK).variant.transform("nunique") == recipes]
    n_cells = tasks[TASK].drop_duplicates().shape[0] * recipes
    cells = tasks[["labels", "variant", *TASK]].drop_duplicates().labels.value_counts()
    return tasks[tasks.labels.isin(cells[cells == n_cells].index)]


def truth_table(rows: pd.DataFrame) -> str:
    """R* and R_random of each task."""
    lines = ["| task, steps | random | R*: IQM (95 %) | worst seed | seeds |", "|---|---|---|---|---|"]
    for (task, steps), group in groups(rows[rows.variant == "truth"], *TASK):
        random = rows[(rows.task == task) & (rows.steps == steps) & (rows.variant == "random")].true_return.mean()
        point, low, high = iqm(group.assign(score=group.true_return))
        name = f"{task}, {steps / 1e6:g} M"
        lines.append(
            f"| {name} | {random:.4g} | **{point:.5g}** ({low:.5g} to {high:.5g}) "
            f"| {group.true_return.min():.5g} | {len(group)} |"
        )
    return "\n".join(lines)


def score_table(scores: pd.DataFrame) -> str:
    """One line per recipe and number of answers: the score on each task (worst seed), and over all."""
    tasks = sorted(set(zip(scores.task, scores.steps, strict=True)))
    names = [f"{task}, {steps / 1e6:g} M" for task, steps in tasks]
    heads = [*names, "IQM of these (95 %)", "IQM of the eight (95 %)"]
    lines = [f"| recipe | answers | {' | '.join(heads)} |", "|---|---|" + "---|" * len(heads)]
    for (variant, labels), group in groups(scores, "variant", "labels"):
        cells = []
        for task, steps in tasks:
            of = group[(group.task == task) & (group.steps == steps)].score
            cells.append(f"{of.mean():.2f} ({of.min():.2f}; {len(of)})" if len(of) else "–")
        eight = group[group.task.map(EIGHT) == group.steps]
        cells += [_interval(group), _interval(eight) if eight.task.nunique() == len(EIGHT) else "–"]
        lines.append(f"| {variant} | {labels} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(scores: pd.DataFrame) -> str:
    point, low, high = iqm(scores)
    return f"**{point:.2f}** ({low:.2f} to {high:.2f})"


def areas(scores: pd.DataFrame, course: pd.DataFrame) -> str:
    """Area under the score: over training time at each number of answers, and over the logarithm of the answers.

    The first is over the minutes of `course`'s tasks, each as long as its slowest recipe there: a recipe that is
    through earlier keeps its last score, so being slow costs. The second, which needs several numbers of answers, is
    over the tasks that all recipes ran (`shared`).
    """
    lines = ["| recipe | answers | area over minutes | area over log₂ answers |", "|---|---|---|---|"]
    lengths = course.groupby(TASK).minutes.max()
    for variant, group in scores.groupby("variant"):
        common = shared(scores)
        means = common[common.variant == variant].groupby("labels").score.mean()
        over = np.log2(means.index.to_numpy(dtype=float))
        wide = f"{np.trapezoid(means, over) / (over[-1] - over[0]):.2f}" if len(means) > 1 else "–"
        for labels in sorted(group.labels.unique()):
            timed = course[(course.variant == variant) & (course.labels == labels)]
            area = f"{_against_minutes(timed, lengths)[1].mean():.2f}" if len(timed) else "–"
            lines.append(f"| {variant} | {labels} | {area} | {wide} |")
    return "\n".join(lines)


def _against_minutes(course: pd.DataFrame, lengths: pd.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Share of the time, and the mean score by then over all runs, each read as a step function.

    The time is that of each run, or its task's in `lengths`.
    """
    grid, curves = np.linspace(0, 1, POINTS), []
    for (*task, _), run in groups(course, *TASK, "seed"):
        time = np.concatenate([[0.0], run.minutes.to_numpy()])
        score = np.concatenate([[0.0], run.score.to_numpy()])
        length = time[-1] if lengths is None else lengths[tuple(task)]
        curves.append(score[np.searchsorted(time, grid * length, side="right") - 1])
    return grid, np.mean(curves, 0)


def draw_labels(scores: pd.DataFrame, path: Path) -> None:
    """Score against the number of answers, one panel per task and one over those that all recipes ran."""
    tasks = sorted(set(zip(scores.task, scores.steps, strict=True)))
    figure, axes = _panels(len(tasks) + 1)
    common = shared(scores)
    for ax, which in zip(axes, [*tasks, None], strict=True):
        of = common if which is None else scores[(scores.task == which[0]) & (scores.steps == which[1])]
        for variant, group in of.groupby("variant"):
            budgets = sorted(group.labels.unique())
            bounds = np.array([iqm(group[group.labels == n]) for n in budgets])
            ax.plot(budgets, bounds[:, 0], "o-", label=variant)
            ax.fill_between(budgets, bounds[:, 1], bounds[:, 2], alpha=0.15)
        over = f"{common.task.nunique()} tasks, all recipes"
        ax.set(xscale="log", xlabel="answers", title=over if which is None else f"{which[0]}, {which[1] / 1e6:g} M")
        budgets = sorted(scores.labels.unique())
        ax.set_xticks(budgets, [str(n) for n in budgets])
        ax.minorticks_off()
        _dress(ax)
    _save(figure, axes, "score (IQM, 95 %)", path)


def draw_minutes(course: pd.DataFrame, path: Path) -> None:
    """Score against minutes on this machine, one panel per task, mean over seeds."""
    tasks = sorted(set(zip(course.task, course.steps, strict=True)))
    figure, axes = _panels(len(tasks))
    cells = sorted({(variant, labels) for variant, labels in zip(course.variant, course.labels, strict=True)})
    colours = {cell: plt.get_cmap("tab10")(place % 10) for place, cell in enumerate(cells)}
    for ax, (task, steps) in zip(axes, tasks, strict=True):
        of_task = course[(course.task == task) & (course.steps == steps)]
        for (variant, labels), group in groups(of_task, "variant", "labels"):
            share, score = _against_minutes(group)
            length = group.groupby("seed").minutes.max().mean()
            name = variant if variant == "truth" else f"{variant}, {labels}"
            ax.plot(
                share * length, score, label=name, color="black" if variant == "truth" else colours[variant, labels]
            )
        ax.set(xlabel="minutes", title=f"{task}, {steps / 1e6:g} M")
        _dress(ax)
    _save(figure, axes, "score (mean)", path)


def _panels(n: int) -> tuple[Any, list[Any]]:
    """A figure with so many panels, in rows."""
    n_rows, n_columns = -(-n // PANELS), min(n, PANELS)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(3.2 * n_columns, 3 * n_rows), sharey=True, squeeze=False)
    for unused in axes.flat[n:]:
        unused.axis("off")
    return figure, list(axes.flat[:n])


def _dress(ax: Any) -> None:
    ax.axhline(1.0, color="gray", linewidth=0.8, linestyle="--")
    ax.set_ylim(-0.1, 1.7)
    ax.grid(alpha=0.2)


def _save(figure: Any, axes: list[Any], ylabel: str, path: Path) -> None:
    for first in axes[::PANELS]:
        first.set_ylabel(ylabel)
    named = {name: line for ax in axes for line, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.tight_layout()
    figure.legend(named.values(), named.keys(), fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def main() -> int:
    """Read, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid", type=Path, help="CSV file that benchmarks/grid.py wrote; its course lies beside it")
    parser.add_argument("--timed", type=Path, help="the same of runs that had the machine to themselves: for minutes")
    parser.add_argument("--variants", nargs="*", help="only these recipes")
    parser.add_argument("--pictures", type=Path, help="folder for the curves")
    parser.add_argument("--page", type=Path, help=f"Markdown page: the tables go between {BEGIN} and {END}")
    args = parser.parse_args()
    timed: Path = args.timed or args.grid
    rows, course = pd.read_csv(args.grid), pd.read_csv(timed.with_name(f"{timed.stem}-course.csv"))
    course = scored(course, reference=rows)
    if args.variants:
        rows = rows[rows.variant.isin([*args.variants, "truth", "random"])]
        course = course[course.variant.isin([*args.variants, "truth"])]
    scores = scored(rows[~rows.variant.isin(["truth", "random"])], reference=rows)
    presets, courses = (table[~table.variant.str.contains(":")] for table in (scores, course))
    tables = "\n\n".join((truth_table(rows), score_table(scores), areas(presets, courses)))
    print(tables)
    if args.page:
        before, _, rest = args.page.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        args.page.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")
    if args.pictures:
        args.pictures.mkdir(parents=True, exist_ok=True)
        draw_labels(presets, args.pictures / "score-labels.png")
        draw_minutes(courses, args.pictures / "score-minutes.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
