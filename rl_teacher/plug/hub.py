"""Exports on the Hugging Face Hub. A token comes from the environment (HF_TOKEN) alone and is never shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from rl_teacher.errors import UserError

PREFIX = "hf:"
"""Before OWNER/NAME, or OWNER/NAME@REVISION, where a path may be given."""
FILES = ("export.json", "*.safetensors", "*.onnx")
LONGEST = 200
"""Letters shown of what the Hub says."""


def upload(folder: Path, repository: str) -> str:
    """Put an export there, into a private repository if it is new; returns its address.

    Args:
        folder: That `rl-teacher export` wrote.
        repository: "OWNER/NAME".

    Raises:
        UserError: If the extra or the token is missing, or the Hub refuses.
    """
    token = os.environ.get("HF_TOKEN")
    hub = _library()
    if not token:
        raise UserError(
            f"--hub {repository} given, but the environment variable HF_TOKEN holds no token; the Hub wants one that "
            f"may write. Make one at huggingface.co/settings/tokens and set it. The export itself is in {folder}."
        )
    with _faults(f"{folder} was not uploaded to {repository}"):
        api = hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token)
        api.create_repo(repository, private=True, exist_ok=True)
        api.upload_folder(
            folder_path=folder,
            repo_id=repository,
            allow_patterns=list(FILES),
            commit_message=f"{folder.name}, exported by RL-Teacher",
        )
        return f"{PREFIX}{repository}"


def download(address: str) -> Path:
    """The folder of an export from there, out of the Hub's own cache where it has it.

    Args:
        address: "hf:OWNER/NAME" or "hf:OWNER/NAME@REVISION".

    Raises:
        UserError: If the extra is missing, or it cannot be had.
    """
    hub = _library()
    repository, _, revision = address.removeprefix(PREFIX).partition("@")
    with _faults(f"{address} cannot be had"):
        return Path(
            hub.snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=list(FILES),
                endpoint=os.environ.get("HF_ENDPOINT"),
                token=os.environ.get("HF_TOKEN") or False,
            )
        )


def _library() -> Any:
    try:
        return import_module("huggingface_hub")
    except ImportError as error:
        raise UserError(
            f"The Hugging Face Hub is reached through huggingface_hub, which cannot be imported ({error}). Install it "
            "with pip install 'rl-teacher[hub]'."
        ) from error


@contextmanager
def _faults(what: str) -> Iterator[None]:
    """What the library or the network raises, as one line without the token."""
    try:
        yield
    except Exception as error:  # httpx's, the Hub's, of validation: they share no base
        said = " ".join(str(error).split())[:LONGEST]
        if token := os.environ.get("HF_TOKEN"):
            said = said.replace(token, "…")
        raise UserError(
            f"{what}: {type(error).__name__}: {said}. Mend the name, the token (HF_TOKEN) or the connection, and try "
            "again."
        ) from None
