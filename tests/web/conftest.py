"""A real store with Hopper clips, a real server over it, and a real Chromium that looks at it."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.clips import poses
from rl_teacher.feedback.arrays import pack_arrays
from rl_teacher.feedback.records import NewQuery, NewSegment
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.server.page import STATIC
from tests.system import find_chromium, tool_missing

ROOT = Path(__file__).parents[2]
FRAMES = 24
FPS = 15.0
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Server:
    """The server as a process of its own, which can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = ""
        self.start()

    def start(self) -> None:
        port = self.url.rpartition(":")[2].strip("/") or "0"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rl_teacher.server", "--run-dir", str(self._folder), "--port", port],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "http://" in line, f"the server did not start: {line!r}"
        self.url = line[line.index("http://") :].strip()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@dataclass(frozen=True)
class Site:
    """A served experiment."""

    url: str
    token: str
    store: Store
    experiment: str
    run: str
    server: Server
    segments: list[NewSegment] = field(repr=False)

    def ask_more(self, n: int) -> None:
        """Up to 200 further questions, pairs of the same segments, as many as anybody answers."""
        self.store.edit_experiment(self.experiment, wanted=None)
        run = self.store.run_by_name(self.run).id
        pairs = itertools.islice(itertools.permutations(self.segments, 2), n)
        items = [NewQuery(pair=f"more-{i}", left=a, right=b, step=1000) for i, (a, b) in enumerate(pairs)]
        self.store.add_queries(run, items)

    def verdicts(self) -> list[str]:
        """Everything said so far, oldest first."""
        return [str(label.verdict) for label in self.store.labels_since(self.experiment, 0, 1000)]


@pytest.fixture(scope="session")
def hopper() -> tuple[bytes, list[np.ndarray], float]:
    """The scene of Hopper, 16 different simulated segments (FRAMES, S), and the seconds of one step."""
    env = gym.make("Hopper-v5").unwrapped
    rng = np.random.default_rng(0)
    segments = []
    for seed in range(16):
        env.reset(seed=seed)
        states = []
        for _ in range(FRAMES):
            env.step(rng.uniform(-1, 1, size=3))
            states.append(np.concatenate([env.data.qpos, env.data.qvel]))
        segments.append(np.array(states))
    scene = poses.scene(env.model, "Hopper-v5")
    dt = float(env.dt)
    blobs = [np.frombuffer(poses.poses(env.model, sim), dtype=np.uint8) for sim in segments]
    env.close()
    return scene, blobs, dt


@pytest.fixture(scope="session")
def page_is_built() -> None:
    done = subprocess.run([sys.executable, ROOT / "web" / "build.py"], capture_output=True, text=True, check=False)
    if done.returncode or not (STATIC / "index.html").is_file():
        pytest.fail(f"the page cannot be built: {done.stderr or done.stdout}")


def fill(store: Store, hopper: tuple[bytes, list[np.ndarray], float]) -> tuple[str, str, list[NewSegment]]:
    """An experiment with eight open questions and one replay; its id, its run's name and its segments."""
    scene, blobs, dt = hopper
    experiment = store.experiment("hop", "Hopper-v5", "Teach it to *move right*.", 50)
    run = store.run(experiment, "hop-1", 0, "human")
    store.report(run, "training", "Training on your answers", {"step": 1000})
    segments = []
    for n, blob in enumerate(blobs):
        clip = store.add_clip("poses", blob.tobytes(), "application/octet-stream", scene, FRAMES, FPS, dt)
        arrays = pack_arrays({"obs": np.full((FRAMES, 11), n, np.float32), "act": np.zeros((FRAMES, 3), np.float32)})
        key = hashlib.sha256(arrays).hexdigest()
        segments.append(NewSegment(key=key, data=arrays, clip_id=clip, step=1000, n_steps=FRAMES))
    pairs = zip(segments[::2], segments[1::2], strict=True)
    store.add_queries(run, [NewQuery(pair=f"{n:032x}", left=a, right=b, step=1000) for n, (a, b) in enumerate(pairs)])
    store.add_replay(run, 900, segments[0].clip_id, 123.0)
    return experiment, "hop-1", segments


@pytest.fixture
def site(tmp_path: Path, hopper: tuple[bytes, list[np.ndarray], float], page_is_built: None) -> Iterator[Site]:
    store = open_store(tmp_path)
    experiment, run, segments = fill(store, hopper)
    token = store.create_token("admin", store.labeller("tester"))
    server = Server(tmp_path)
    yield Site(server.url, token, store, experiment, run, server, segments)
    server.stop()
    store.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A headless Chromium that draws WebGL on the CPU."""
    program = find_chromium()
    if program is None:
        tool_missing("Chromium is missing. Install it with: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, site: Site) -> Iterator:
    """A fresh page."""
    yield from open_page(chromium, site, viewport={"width": 860, "height": 640})


def open_page(chromium, site: Site, **options) -> Iterator:
    """A fresh page; afterwards it must have spoken to nobody but our server and shown no error."""
    context = chromium.new_context(**options)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    elsewhere: list[str] = []
    errors: list[str] = []
    allowed = (site.url, "blob:", "data:")
    opened.on("request", lambda request: None if request.url.startswith(allowed) else elsewhere.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    context.close()
    assert elsewhere == []
    assert errors == []
