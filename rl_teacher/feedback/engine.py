"""A database one may trust with answers: every commit is on the disk when it returns, numbers rise as it does."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from rl_teacher.errors import UserError
from rl_teacher.feedback.driver import choose_driver
from rl_teacher.feedback.migrate import migrate
from rl_teacher.feedback.mounts import network_file_system

DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",  # SQLAlchemy's own choice differs between its versions
    "postgresql+psycopg": "postgresql+psycopg",
}
"""By what may be given, what is used."""
BUSY_SECONDS = 10.0
"""How long a writer waits for another process before it gives up."""
POOL, OVERFLOW = 16, 48
"""Connections of a process: kept, and more for a moment. Together more than the server has threads."""


class Database:
    """An open, migrated database with reading and writing transactions.

    Args:
        url: As SQLAlchemy writes it: `sqlite:////absolute/path.db`, `postgresql://…`.
        clock: Unix time in seconds; passed in so that tests can turn it.

    Raises:
        UserError: Where the database cannot be opened, is damaged, or is from a newer version.
    """

    reads_at_once: bool
    """Whether reading waits for nobody: neither for a writer, as in a rollback journal, nor for a network."""

    def __init__(self, url: str | sa.URL, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        parsed = parse_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        """Else it is PostgreSQL."""
        self._lock = threading.Lock()
        self._engine = _sqlite_engine(parsed) if self.is_sqlite else _server_engine(parsed)
        self.reads_at_once = self.is_sqlite and choose_driver().journal == "WAL"
        self._writer = self._engine.execution_options(rlt_write=True)
        self._reader = self._engine
        if not self.is_sqlite:  # there each statement would see a moment of its own
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        try:
            self._open(parsed)
        except BaseException:
            self._engine.dispose()
            raise

    def _open(self, url: sa.URL) -> None:
        try:
            if self.is_sqlite:
                self._check_whole()
            migrate(self._reader, self._writer, self.clock())
            with self.write() as conn:  # what may only be read is refused now, not when the first answer comes
                conn.exec_driver_sql("UPDATE counters SET value = value WHERE 1 = 0")
        except exc.DatabaseError as error:
            shown = url.render_as_string(hide_password=True)
            must = (
                "It must be a whole database in a folder you may write to; choose another with --store or --run-dir, "
                "or restore a backup."
                if self.is_sqlite
                else "PostgreSQL must run there and let this user make tables in that database; mend it, or give "
                "--store postgresql://USER:PASSWORD@HOST/NAME."
            )
            said = " ".join(str(error.orig).split())
            raise UserError(f"The database '{shown}' cannot be opened ({said}). {must}") from error

    def _check_whole(self) -> None:
        with self.read() as conn:
            found = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise UserError(f"The database '{self._engine.url.database}' is damaged ({found}); restore a backup.")

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one moment of the database and changes nothing."""
        with self._reader.connect() as conn:
            yield conn

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when the block has ended; an exception undoes it.

        SQLite has one writer at a time. Threads of this process queue here, which is fairer than its busy polling.
        """
        with self._turn() if self.is_sqlite else contextlib.nullcontext(), self._writer.begin() as conn:
            yield conn

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Whoever waits too long behind others gives up as one does who waits for another process."""
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            locked = choose_driver().module.OperationalError("database is locked")
            raise exc.OperationalError("BEGIN IMMEDIATE", None, locked)
        try:
            yield
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close all connections. Closing twice is harmless."""
        self._engine.dispose()


def _server_engine(url: sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url, pool_pre_ping=True, pool_size=POOL, max_overflow=OVERFLOW)
    except ImportError as error:
        raise UserError(
            f"Database '{url.drivername}' given, but its driver is not installed ({error}). For PostgreSQL: "
            "pip install 'rl-teacher[postgres]'."
        ) from error
    event.listen(engine, "connect", lambda connection, _record: _prepare_server(connection))
    return engine


def _prepare_server(connection: Any) -> None:
    """Whatever the server's own settings are: commits are durable, and nobody waits for a lock without end."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET synchronous_commit = on; SET lock_timeout = '{BUSY_SECONDS:.0f}s'")
    connection.commit()


def parse_url(url: str | sa.URL) -> sa.URL:
    """The address of a database, if it is one that can be used.

    Raises:
        UserError: If it is not.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise UserError(
            f"'{url}' is not the address of a database. Allowed: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
        ) from error
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise UserError(
            f"Databases of kind '{kind}' are not supported. Allowed: sqlite, postgresql. Choose one with --store."
        )
    if parsed.drivername not in DRIVERS:
        raise UserError(
            f"Database driver '{parsed.drivername}' given. Allowed: {', '.join(DRIVERS)}. Choose one with --store."
        )
    return parsed.set(drivername=DRIVERS[parsed.drivername])


def sqlite_file(url: str | sa.URL) -> Path | None:
    """The file of a database; None for one that is PostgreSQL's.

    Raises:
        UserError: If it is the address of neither.
    """
    parsed = parse_url(url)
    return Path(_file_of(parsed)) if parsed.get_backend_name() == "sqlite" else None


def _file_of(url: sa.URL) -> str:
    """The file of a SQLite database.

    Raises:
        UserError: If it has none, or if more is given than a file.
    """
    if not url.database or ":memory:" in url.database:
        raise UserError("A database in memory cannot be shared by trainer and server; give a file: sqlite:///FILE.")
    if url.query or url.host or url.username:
        raise UserError(
            f"The database '{url.render_as_string()}' given. Allowed for SQLite is a file and nothing else: no host, "
            "no options after '?'. Give --store sqlite:///FILE."
        )
    return url.database


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    file = _file_of(url)
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of '{file}' cannot be made ({error.strerror}). It must be one you may write to; "
            "choose another with --run-dir."
        ) from error
    driver = choose_driver()
    journal = driver.journal if network_file_system(Path(file)) is None else "TRUNCATE"  # WAL needs shared memory
    engine = sa.create_engine(
        url,
        module=driver.module,
        pool_size=POOL,
        max_overflow=OVERFLOW,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", lambda connection, _record: _prepare(connection, journal))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, journal: str) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
    _set_journal(cursor, journal)
    cursor.execute("PRAGMA synchronous=FULL")  # fsync at every commit
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _set_journal(cursor: Any, journal: str) -> None:
    """Ask until it is granted: switching a new file to WAL does not wait for others who switch it at the same time."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute(f"PRAGMA journal_mode={journal}")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(conn: sa.Connection) -> None:
    """Writers take the write lock at once: a reader that wants to become a writer half-way can be refused."""
    writes = conn.get_execution_options().get("rlt_write", False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def insert_new(conn: sa.Connection, table: sa.Table, **values: object) -> bool:
    """Insert a row unless a unique key of it is there already; says whether it was inserted."""
    from sqlalchemy.dialects import postgresql, sqlite

    statement = postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)
    statement = statement.values(**values).on_conflict_do_nothing()  # its row count is not known on PostgreSQL
    return conn.execute(statement.returning(*table.primary_key)).first() is not None


def next_number(conn: sa.Connection, name: str, n: int = 1) -> int:
    """Reserve n numbers of a counter and return the first.

    The counter's row stays locked until the transaction ends, so numbers become visible in rising order: a reader
    that has seen number 7 has been able to see 1 to 6.
    """
    from rl_teacher.feedback.schema import counters

    here = counters.c.name == name
    value = conn.execute(counters.update().where(here).values(value=counters.c.value + n).returning(counters.c.value))
    return value.scalar_one() - n + 1
