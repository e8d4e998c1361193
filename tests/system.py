"""What the tests need of the system beyond pip: two browsers, OpenGL for video, and PostgreSQL.

`python tests/system.py COMMAND …`, as in `make test`, installs Debian's packages where that is possible (root, apt) and
runs the command. With all of them there, it sets RL_TEACHER_TOOLS=1 for it, and a test that misses one of them fails.
Elsewhere it says what is missing, and such a test is skipped with its reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from ctypes.util import find_library
from pathlib import Path
from typing import NoReturn

REQUIRED = "RL_TEACHER_TOOLS"
PACKAGES: dict[str, Callable[[], bool]] = {
    "chromium": lambda: bool(find_chromium()),
    "firefox-esr": lambda: bool(find_firefox()),
    "libegl1": lambda: bool(find_library("EGL")),
    "libopengl0": lambda: bool(find_library("OpenGL")),
    "postgresql": lambda: find_postgres() is not None,
    "libgl1-mesa-dri": lambda: os.path.isdir("/usr/lib/x86_64-linux-gnu/dri") or os.path.isdir("/usr/lib64/dri"),
}


def find_chromium() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def find_firefox() -> str | None:
    """Where Firefox is."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps them off the path, one folder for each version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


def required() -> bool:
    """Whether all tools are said to be there."""
    return os.environ.get(REQUIRED) == "1"


def tool_missing(reason: str) -> NoReturn:
    """Skip the running test, or fail it where that must not be."""
    import pytest

    if required():
        pytest.fail(f"{reason} (No skip: {REQUIRED}=1 says that every tool is installed.)", pytrace=False)
    pytest.skip(f"NOT TESTED: {reason}")


def main(command: Sequence[str]) -> None:
    """Install what is missing and become the command."""
    absent = missing()
    if absent and os.geteuid() == 0 and shutil.which("apt-get"):
        install(absent)
        absent = missing()
        if absent:
            sys.exit(f"still not there after installing: {', '.join(absent)}")
    if absent:
        print(
            f"not installed: {', '.join(absent)}; tests that need them will be skipped. As root: "
            f"apt-get install {' '.join(absent)}",
            file=sys.stderr,
            flush=True,
        )
    os.execvpe(command[0], command, {**os.environ, REQUIRED: "0" if absent else "1"})


def missing() -> list[str]:
    return [package for package, is_there in PACKAGES.items() if not is_there()]


def install(packages: Sequence[str]) -> None:
    print(f"installing {', '.join(packages)}", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], check=True, **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=True, **quiet)


if __name__ == "__main__":
    main(sys.argv[1:])
