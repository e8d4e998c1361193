"""Many people at once: does everything get answered though some vanish, and how long does the server take?

    python benchmarks/people.py vanish          # 100 labellers, 10,000 pairs, 30 % of them vanish; some minutes
    python benchmarks/people.py load            # 100 labellers at a real server, 15 submits a second, bursts of 50

`vanish` turns the store's clock by itself and checks that no pair is answered twice within a live lease, that every
pair is answered, and how soon what a vanished person held is served again. `load` times submit and next (claim) over
HTTP as pages send them: each submit is followed by a claim, each page asks for the state of the experiment every two
seconds and renews its leases every twenty. Nothing trains meanwhile, unless you start something that does.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.runs import machine
from benchmarks.vanishing import AHEAD, ask, vanish
from rl_teacher.feedback.store import open_store

POLL_SECONDS = 2.0
BEAT_SECONDS = 20.0
BURST_EVERY, BURST_RATE = 10, 50.0
"""Every so many seconds, one second of so many submits."""


class Line:
    """One browser's connection: HTTP/1.1, kept open."""

    def __init__(self, port: int, token: str):
        self._port = port
        self._head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        self._lock = asyncio.Lock()
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON.

        Raises:
            RuntimeError: If the server refuses.
        """
        data = b"" if body is None else json.dumps(body).encode()
        async with self._lock:
            self._pipe = self._pipe or await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._pipe
            writer.write(f"{method} /api/v1{path} HTTP/1.1\r\n{self._head}Content-Length: {len(data)}\r\n\r\n".encode())
            writer.write(data)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
            length = next(line for line in head.lower().split("\r\n") if line.startswith("content-length:"))
            answer = await reader.readexactly(int(length.split(":")[1]))
        if " 200 " not in head.split("\r\n", 1)[0]:
            raise RuntimeError(f"{method} {path}: {head.splitlines()[0]} {answer[:200]!r}")
        return json.loads(answer)

    def close(self) -> None:
        """Hang up."""
        if self._pipe is not None:
            self._pipe[1].close()


@dataclass(eq=False)
class Page:
    """One person's page."""

    line: Line
    experiment: str
    times: dict[str, list[float]]
    errors: list[str]
    held: list[dict[str, Any]] = field(default_factory=list)
    n: int = 0

    async def timed(self, name: str, method: str, path: str, body: Any = None) -> Any:
        """Call, and note the milliseconds or the error."""
        began = time.perf_counter()
        try:
            answer = await self.line.call(method, path, body)
        except (OSError, RuntimeError, asyncio.IncompleteReadError) as error:
            self.errors.append(str(error))
            return None
        self.times[name].append(1000 * (time.perf_counter() - began))
        return answer

    async def answer(self) -> None:
        """Answer the first pair held, then ask for the next."""
        if self.held:
            claim = self.held.pop(0)
            self.n += 1
            said = {"id": f"{claim['lease']}-{self.n}", "query_id": claim["query_id"], "lease": claim["lease"]}
            await self.timed("submit", "POST", "/labels", {**said, "verdict": "LEFT", "seconds": 2.0})
        found = await self.timed("next", "POST", f"/experiments/{self.experiment}/claim", {"n": AHEAD})
        self.held = found["queries"] if found else []

    async def look(self) -> None:
        """What the page asks for by itself while it is open."""
        await self.timed("poll", "GET", f"/experiments/{self.experiment}")

    async def beat(self) -> None:
        """Go on holding what is held."""
        await self.timed("beat", "POST", "/leases/heartbeat", {"leases": [claim["lease"] for claim in self.held]})


async def crowd(pages: list[Page], seconds: float, rate: float, seed: int = 1) -> None:
    """Everybody at once: submits at a rate a second by chance, with bursts, and what pages do by themselves."""
    rng, began = random.Random(seed), time.perf_counter()
    for page in pages:
        await page.answer()
    for page in pages:
        for times in page.times.values():
            times.clear()

    async def again(what: Callable[[], Awaitable[None]], every: float) -> None:
        await asyncio.sleep(rng.random() * every)
        while True:
            await what()
            await asyncio.sleep(every)

    background = [asyncio.create_task(again(page.look, POLL_SECONDS)) for page in pages]
    background += [asyncio.create_task(again(page.beat, BEAT_SECONDS)) for page in pages]
    began, busy, due = time.perf_counter(), set(), 0.0
    while due < seconds:
        burst = int(due) % BURST_EVERY == BURST_EVERY - 1
        due += rng.expovariate(BURST_RATE if burst else rate)
        await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
        free = [page for page in pages if page not in busy] if len(busy) < len(pages) else []
        if free:
            page = rng.choice(free)
            busy.add(page)
            task = asyncio.create_task(page.answer())
            task.add_done_callback(lambda _, page=page: busy.discard(page))
            background.append(task)
    while busy:
        await asyncio.sleep(0.05)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)


def load(folder: Path, n_people: int, n_pairs: int, seconds: float, rate: float) -> dict[str, Any]:
    """Milliseconds of every call by kind, and what went wrong."""
    with closing(open_store(folder)) as store:
        experiment = ask(store, n_pairs)
        tokens = [store.create_token("labeller", store.labeller(f"person {number}")) for number in range(n_people)]
    command = [sys.executable, "-m", "rl_teacher.server", "--run-dir", str(folder), "--port", "0"]
    times: dict[str, list[float]] = defaultdict(list)
    errors: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int((server.stdout or io.StringIO()).readline().rstrip().rstrip("/").rsplit(":", 1)[1])

            async def go() -> None:
                pages = [Page(Line(port, token), experiment, times, errors) for token in tokens]
                await crowd(pages, seconds, rate)
                for page in pages:
                    page.line.close()

            asyncio.run(go())
        finally:
            server.terminate()
    with closing(open_store(folder)) as store:
        said = store.labels_since(experiment)
    n_twice = len(said) - len({label.query_id for label in said})
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_ms = 1000 * (used.ru_utime + used.ru_stime) / max(1, sum(map(len, times.values())))
    return {"times": dict(times), "errors": errors, "twice": n_twice, "cpu_ms": cpu_ms}


def main() -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("vanish", "load"))
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=0.3, help="of people who vanish (default 0.3)")
    parser.add_argument("--seconds", type=float, default=120.0, help="of load (default 120)")
    parser.add_argument("--rate", type=float, default=15.0, help="submits a second (default 15)")
    args = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n")
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "vanish":
            found = vanish(Path(folder), args.people, args.pairs, args.share)
            sys.stdout.write("| people | vanished | pairs | answered | open at the end | answered twice | held twice |")
            sys.stdout.write(" longest wait after a lease of 120 s, s | took, s |\n" + "|---" * 9 + "|\n")
            figures = [args.people, found["left"], args.pairs, found["answered"], found["open"], found["twice"]]
            figures += [len(found["faults"]), f"{found['longest_wait']:.1f}", f"{found['seconds']:.0f}"]
            sys.stdout.write("| " + " | ".join(map(str, figures)) + " |\n")
            return int(bool(found["faults"] or found["twice"] or found["answered"] != args.pairs))
        found = load(Path(folder), args.people, args.pairs, args.seconds, args.rate)
    sys.stdout.write("| call | n | p50, ms | p95, ms | p99, ms | longest, ms |\n|---|---|---|---|---|---|\n")
    for name, times in found["times"].items():
        ranks = np.percentile(times, (50, 95, 99, 100)) if times else [0.0] * 4
        sys.stdout.write(f"| {name} | {len(times)} | " + " | ".join(f"{value:.1f}" for value in ranks) + " |\n")
    sys.stdout.write(
        f"\nerrors: {len(found['errors'])} {found['errors'][:3]}; pairs answered twice: {found['twice']};"
        f" processor time of the server: {found['cpu_ms']:.1f} ms a call, its start included\n"
    )
    return int(bool(found["errors"] or found["twice"]))


if __name__ == "__main__":
    sys.exit(main())
