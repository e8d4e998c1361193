"""`rl-teacher worker` beside the folder of a run that has ended."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.cli import main
from rl_teacher.feedback.records import Result
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.worker import Worker
from tests.clips.test_video import needs_gl  # noqa: F401
from tests.commands import teach

ROOT = Path(__file__).resolve().parent.parent


def ask(store: Store, name: str, kind: str, **args) -> str:
    run = store.run_by_name(name)
    return store.add_job(run.experiment_id, kind, args, run.id)


def result(store: Store, job: str, seconds: float = 60.0) -> Result:
    deadline = time.monotonic() + seconds
    while True:
        _, came = store.job(job)
        if came is not None:
            return came
        assert time.monotonic() < deadline, "nobody answered"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_worker_answers_for_a_finished_run_until_ctrl_c():
    assert teach("-p synth -l 30 -e ShortHopper-v1 -n over -t 60000 -V") == 0
    with closing(open_store("runs")) as store:
        asked = {kind: ask(store, "over", kind) for kind in ("best_worst", "agent_now", "forecast", "disagreements")}
        worker = subprocess.Popen(
            [sys.executable, "-m", "rl_teacher.cli", "worker"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            came = {kind: result(store, job) for kind, job in asked.items()}
            assert worker.stdout is not None
            lines = [worker.stdout.readline() for _ in range(2 + len(asked))]  # it says so after each answer
            worker.send_signal(signal.SIGINT)
            said = "".join(lines) + worker.communicate(timeout=20)[0]
        finally:
            worker.kill()
            worker.wait()
        assert worker.returncode == 0
        assert "Traceback" not in said
        for kind in asked:
            assert f"over: {kind}: " in said
        best_worst = came["best_worst"].data
        assert best_worst["best"][0]["sum"] > best_worst["worst"][0]["sum"]
        # the agent of the checkpoint: as good as the run says it was
        summary = json.loads(Path("runs/over/summary.json").read_text())
        assert came["agent_now"].data["step"] == summary["steps"]
        assert came["agent_now"].data["true_return"] == pytest.approx(summary["true_return"]["mean"], rel=0.5)
        assert "taught by a script" in came["disagreements"].data["message"]
        assert len(store.points(store.run_by_name("over").id)) > 3


@pytest.mark.slow
def test_r_hat_of_the_checkpoint_is_that_of_the_run_and_holds_out_the_same_answers():
    from rl_teacher.reopen import reopen
    from rl_teacher.reward.fit import bootstrap
    from rl_teacher.reward.model import RewardEnsemble

    kept: list[RewardEnsemble] = []
    fit = RewardEnsemble.fit

    def remember(self, comparisons, n_iters=None):
        kept.append(self)
        return fit(self, comparisons, n_iters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RewardEnsemble, "fit", remember)
        assert teach("-p synth -l 20 -e Reacher-v1 -n same -t 20000 -V") == 0
    with closing(open_store("runs")) as store:
        subject = reopen(Path("runs"), store.run_by_name("same"), store)
        reward = subject.reward()
        assert reward is not None
        queries = [one.query for one in subject.comparisons().values()]
        assert len(queries) == 20
        np.testing.assert_allclose(reward.votes(queries), kept[-1].votes(queries), rtol=1e-5)
        drawn = bootstrap([query.id for query in queries], 5, kept[-1]._seed)
        np.testing.assert_array_equal(reward.held_out(queries), (drawn == 0).numpy())


@pytest.mark.slow
def test_a_run_that_trains_is_left_to_its_trainer_and_one_without_a_folder_is_told_of():
    assert teach("-p rl -e Reacher-v1 -n here -t 5000 -V") == 0
    with closing(open_store("runs")) as store:
        said: list[str] = []
        worker = Worker(Path("runs"), store, said.append)
        run = store.run_by_name("here")
        store.report(run.id, "training", "learning")
        job = ask(store, "here", "agent_now")
        assert worker.turn() is False
        store.report(run.id, "stopped", "")
        assert worker.turn() is True
        assert result(store, job).ok
        no_reward = ask(store, "here", "best_worst")
        gone = store.run(store.experiment("gone", "reacher"), "gone", 1, "human")
        store.report(gone, "stopped", "")
        lost = ask(store, "gone", "forecast")
        assert worker.turn() is True
        assert "no r̂ yet" in result(store, no_reward).data["message"]
        assert "There is no run folder runs/gone" in result(store, lost).data["message"]
        assert worker.turn() is False
        assert len(said) == 3


def test_a_folder_that_is_none_is_refused(capsys):
    assert main(shlex.split("worker --run_dir nowhere")) == 2
    assert "--run_dir nowhere given" in capsys.readouterr().err


@pytest.mark.usefixtures("needs_gl")
def test_a_worker_makes_films_for_browsers_that_cannot_draw():
    assert teach("-p rl -e Reacher-v1 -n over -t 5000 -V") == 0
    lines: list[str] = []
    with closing(open_store("runs")) as store:
        run = store.run_by_name("over")
        clip = store.replays(run.id)[0].clip
        assert not clip.renditions
        store.ask_render(run.experiment_id, clip.id)
        assert Worker(Path("runs"), store, lines.append).turn()
        assert {"video/webm", "video/mp4"} <= {
            one.media_type.partition(";")[0] for one in store.clip(clip.id).renditions
        }
    assert lines == [f"over: render: a film of {clip.n_frames} frames"]
