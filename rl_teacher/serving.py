"""Starting the page's server as a process of its own, and keeping it up.

Trainer and server never import each other: they meet in the store. The trainer only opens the door (the listening
socket) and starts the program behind it, so that a restarted server keeps its address.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import segno

from rl_teacher.errors import UserError
from rl_teacher.feedback.place import check_for_people
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.options import Machine
from rl_teacher.shell import tell

FIRST_PORT = 8000
TRIES = 50
STEADY_SECONDS = 10.0
"""A server that lived longer did start: it is started again at once …"""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""… but one that dies sooner waits, twice as long each time."""


def listen(host: str, port: int | None) -> socket.socket:
    """A listening socket.

    Args:
        host: Address to bind.
        port: Exactly this one; None takes the first free one from 8000 on.

    Raises:
        UserError: If the port asked for is in use, or the address cannot be bound.
    """
    try:
        family = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]
    except (socket.gaierror, UnicodeError):
        raise UserError(
            f"--host {host} given, which is no address of any machine. Leave --host out, or give one."
        ) from None
    ports = range(FIRST_PORT, FIRST_PORT + TRIES) if port is None else (port,)
    fault: OSError | None = None
    for candidate in ports:
        door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: see server.__main__
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, candidate))
            door.listen(128)
        except OSError as error:
            door.close()
            fault = error
        else:
            door.set_inheritable(True)
            return door
    wanted = f"Port {port}" if port is not None else f"Every port from {FIRST_PORT} to {FIRST_PORT + TRIES - 1}"
    reason = fault.strerror if fault else "in use"
    raise UserError(f"{wanted} on {host} cannot be used ({reason}). Leave --port out, or give a free one.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server finds its store, and what people may call it."""

    run_dir: Path
    store: str | None
    allowed_host: str | None = None

    @classmethod
    def of(cls, machine: Machine) -> Place:
        """That of a trainer."""
        return cls(machine.run_dir, machine.store, machine.allowed_host)


class PageServer:
    """The page's server as a child process.

    Args:
        door: A listening socket; stays with the trainer.
        place: What it serves.
        log: Where the child's messages go.
    """

    def __init__(self, door: socket.socket, place: Place, log: Path):
        self._door, self._log = door, log
        host, self.port = door.getsockname()[:2]
        everywhere = host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        shown = own_address() if everywhere else host
        self.address = f"http://{'[' + shown + ']' if ':' in shown else shown}:{self.port}"
        self.here = f"http://127.0.0.1:{self.port}" if host == "0.0.0.0" else self.address  # noqa: S104 - compared
        """For this machine's own user."""
        names = (
            [shown, socket.gethostname(), *filter(None, [place.allowed_host])] if everywhere else [place.allowed_host]
        )
        self._options = ["--run-dir", str(place.run_dir), *(["--store", place.store] if place.store else [])]
        self._options += [word for name in names if name for word in ("--allowed-host", name)]
        self._options += ["--address", self.address] if everywhere else []
        self._child: subprocess.Popen[bytes] | None = None
        self.n_starts = 0
        self.news = ""
        """What to tell people of the latest start; empty for the first."""
        self._started = 0.0
        self._pause = 0.0
        self._retry_at: float | None = None
        """Set while it is dead."""

    def keep_up(self) -> bool:
        """Start the server if it does not run and its pause is over; returns whether it was started."""
        if self._child is not None:
            if self._child.poll() is None:
                return False
            if self._retry_at is None:
                self._lay_out(time.monotonic())
            if time.monotonic() < (self._retry_at or 0.0):
                return False
        self._start()
        return True

    def _lay_out(self, now: float) -> None:
        """It has died: decide when to start it again, and what to say then."""
        self.news = "the page's server had died; started it again"
        if now - self._started > STEADY_SECONDS:
            self._pause = 0.0
        else:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
            self.news = f"the page's server died soon after its start, see {self._log}; started it again"
        self._retry_at = now + self._pause

    def _start(self) -> None:
        command = [sys.executable, "-m", "rl_teacher.server", "--fd", str(self._door.fileno())]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own module; words go in as they are, through no shell
                [*command, *self._options, "--parent-pid", str(os.getpid())],
                pass_fds=(self._door.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the trainer, which then ends the server
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
            )
        self.n_starts += 1
        self._started, self._retry_at = time.monotonic(), None

    def close(self) -> None:
        """End the server and let the port go. Closing twice is harmless."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._door.close()


def invitation(store: Store, address: str, screen: str = "") -> str:
    """The one address to open: it carries a fresh token that lets its holder do everything on this machine's store.

    Args:
        store: Where the token is kept, hashed.
        address: Of the server, "http://127.0.0.1:8000".
        screen: Where to go first, "teach/<experiment id>" or "watch/<run name>"; empty: the list.
    """
    token = store.create_token("admin", store.labeller("me"), by="command line")
    return f"{address}/#token={token}" + (f"&go={screen}" if screen else "")


def share(store: Store, address: str, experiment: str | None) -> str:
    """What to print so that several people in the local network can answer: a link, and the same for phones.

    Args:
        store: Where the invitation is kept, hashed.
        address: Of the server, as other machines call it.
        experiment: Name of the only one it opens; None: all.

    Raises:
        NotFoundError: If there is no such experiment.
    """
    found = None if experiment is None else store.experiment_by_name(experiment).id
    token, _ = store.invite(found, by="command line")
    url = f"{address}/#token={token}" + (f"&go=teach/{found}" if found else "")
    drawn = io.StringIO()
    segno.make(url, error="l").terminal(out=drawn, compact=True)
    return f"For others in this network, who only give a name:\n{url}\n\n{drawn.getvalue()}\n"


def own_address() -> str:
    """This machine's address in its local network; nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address kept for documentation: only the route is looked up
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who else is to be let in."""

    experiment: str | None = None
    """Name of the only experiment they may answer; None: all."""


def serve(place: Place, host: str, port: int | None, watch: str | None, sharing: Sharing | None = None) -> int:
    """Serve the page until Ctrl-C, without a trainer.

    Args:
        place: What to serve.
        host: Address to bind.
        port: None takes the first free one.
        watch: A run to show first.
        sharing: Whether to print an invitation; None: only the address for this machine's user.

    Raises:
        UserError: If there is nothing to serve, no such run or experiment, or answers might get lost.
    """
    if place.store is None and not (place.run_dir / "feedback.db").exists():
        raise UserError(
            f"No runs in {place.run_dir}: it holds no feedback.db. Teach something first, or give --run-dir."
        )
    if watch is None:
        check_for_people(place.run_dir, place.store)
    store = open_store(place.run_dir, place.store)
    try:
        if watch is not None:
            store.run_by_name(watch)
        if sharing is not None and sharing.experiment is not None:
            store.experiment_by_name(sharing.experiment)
        door = listen(host, port)
        server = PageServer(door, place, place.run_dir / "server.log")
        try:
            server.keep_up()
            screen = f"watch/{watch}" if watch else ""
            end = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):  # explicitly: a shell's background jobs ignore Ctrl-C
                signal.signal(number, lambda *_: end.set())
            tell(sys.stdout, f"Open {invitation(store, server.here, screen)}\n")
            if sharing is not None:
                tell(sys.stdout, share(store, server.address, sharing.experiment))
            tell(sys.stdout, "Ctrl-C ends it.\n")
            while not end.wait(1.0):
                if server.keep_up():
                    tell(sys.stdout, f"{server.news}\n")
            return 0
        finally:
            server.close()
    finally:
        store.close()
