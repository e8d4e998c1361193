"""Requests that the API's description allows, requests that it does not allow, and mangled bytes: does anything fail?

    python benchmarks/faults/strange.py --n 10000

Schemathesis makes the first two from `openapi.json`, with ids that are there put in their places and an admin's token;
they are sent to the app within this process. Mangled bytes are right requests with bits turned, parts cut out, doubled
or exchanged; they are sent to a real server as they are. Nothing may be answered with 5xx, no traceback may be shown or
logged, every error of the API has the one shape, and the server is there in the end.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from benchmarks.faults.wire import Target, status, target
from rl_teacher.server.app import create_app
from rl_teacher.server.limits import Buckets, Limits
from tests.feedback.lesson import make_lesson

HOST = "127.0.0.1:8123"
AT_ONCE = 4
PATIENCE = 0.3
MOST_ROUNDS = 20
"""Operations that take little have few different requests, so that the others are asked for more, again and again."""


@dataclass
class Found:
    """What came of one kind of request."""

    n: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_operation: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def judge(self, what: str, code: int, body: bytes) -> None:
        """Write down an answer."""
        self.n += 1
        self.statuses[code] += 1
        self.by_operation[what][code] += 1
        if code >= 500 or b"Traceback" in body:
            self.faults.append(f"{what}: {code} {body[:300]!r}")
        elif code >= 400 and not _is_error(body):
            self.faults.append(f"{what}: {code} is not told in the one shape: {body[:300]!r}")


def _is_error(body: bytes) -> bool:
    try:
        told = json.loads(body)
        return told["error"].keys() == {"code", "message"}
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


class Overheard(logging.Handler):
    """Everything that is logged as an error is a fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write it down."""
        self.said.append(record.getMessage()[:300])


def described(folder: Path, n: int, allowed: bool) -> Found:
    """Send about n requests that the description allows, or does not allow."""
    found, heard = Found(), Overheard()
    logging.getLogger().addHandler(heard)
    lesson = make_lesson(folder)
    query = lesson.ask(6)[0]
    token = lesson.store.create_token("admin", lesson.store.labeller("boss"), lifetime_seconds=None)
    clip = lesson.store.clip(lesson.segment(0).clip_id)
    real = {"experiment_id": lesson.experiment, "query_id": query, "name": "hop", "clip_id": clip.id, "sha": clip.blob}
    real["job_id"] = lesson.store.add_job(lesson.experiment, "agent_now", {}, lesson.run)
    without_end = Limits(Buckets(1e9, 10**9), Buckets(1e9, 10**9))
    app = create_app(lesson.store, 8123, limits=without_end)
    try:
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers={"Host": HOST})
        found_operations: Any = schema.get_all_operations()
        operations = [each.ok() for each in found_operations]
        headers = {"Host": HOST, "Authorization": f"Bearer {token}"}
        for number in range(MOST_ROUNDS):
            share = -(-max(0, n - found.n) // len(operations))
            if share:
                operations = [
                    each for each in operations if _send_some(each, allowed, share, number, real, headers, found)
                ]
    finally:
        logging.getLogger().removeHandler(heard)
        lesson.store.close()
    found.faults += [f"logged: {line}" for line in heard.said]
    return found


def _send_some(
    operation: Any, allowed: bool, n: int, number: int, real: dict[str, str], headers: dict[str, str], found: Found
) -> bool:
    """Send up to n requests of an operation; returns whether there is any such request."""
    limits = settings(
        max_examples=n,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
    )
    mode = GenerationMode.POSITIVE if allowed else GenerationMode.NEGATIVE

    @seed(number)
    @given(case=operation.as_strategy(generation_mode=mode))
    @limits
    def send(case: Any) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = real.get(name, case.path_parameters[name])
        try:
            answer = case.call(headers=headers)
        except Exception as fault:  # the app raised it again after its 500
            found.faults.append(f"{case.operation.label}: {type(fault).__name__}: {fault}"[:300])
            return
        found.judge(case.operation.label, answer.status_code, answer.content)

    try:
        send()
    except Unsatisfiable:
        return False
    return True


def right_requests(served: Target) -> list[bytes]:
    """Whole requests that are answered with 200, to be mangled."""
    said = {"id": "a", "query_id": served.query, "verdict": "LEFT", "seconds": 1.5}
    here = f"/api/v1/experiments/{served.experiment}"
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/", None),
        ("GET", "/api/v1/openapi.json", None),
        ("GET", f"{here}/labels?limit=5&verdict=LEFT", None),
        ("GET", f"{here}/export?format=csv", None),
        ("POST", f"{here}/claim", {"n": 3}),
        ("POST", "/api/v1/labels", said),
        ("POST", "/api/v1/leases/heartbeat", {"leases": ["x"]}),
        ("POST", "/api/v1/session", {"token": served.token}),
        ("PATCH", here, {"instructions": "Hop.", "repeat_rate": 0.1}),
        ("PUT", f"/api/v1/queries/{served.query}/gold", {"verdict": "LEFT"}),
    ]
    whole = []
    for method, path, body in asked:
        data = b"" if body is None else json.dumps(body).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        whole.append(served.head(method, path) + kind + data)
    return whole


PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"%00",
    b"%",
    b"{",
    b"[" * 200,
    b'"\\ud800"',
    b"1e999",
    b"NaN",
    b"-1",
    b"9" * 400,
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Range: bytes=0-0,-1\r\n",
    b"Cookie: rlt_1=\xff; =;;=\r\n",
    b"Authorization: Basic Og==\r\n",
    b"Host: evil.example.org\r\n",
    b"X: " + b"y" * 70_000 + b"\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\n",
    b"?" + b"a=b&" * 50,
)


def mangle(request: bytes, rng: random.Random) -> bytes:
    """The same, one to four times disturbed."""
    made = bytearray(request)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(made)) if made else 0
        kind = rng.randrange(6)
        if kind == 0 and made:
            made[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            made[place:place] = rng.choice(PIECES)
        elif kind == 2:
            del made[place : place + rng.randint(1, 40)]
        elif kind == 3:
            made[place:place] = made[place : place + rng.randint(1, 200)]
        elif kind == 4:
            made[place : place + 1] = rng.randbytes(rng.randint(1, 8))
        else:  # after the head, where the body or the next header begins
            end = made.find(b"\r\n") + 2
            made[end:end] = rng.choice(PIECES)
    return bytes(made)


def mangled(folder: Path, n: int) -> Found:
    """Send n mangled requests to a real server."""
    found, rng = Found(), random.Random(1)
    with target(folder) as served:
        whole = right_requests(served)
        for request in whole:
            if status(served.send(request)) not in (200, 204):
                raise RuntimeError(f"not a right request: {request!r}")

        def one(request: bytes) -> bytes:
            return served.send(request, PATIENCE)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for answer in pool.map(one, _some(whole, rng, n)):
                found.n += 1
                found.statuses[status(answer)] += 1
                if status(answer) >= 500 or b"Traceback" in answer:
                    found.faults.append(repr(answer[:300]))
        if not served.is_up():
            found.faults.append("the server is gone")
        log = served.log.read_text(errors="replace")
    found.faults += [f"logged: {line}" for line in log.splitlines() if "Traceback" in line or " ERROR " in line]
    return found


def _some(whole: list[bytes], rng: random.Random, n: int) -> Iterator[bytes]:
    for _ in range(n):
        yield mangle(rng.choice(whole), rng)


def main() -> int:
    """Print a Markdown table; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="requests of each kind (default 10,000)")
    n = parser.parse_args().n
    warnings.simplefilter("ignore")
    kinds = {
        "as described": lambda folder: described(folder, n, allowed=True),
        "against the description": lambda folder: described(folder, n, allowed=False),
        "mangled bytes": lambda folder: mangled(folder, n),
    }
    failed = False
    sys.stdout.write("| requests | n | statuses (0: no answer) | failures |\n|---|---|---|---|\n")
    for name, send in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            found = send(Path(folder))
        told = ", ".join(f"{code}: {count:,}" for code, count in sorted(found.statuses.items()))
        sys.stdout.write(f"| {name} | {found.n:,} | {told} | {len(found.faults)} |\n")
        sys.stderr.writelines(f"{name}: {fault}\n" for fault in found.faults[:20])
        sys.stdout.flush()
        failed |= bool(found.faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
