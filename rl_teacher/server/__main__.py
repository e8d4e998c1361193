"""`python -m rl_teacher.server`: serve a store to browsers."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence

import uvicorn

from rl_teacher.errors import UserError
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.server.app import create_app
from rl_teacher.server.connection import Connection

PARENT_POLL_SECONDS = 0.5
GOODBYE_SECONDS = 3
MOST_FILES = 65_536


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code, 2 for a user's mistake."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        _serve(options)
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rl_teacher.server", description="Serve a store to browsers.")
    parser.add_argument("--run-dir", default="runs", help="folder with feedback.db and blobs/ (default: runs)")
    parser.add_argument("--store", help="address of another database: sqlite:///FILE or postgresql://…")
    parser.add_argument("--blobs", help="another folder or address for blobs")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    door = parser.add_mutually_exclusive_group()
    door.add_argument("--port", type=int, default=8000, help="port to bind; 0 takes any free one (default: 8000)")
    door.add_argument("--fd", type=int, help="file descriptor of a socket that listens already, instead of a port")
    parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")
    parser.add_argument("--address", help="how other machines call this server, for invitations: http://HOST:PORT")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="further name of this server; may be repeated",
    )
    return parser


def _serve(options: argparse.Namespace) -> None:
    _allow_many_connections()
    with _listen(options) as listening, contextlib.closing(_open(options)) as store:
        host, port = listening.getsockname()[:2]
        app = create_app(store, port, [*options.allowed_host, *_names_of(host)], address=options.address)
        gc.collect()
        gc.freeze()  # what is there now stays: looking through it again and again would hold up requests
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=Connection,
                log_level="warning",
                access_log=False,  # addresses may hold tokens
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=GOODBYE_SECONDS,
            )
        )
        for ending in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops, then raises them again: that is no failure
            signal.signal(ending, lambda *_: None)
        if options.parent_pid is not None:
            threading.Thread(target=_end_with, args=(options.parent_pid, server), daemon=True).start()
        shown = f"[{host}]" if ":" in host else host
        print(f"RL-Teacher's page: http://{shown}:{port}/", flush=True)  # noqa: T201
        server.run(sockets=[listening])


def _allow_many_connections() -> None:
    """A hundred browsers hold six connections each; many systems give a program only 1,024 files at first."""
    if os.name != "nt":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with contextlib.suppress(ValueError, OSError):  # then as many as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES) if most > 0 else MOST_FILES, most))


def _open(options: argparse.Namespace) -> Store:
    return open_store(options.run_dir, options.store, options.blobs)


def _listen(options: argparse.Namespace) -> socket.socket:
    """The socket to serve on, which listens already.

    Raises:
        UserError: If the port is in use or may not be used, or the descriptor is no listening socket.
    """
    if options.fd is not None:
        try:
            return socket.socket(fileno=options.fd)
        except OSError as error:
            raise UserError(
                f"File descriptor {options.fd} is not a socket ({error.strerror}). Pass one that listens, or "
                "give --port."
            ) from error
    if not 0 <= options.port <= 65535:
        raise UserError(f"Port {options.port} does not exist. Allowed: 0 (any free one) to 65535.")
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # named TCP, or asyncio does not switch Nagle off, and every second answer on a connection comes 40 ms late
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((options.host, options.port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise UserError(
            f"Port {options.port} on {options.host} cannot be used ({error.strerror}). Choose another with --port; "
            "0 takes any free one."
        ) from error
    return listening


def _names_of(host: str) -> list[str]:
    """The address bound is a name of this server, unless it stands for every address there is."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return []
    return [f"[{host}]" if ":" in host else host]


def _end_with(parent: int, server: uvicorn.Server) -> None:
    """Ask the server to stop when its parent has ended, so that no orphan holds the port."""
    is_child = os.getppid() == parent
    while os.getppid() == parent if is_child else _runs(parent):
        time.sleep(PARENT_POLL_SECONDS)
    server.should_exit = True


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
