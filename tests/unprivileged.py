"""Commands by a user who may not write where files and folders forbid it: tests often run as root, who may."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Sequence

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
"""From Linux's prctl.h and capability.h."""


def run_unprivileged(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that heeds permissions even where this is root."""
    give_up = _heed_permissions if os.getuid() == 0 else None
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=give_up)


def _heed_permissions() -> None:
    if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise OSError("this root cannot give up its right to write everywhere")
