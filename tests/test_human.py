"""A person teaches: trainer and page's server as real processes, the person by script over HTTP."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.trainer import person, training


def summary(name: str) -> dict:
    return json.loads(Path("runs", name, "summary.json").read_text())


def metrics(name: str) -> list[dict]:
    return [json.loads(line) for line in Path("runs", name, "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_a_person_teaches_the_cheetah_to_run():
    with training("-p human -L 16 -e HalfCheetah-v1 -n taught -V") as trainer, person(trainer) as me:
        me.read("waiting for answers")
        assert me.answer(16) == 16
        trainer.wait_for("learning from the answers")
        assert me.answer(34) == 34
        deadline = time.monotonic() + 90
        while metrics("taught")[-1]["step"] < 250_000 and time.monotonic() < deadline:
            time.sleep(0.5)
        me.ask_for("finish")
        assert trainer.end() == 0
    done = summary("taught")
    assert done["finished"]
    assert done["labels"]["answered"] >= 50
    assert done["labels"]["left"] > 5
    assert done["labels"]["right"] > 5
    assert done["true_return"]["mean"] > 500  # a cheetah that does nothing has 0
    assert done["seconds"]["wait"] > 0
    latencies = [line["label_latency_seconds"] for line in metrics("taught") if "label_latency_seconds" in line]
    assert latencies
    assert max(latencies) < 5  # from the first fit on; those before it waited for the others


@pytest.mark.slow
def test_after_kill_9_and_ctrl_c_every_answer_is_still_there():
    words = "-p human -L 6 -e Reacher-v1 -n kept -V"
    with training(words) as trainer, person(trainer) as me:
        assert me.answer(4) == 4
        trainer.process.kill()
        trainer.process.wait()
    with training(words) as trainer, person(trainer) as me:
        assert me.experiment()["counts"]["answered"] == 4
        assert me.answer(5) >= 5
        trainer.wait_for("learning from the answers")
        trainer.process.send_signal(signal.SIGINT)
        assert trainer.end() == 0
        assert "The same command goes on from here" in trainer.output
    done = summary("kept")
    assert not done["finished"]
    assert done["labels"]["answered"] >= 9
    assert done["true_return"]["mean"] is not None
    with training(words) as trainer, person(trainer) as me:
        trainer.wait_for(f"going on from step {done['steps']:,}")
        assert me.experiment()["counts"]["answered"] >= 9
        me.ask_for("finish")
        assert trainer.end() == 0
    assert summary("kept")["finished"]
    assert summary("kept")["labels"]["answered"] >= 9


@pytest.mark.slow
def test_a_run_of_so_many_answers_ends_by_itself_with_all_of_them():
    with training("-p human -l 14 -L 6 -e Reacher-v1 -n some -t 60000 -V") as trainer, person(trainer) as me:
        assert me.answer(6) == 6
        trainer.wait_for("learning from the answers")
        assert me.answer(8) == 8
        assert trainer.end() == 0
        assert "The steps ended" not in trainer.output
        assert "no preference" not in trainer.output.split("learning from the answers")[-1]
        shown = [me.store.load_segments(answer.label.query_id)[2] for answer in me.store.answers(me.experiment_id)]
        assert sum(provenance.query.step < 1_000 for provenance in shown) == 6
    done = summary("some")
    assert done["finished"]
    assert done["labels"]["answered"] == 14


@pytest.mark.slow
def test_cant_tell_only_trains_nothing_and_says_so():
    with training("-p human -L 3 -e Reacher-v1 -n unsure -V") as trainer, person(trainer) as me:
        assert me.answer(6, lambda query_id: "ABSTAIN") >= 6
        trainer.wait_for("0 of 3 given")
        me.ask_for("finish")
        assert trainer.end() == 0
    assert summary("unsure")["labels"]["abstain"] >= 6
    assert summary("unsure")["reward_model"]["fits"] == 0


@pytest.mark.slow
def test_the_server_is_started_again_when_it_dies_and_a_busy_port_is_stepped_over():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else listens there: busy all the same
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        with training("-p human -L 3 -e Reacher-v1 -n twice -V") as trainer, person(trainer) as me:
            assert "port 8000 is in use: the page is at port" in trainer.output
            port = int(me.address.rsplit(":", 1)[1])
            assert port > 8000
            children = Path(f"/proc/{trainer.process.pid}/task/{trainer.process.pid}/children").read_text().split()
            servers = [pid for pid in children if b"rl_teacher.server" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            assert len(servers) == 1
            os.kill(int(servers[0]), signal.SIGKILL)
            trainer.wait_for("started it again")
            assert me.answer(2, seconds=30) >= 2


def test_a_port_asked_for_explicitly_and_in_use_is_refused(capsys):
    from rl_teacher.teach import main

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(shlex.split(f"-p human -e Reacher-v1 -n x -V --port {port}")) == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in capsys.readouterr().err
