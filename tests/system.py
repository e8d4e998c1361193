"""What the tests need of the system beyond pip: a browser, and OpenGL for video. Run by `make test`.

Installs Debian's packages where that is possible (root, apt); elsewhere says what is missing, and the tests that need
it skip, saying so too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ctypes.util import find_library

PACKAGES = {
    "chromium": lambda: bool(shutil.which("chromium")),
    "libegl1": lambda: bool(find_library("EGL")),
    "libopengl0": lambda: bool(find_library("OpenGL")),
    "libgl1-mesa-dri": lambda: os.path.isdir("/usr/lib/x86_64-linux-gnu/dri") or os.path.isdir("/usr/lib64/dri"),
}


def main() -> int:
    missing = [package for package, is_there in PACKAGES.items() if not is_there()]
    if not missing:
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(
            f"not installed: {', '.join(missing)}; tests that need them will be skipped. As root: "
            f"apt-get install {' '.join(missing)}",
            file=sys.stderr,
        )
        return 0
    print(f"installing {', '.join(missing)}", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], check=True, **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True, **quiet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
