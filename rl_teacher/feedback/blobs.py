"""Bytes by their sha256: clips, scenes and the arrays of segments.

A blob is written under a temporary name, fsynced and renamed, and the row that names it is inserted after that. So a
row never points at a missing or half-written blob, whenever the power fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Container
from pathlib import Path

import fsspec

from rl_teacher.errors import UserError

SHA = re.compile(r"[0-9a-f]{64}")


class BlobError(UserError):
    """A blob is missing or its bytes have changed."""


class Blobs:
    """A folder of blobs, local or at any address fsspec knows (`s3://`, `gs://`, …).

    Raises:
        UserError: Where the folder cannot be made.
    """

    def __init__(self, url: str | Path) -> None:
        self._fs, self._root = fsspec.url_to_fs(str(url))
        protocols = self._fs.protocol
        self._local = "file" in ((protocols,) if isinstance(protocols, str) else protocols)
        try:
            self._fs.makedirs(self._root, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"The blob folder '{url}' cannot be made ({error.strerror or error}). It must be a folder you may "
                "write to; choose another with --run-dir."
            ) from error

    def put(self, data: bytes) -> str:
        """Keep `data`; returns its sha256. What is there already stays as it is, and is young again for `sweep`."""
        sha = hashlib.sha256(data).hexdigest()
        if self._local:
            with contextlib.suppress(OSError):  # it is not there, or somebody else's: then it is written
                os.utime(self._key(sha))
                return sha
        elif self.has(sha):
            return sha
        if self._local:
            _write_durably(Path(self._key(sha)), Path(self._root), data)
        else:
            self._fs.pipe_file(self._key(sha), data)  # object stores show an object whole or not at all
        return sha

    def get(self, sha: str) -> bytes:
        """The bytes of a blob, checked against their name.

        Raises:
            BlobError: If there is no such blob, or it was altered.
        """
        try:
            data = self._fs.cat_file(self._key(sha))
        except FileNotFoundError as error:
            raise BlobError(f"Blob {sha} is missing from '{self._root}'; restore it from a backup.") from error
        found = hashlib.sha256(data).hexdigest()
        if found != sha:
            raise BlobError(f"Blob {sha} in '{self._root}' is damaged: its bytes hash to {found}. Restore it.")
        return data

    def has(self, sha: str) -> bool:
        """Whether the blob is there (its bytes are not read)."""
        return self._fs.exists(self._key(sha))

    def path(self, sha: str) -> Path | None:
        """Where a blob lies on this machine, or None when it is not a local file."""
        path = Path(self._key(sha))
        return path if self._local and path.is_file() else None

    def sweep(self, keep: Container[str], before: float, dry_run: bool = False) -> tuple[int, int]:
        """Remove what is not to be kept from a local folder, half-written files included.

        Args:
            keep: The sha256 of what stays.
            before: Unix seconds: what was put later stays.
            dry_run: Only count.

        Returns:
            How many files, and their bytes; nothing where the folder is not on this machine.
        """
        n_files = n_bytes = 0
        for path in Path(self._root).rglob("*") if self._local else ():
            is_ours = SHA.fullmatch(path.name) or path.name.startswith("tmp-")
            if not is_ours or path.name in keep or not path.is_file() or path.stat().st_mtime >= before:
                continue
            size = path.stat().st_size
            if dry_run or _remove_old(path, before):
                n_files, n_bytes = n_files + 1, n_bytes + size
        return n_files, n_bytes

    def _key(self, sha: str) -> str:
        if not SHA.fullmatch(sha):
            raise BlobError(f"'{sha[:80]}' names no blob: 64 hexadecimal digits (a sha256) are needed.")
        return f"{self._root}/{sha[:2]}/{sha[2:4]}/{sha}"


def _remove_old(path: Path, before: float) -> bool:
    """Remove a file unless somebody makes it young at this moment; whoever comes a moment later writes it anew."""
    aside = path.with_name(f"tmp-{uuid.uuid4().hex}")
    path.rename(aside)
    if aside.stat().st_mtime >= before:
        aside.rename(path)
        return False
    aside.unlink()
    return True


def _write_durably(path: Path, root: Path, data: bytes) -> None:
    folders = [folder for folder in (path.parent.parent, path.parent) if not folder.is_dir()]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = root / f"tmp-{uuid.uuid4().hex}"
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    for folder in (path.parent, *(made.parent for made in folders)):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; systems that cannot open folders do it by themselves."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
