"""Backups: the database and every blob it names in one folder, with a manifest of their hashes.

A backup is a SQLite file whatever database it was made of, so that it can be restored into either kind. It is made
while trainer and server work: the database is copied as it is at one moment, and the blobs after it, which never change
and lie there before a row names them.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rl_teacher.errors import UserError
from rl_teacher.feedback.base import Storage
from rl_teacher.feedback.blobs import SHA, BlobError, Blobs
from rl_teacher.feedback.copying import copy_rows, copy_sqlite, is_empty
from rl_teacher.feedback.driver import choose_driver
from rl_teacher.feedback.engine import Database, sqlite_file
from rl_teacher.feedback.migrate import REVISIONS
from rl_teacher.feedback.naming import named_blobs
from rl_teacher.feedback.schema import labels
from rl_teacher.files import fsync, sha256_of, write_json

FORMAT = 1
DATABASE, MANIFEST, BLOBS = "feedback.db", "manifest.json", "blobs"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    made_at: str
    """ISO 8601, UTC: every answer acknowledged before is in it."""
    revision: str
    """Of the schema."""
    n_labels: int
    """Events: answers, changes, withdrawals."""
    database: str
    """sha256 of the database file."""
    blobs: dict[str, int]
    """Bytes by sha256."""
    missing: list[str]
    """Blobs that rows name and that were lost or damaged before the backup."""
    format: int = FORMAT


def back_up(store: Storage, out: Path) -> Manifest:
    """Write a backup of a store that may be in use.

    Args:
        store: What to keep.
        out: A folder, made by this; there is either all of it or none.

    Raises:
        UserError: If the folder is there already or cannot be written.
    """
    if out.exists():
        raise UserError(f"{out} is there already, and a backup overwrites nothing. Choose another folder with --out.")
    draft = out.with_name(f"{out.name}.part")
    try:
        draft.mkdir(parents=True)
        try:
            manifest = _write(store, draft)
            fsync(draft)
            draft.rename(out)
            fsync(out.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise UserError(
            f"The backup {out} cannot be written ({error.strerror or error}). It must be a folder with room enough "
            "that you may write to; choose another with --out."
        ) from error
    return manifest


def _write(store: Storage, draft: Path) -> Manifest:
    made_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    file = draft / DATABASE
    if store.is_sqlite:
        with store.read() as conn:
            copy_sqlite(conn, file)
    else:
        with closing(Database(sa.URL.create("sqlite", database=str(file)))) as copy:
            with store.read() as source, copy.write() as target:
                copy_rows(source, target)
            with copy.read() as conn:
                copy_sqlite(conn, draft / "whole.db")  # without what lies beside it in the log
        for beside in draft.glob(f"{DATABASE}*"):
            beside.unlink()
        (draft / "whole.db").rename(file)
    fsync(file)
    kept, sizes, missing = Blobs(draft / BLOBS), {}, []
    with _opened(file) as conn:
        revision, n_labels, names = _revision(conn), _count(conn), named_blobs(conn)
    for sha in sorted(names):
        try:
            data = store.blobs.get(sha)
        except BlobError:
            missing.append(sha)
        else:
            kept.put(data)
            sizes[sha] = len(data)
    manifest = Manifest(made_at, revision, n_labels, sha256_of(file), sizes, missing)
    write_json(draft / MANIFEST, asdict(manifest))
    return manifest


def restore(backup: Path, run_dir: Path, url: str | None = None) -> Manifest:
    """Bring a backup back, after every hash in it was proved.

    Args:
        backup: The folder that `back_up` wrote.
        run_dir: Where the blobs go, and the database unless `url` says otherwise.
        url: Another database.

    Raises:
        UserError: If the backup is not whole or from a newer version, or there is a database already.
    """
    manifest = prove(backup)
    file = sqlite_file(url or sa.URL.create("sqlite", database=str(run_dir.absolute() / DATABASE)))
    if file is not None and any(file.parent.glob(f"{file.name}*")):
        raise UserError(
            f"There is a database {file} already, and restoring overwrites nothing. Move it away with all files whose "
            "names begin like it, or choose another folder with --run_dir."
        )
    if file is None and url is not None:
        with closing(Database(url)) as target, target.read() as conn:
            if not is_empty(conn):
                raise UserError(
                    f"The database '{sa.make_url(url).render_as_string()}' holds something already, and restoring "
                    "overwrites nothing. Give an empty one with --store."
                )
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        _bring_back(backup, manifest, Blobs(run_dir.absolute() / BLOBS), file, url)
    except OSError as error:
        raise UserError(
            f"The backup cannot be restored to {run_dir} ({error.strerror or error}). It must be a folder with room "
            "enough that you may write to; choose another with --run_dir."
        ) from error
    return manifest


def _bring_back(backup: Path, manifest: Manifest, blobs: Blobs, file: Path | None, url: str | None) -> None:
    """Blobs first: a question that can be seen can be played."""
    kept = Blobs(backup / BLOBS)
    for sha in manifest.blobs:
        blobs.put(kept.get(sha))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.part")
        shutil.copyfile(backup / DATABASE, draft)
        fsync(draft)
        draft.rename(file)
        fsync(file.parent)
        Database(sa.URL.create("sqlite", database=str(file))).close()  # brought up to date, and looked through
    elif url is not None:
        with tempfile.TemporaryDirectory() as folder:
            copied = shutil.copyfile(backup / DATABASE, Path(folder) / DATABASE)
            with (
                closing(Database(sa.URL.create("sqlite", database=str(copied)))) as source,
                closing(Database(url)) as target,
                source.read() as rows,
                target.write() as conn,
            ):
                copy_rows(rows, conn)


def prove(backup: Path) -> Manifest:
    """Read a backup's manifest and prove every hash in it.

    Raises:
        UserError: If anything is missing, altered or from a newer version.
    """
    manifest = _read(backup)
    file = backup / DATABASE
    if not file.is_file() or sha256_of(file) != manifest.database:
        raise _damaged(backup, f"{DATABASE} is missing or was altered")
    if manifest.revision not in REVISIONS:
        raise UserError(
            f"The backup {backup} has schema version {manifest.revision}; this RL-Teacher knows up to {REVISIONS[-1]}. "
            "Install the newer RL-Teacher that made it."
        )
    kept = Blobs(backup / BLOBS)
    for sha in manifest.blobs:
        try:
            kept.get(sha)
        except BlobError as error:
            raise _damaged(backup, f"blob {sha} is missing or was altered") from error
    with _opened(file) as conn:
        unknown = named_blobs(conn) - manifest.blobs.keys() - set(manifest.missing)
        if unknown or _revision(conn) != manifest.revision or _count(conn) != manifest.n_labels:
            raise _damaged(backup, f"{MANIFEST} does not belong to {DATABASE}")
    return manifest


def _read(backup: Path) -> Manifest:
    try:
        given = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{backup} is no backup: it holds no {MANIFEST}. Give the folder that backup wrote.") from None
    except OSError as error:
        raise UserError(
            f"The backup {backup} cannot be read ({error.strerror}). Give one that you may read."
        ) from error
    except ValueError:
        raise _damaged(backup, f"{MANIFEST} is no JSON") from None
    if isinstance(given, dict) and isinstance(given.get("format"), int) and given["format"] > FORMAT:
        raise UserError(
            f"The backup {backup} has format {given['format']}; this RL-Teacher knows up to {FORMAT}. Install the "
            "newer RL-Teacher that made it."
        )
    if not _is_manifest(given):
        raise _damaged(backup, f"{MANIFEST} is not what backup writes")
    return Manifest(**given)


def _is_manifest(given: Any) -> bool:
    kinds = {"made_at": str, "revision": str, "n_labels": int, "database": str, "blobs": dict, "missing": list}
    return (
        isinstance(given, dict)
        and given.keys() == {*kinds, "format"}
        and all(isinstance(given[name], kind) for name, kind in kinds.items())
        and all(re.fullmatch(SHA, sha) for sha in given["blobs"])
    )


def _damaged(backup: Path, what: str) -> UserError:
    return UserError(f"The backup {backup} is damaged: {what}. Nothing was restored; take another backup.")


@contextmanager
def _opened(file: Path) -> Iterator[sa.Connection]:
    """A backup's database, of whichever version, without changing it."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)), module=choose_driver().module)
    try:
        with engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()


def _revision(conn: sa.Connection) -> str:
    return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()


def _count(conn: sa.Connection) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(labels)).scalar_one()
