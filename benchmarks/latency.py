"""How long a person's answer waits until a policy update has used it, over tasks.

    python benchmarks/latency.py "-L 8 -e Reacher-v1" "-l 700 -L 8 -t 1e6 -e Hopper-v1" --answers 60

The command runs as a user starts it, the page's server as a process of its own; a script answers over HTTP by the true
reward, once every `--every` seconds. Seconds are `label_latency_seconds`, the oldest answer's of each round, from the
durable answer to the end of the first policy update that used it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.runs import machine
from tests.trainer import person, training

HEADER = "| `-p human` … | rounds with answers | median, s | 95 %, s | longest, s |\n|---|---|---|---|---|\n"


def measure(words: str, n_answers: int, every: float) -> list[float]:
    """Latencies of one run, seconds, in the order of the rounds."""
    with training(f"-p human {words} -n timed -V") as trainer, person(trainer) as me:
        me.answer(8)
        trainer.wait_for("learning from the answers")
        for _ in range(n_answers):
            began = time.monotonic()
            me.answer(1)
            time.sleep(max(0.0, every - (time.monotonic() - began)))
        me.ask_for("finish")
        trainer.end(120)
    lines = map(json.loads, Path("runs", "timed", "metrics.jsonl").read_text().splitlines())
    return [line["label_latency_seconds"] for line in lines if "label_latency_seconds" in line]


def main() -> int:
    """One row of a Markdown table for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="+", help="what follows `-p human`, with 8 answers before training")
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--every", type=float, default=1.5, help="seconds between answers")
    args = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n{HEADER}")
    here = Path.cwd()
    for words in args.commands:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                waited = sorted(measure(words, args.answers, args.every))
            finally:
                os.chdir(here)
        ranks = [waited[int(share * (len(waited) - 1))] for share in (0.5, 0.95, 1.0)]
        sys.stdout.write(f"| `{words}` | {len(waited)} | " + " | ".join(f"{value:.2f}" for value in ranks) + " |\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
