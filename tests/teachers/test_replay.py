"""What people said is said once more: in its order, at the new run's pace, and the same after a stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rl_teacher import session
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict
from rl_teacher.teachers.human import HumanTeacher
from rl_teacher.teachers.replay import ReplayTeacher, recorded
from rl_teacher.trajectory import Query
from tests.commands import refused, summary, teach

N = 12


@pytest.fixture(scope="module")
def played() -> list[Query]:
    """Questions about what random actions do on reacher."""
    spec = resolve("Reacher-v1")
    stage = Stage(spec, 1, run="ann")
    segments = [one.segment(0, spec.clip_steps) for one in stage.play(None, 2 * N * 50) if len(one) >= spec.clip_steps]
    stage.close()
    return [Query(left, right) for left, right in zip(segments[:N], segments[N : 2 * N], strict=True)]


@pytest.fixture
def taught(played: list[Query]) -> Iterator[Store]:
    """Somebody answered N questions in the experiment "ann", the last of them first, one of them with "can't tell"."""
    with closing(open_store("runs")) as store:
        experiment = store.experiment("ann", "Reacher-v1", "Reach.")
        run = store.run(experiment, "ann", 1, "human")
        clip = store.add_clip("poses", b"1234567" * 4, "application/octet-stream", b"{}", 1, 20.0, 0.05)
        HumanTeacher(store, experiment, run, lambda segment: clip).ask(played)
        ann = store.labeller("ann")
        for number, asked in enumerate(reversed(store.queries(experiment))):
            better = Verdict.LEFT if number % 3 else Verdict.RIGHT
            verdict = Verdict.ABSTAIN if number == 4 else better
            store.submit(Submit(f"answer {number}", asked.id, ann, verdict))
        yield store


def test_the_record_is_what_was_preferred_in_the_order_of_the_answers(taught, played):
    said = recorded(taught, "ann")
    answered = [query.id for query in reversed(played)]
    del answered[4]
    assert [one.query.id for one in said] == answered
    assert [one.mu[0] for one in said] == [float(n % 3 > 0) for n in range(N) if n != 4]
    by_id = {query.id: query for query in played}
    for one in said:
        np.testing.assert_array_equal(one.query.left.obs, by_id[one.query.id].left.obs)


def test_one_answer_for_each_question_while_there_are_any(taught, played):
    said = recorded(taught, "ann")
    teacher = ReplayTeacher(said)
    assert teacher.changes(0).comparisons == ()
    teacher.ask(played[:5])
    first = teacher.changes(0)
    assert [one.query.id for one in first.comparisons] == [one.query.id for one in said[:5]]
    teacher.ask(played)
    second = teacher.changes(first.cursor)
    assert [one.query.id for one in second.comparisons] == [one.query.id for one in said[5:]]
    assert teacher.n_decided == second.cursor == N - 1
    tally = teacher.tally()
    assert tally == {"asked": 11, "answered": 11, "left": 7, "right": 4, "tie": 0, "abstain": 0}


def test_a_checkpoint_holds_the_whole_record(taught, played, tmp_path):
    before, after = ReplayTeacher(recorded(taught, "ann")), ReplayTeacher()
    before.ask(played[:3])
    before.save(tmp_path)
    after.load(tmp_path)
    assert after.tally() == before.tally()
    after.ask(played)
    assert [one.query.id for one in after.changes(0).comparisons] == [one.query.id for one in recorded(taught, "ann")]
    for held, given in zip(after.changes(0).comparisons, recorded(taught, "ann"), strict=True):
        np.testing.assert_array_equal(held.mu, given.mu)
        np.testing.assert_array_equal(held.query.right.act, given.query.right.act)


def test_nothing_recorded_is_said(taught):
    taught.experiment("empty", "Reacher-v1", "")
    with pytest.raises(UserError, match="nobody has preferred"):
        recorded(taught, "empty")
    with pytest.raises(UserError, match="ann"):
        recorded(taught, "anne")


def test_a_run_learns_from_the_record_and_goes_on_with_the_same(taught, monkeypatch):
    """Also if the person goes on answering meanwhile: the run has its own copy."""
    words = "--replay ann -L 4 -t 30000 -V"
    assert teach(f"{words} -n whole") == 0
    done = summary("whole")
    assert done["labels"] == {"asked": 11, "answered": 11, "left": 7, "right": 4, "tie": 0, "abstain": 0}
    assert done["env_id"] == "Reacher-v1"
    assert done["reward_model"]["fits"] > 0
    assert json.loads(Path("runs/whole/config.json").read_text())["settings"]["replay"] == "ann"

    record, stops = session.Session.record, [15_000]

    def stopped_once(self, steps, info):
        record(self, steps, info)
        if stops and steps >= stops[0]:
            stops.pop()
            self.stop_asked = True

    monkeypatch.setattr(session.Session, "record", stopped_once)
    assert teach(f"{words} -n parts") == 0
    assert not summary("parts")["finished"]
    experiment = taught.experiment_by_name("ann").id
    first = taught.queries(experiment)[0].id
    taught.submit(Submit("a changed mind", first, taught.labeller("ann"), Verdict.TIE))
    assert teach(f"{words} -n parts") == 0
    assert summary("parts")["true_return"] == summary("whole")["true_return"]
    assert summary("parts")["labels"] == done["labels"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--replay anne", "Did you mean ann?"),
        ("--replay ann -p human", "leave -p human out"),
        ("--replay ann --teacher mistake:0.1", "leave --teacher out"),
        ("--replay ann -n ann", "Choose another"),
        ("--replay ann -l 12", "11 answers"),
        ("--replay ann -l 0", "from 1 to"),
        ("--replay ann -e Hopper-v1", "another environment"),
        ("--replay ann --run_dir elsewhere", "no elsewhere"),
    ],
)
def test_mistakes_are_told_in_one_line(words, told, taught, capsys):
    assert told in refused(f"{words} -t 1000 -V", capsys)
    assert not [
        path for path in Path("runs").iterdir() if path.name.startswith("ann-replay") and list(path.glob("*.json"))
    ]
