"""A PostgreSQL server of the tests' own: in a temporary folder, behind a socket file, ended by its own id."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from rl_teacher.feedback.engine import Database
from rl_teacher.feedback.schema import metadata
from tests.system import find_postgres

START_SECONDS = 60.0


@dataclass
class Postgres:
    """A running server."""

    folder: Path
    n_made: int = 0
    _shared: str | None = None

    def url(self, name: str) -> str:
        return f"postgresql://rlt@/{name}?host={self.folder}"

    def new(self) -> str:
        """The URL of a new database with no table in it."""
        self.n_made += 1
        self.run(f"CREATE DATABASE made_{self.n_made}")
        return self.url(f"made_{self.n_made}")

    def emptied(self) -> str:
        """The URL of a store's database as a new one is: the same whenever it is asked for, which is quicker."""
        if self._shared is None:
            self._shared = self.new()
            Database(self._shared).close()
        tables = [table.name for table in metadata.sorted_tables]
        self.run(
            f"TRUNCATE {', '.join(tables)} RESTART IDENTITY;INSERT INTO counters VALUES ('labels', 0), ('queries', 0)",  # noqa: S608 - our own tables
            self._shared,
        )
        return self._shared

    def run(self, statement: str, url: str | None = None) -> None:
        address = sa.make_url(url or self.url("postgres")).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as conn:
            conn.exec_driver_sql(statement)


@contextlib.contextmanager
def serve(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server and end it.

    Args:
        durable: Whether commits wait for the disk, as they do in earnest. Tests that end no PostgreSQL need not.
    """
    binaries = find_postgres()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="rlt-postgres-"))
    who = _unprivileged()
    if who is not None:
        os.chown(folder, who, -1)
    try:
        data = folder / "data"
        init = [binaries / "initdb", "-D", data, "-U", "rlt", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(init, check=True, user=who, cwd=folder, stdout=subprocess.DEVNULL)
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "max_connections": 300}
        settings |= {"fsync": "on" if durable else "off", "autovacuum": "off", "shared_buffers": "32MB"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([binaries / "postgres", "-D", data, *words], user=who, cwd=folder, stderr=log)
        try:
            made = Postgres(folder)
            _wait(made, server)
            yield made
        finally:
            server.send_signal(signal.SIGQUIT)  # at once; what it held is thrown away
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(made: Postgres, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return made.run("SELECT 1")
        except sa.exc.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((made.folder / "log").read_text()) from None
            time.sleep(0.05)


def _unprivileged() -> int | None:
    """Whom to run it as: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise RuntimeError("neither a user 'postgres' nor 'nobody' is there to run PostgreSQL as")
