"""The command as a user types it, and a person who opens the address it prints."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.person import Person

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "rl_teacher" / "teach.py"


class Trainer:
    """The command as a user types it."""

    def __init__(self, words: str, script: Path = SCRIPT):
        self._log = Path("trainer.log").open("a+")  # noqa: SIM115
        self._from = len(Path("trainer.log").read_text())
        self.process = subprocess.Popen(
            [sys.executable, str(script), *shlex.split(words)], stdout=self._log, stderr=subprocess.STDOUT
        )

    @property
    def output(self) -> str:
        return Path("trainer.log").read_text()[self._from :]

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, f"'{text}' did not come: {self.output}"
            time.sleep(0.05)

    def end(self, seconds: float = 60.0) -> int:
        return self.process.wait(timeout=seconds)


@contextmanager
def training(words: str, script: Path = SCRIPT) -> Iterator[Trainer]:
    trainer = Trainer(words, script)
    try:
        yield trainer
    finally:
        if trainer.process.poll() is None:
            trainer.process.kill()
            trainer.process.wait()
        trainer._log.close()


@contextmanager
def person(trainer: Trainer) -> Iterator[Person]:
    trainer.wait_for("#token=")
    deadline = time.monotonic() + 30
    while True:
        try:
            somebody = Person(trainer.output, Path("runs"))
            break
        except OSError:  # the page's server is still starting
            assert time.monotonic() < deadline
            time.sleep(0.1)
    try:
        yield somebody
    finally:
        somebody.close()
