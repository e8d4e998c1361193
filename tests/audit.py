"""Known vulnerabilities of what is installed: `make audit`, part of `make test`.

Python's packages are looked up by pip-audit, the page's by npm audit. What was not looked up is said aloud, for silence
is not a pass: a service that does not answer, one that knows nothing (a mirror that says "none" to everything; it is
first asked about a version that is known to be vulnerable), and single packages that it does not know. npm tells how
severe a finding is: high and critical ones fail. PyPI does not, so each fails, unless it is named in `ACCEPTED`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

SECONDS = 10
"""The services answer at once, or not at all."""
ACCEPTED: dict[str, str] = {}
"""Findings we can live with, by their id, each with its reason."""
SEVERE = ("high", "critical")
PYPI = "https://pypi.org"
BULK = "/-/npm/v1/security/advisories/bulk"
WEB = Path(__file__).resolve().parent.parent / "web"


class NotAuditedError(Exception):
    """Nothing can be said; the message says why."""


@dataclass
class Report:
    """What came of one audit."""

    what: str
    n: int = 0
    findings: list[str] = field(default_factory=list)
    """Those that fail."""
    mild: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Packages that were not looked up."""

    def lines(self) -> list[str]:
        """For people."""
        told = [f"VULNERABLE: {finding}" for finding in self.findings]
        told += [f"noted, not severe or accepted: {finding}" for finding in self.mild]
        if self.unknown:
            told.append(f"not audited: {self.what} {', '.join(self.unknown)} (unknown to the service)")
        told.append(f"audited: {self.n} {self.what}, {len(self.findings)} to be mended")
        return told


def audit(checks: dict[str, Callable[[], Report]]) -> int:
    """Run each and tell; returns 1 for a finding that fails."""
    code = 0
    for what, check in checks.items():
        try:
            report = check()
        except NotAuditedError as why:
            sys.stdout.write(f"not audited: {what}: {why}\n")
            continue
        sys.stdout.writelines(f"{line}\n" for line in report.lines())
        code |= int(bool(report.findings))
    return code


def python_packages(service: str = PYPI) -> Report:
    """Everything that is installed for this Python."""
    known = ask(f"{service}/pypi/jinja2/2.4.1/json")
    if not known.get("vulnerabilities"):
        raise NotAuditedError(f"{service} does not know that Jinja2 2.4.1 is vulnerable, so it knows nothing")
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    done = run([*command, "--timeout", str(SECONDS)], None, 300)
    return of_pip_audit(done.stdout, done.stderr)


def of_pip_audit(said: str, complaint: str = "") -> Report:
    """What pip-audit's JSON says."""
    report = Report("Python packages")
    for package in parsed(said, complaint).get("dependencies", ()):
        name = f"{package['name']} {package.get('version', '')}".strip()
        if "skip_reason" in package:
            if package["name"] != "rl-teacher":
                report.unknown.append(name)
            continue
        report.n += 1
        for found in package["vulns"]:
            told = f"{name}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}"
            reason = next((ACCEPTED[id] for id in (found["id"], *found.get("aliases", ())) if id in ACCEPTED), None)
            (report.findings if reason is None else report.mild).append(told if reason is None else f"{told}: {reason}")
    return report


def page_packages(service: str | None = None) -> Report:
    """Everything in the page's lock file, by the registry that npm is set up for unless another is given."""
    build = _build()
    npm = [str(build.node()), str(build.npm())]
    service = (service or run([*npm, "config", "get", "registry"], WEB, SECONDS).stdout.strip()).rstrip("/")
    known = ask(service + BULK, {"lodash": ["4.17.4"]})
    if not known.get("lodash"):
        raise NotAuditedError(f"{service} does not know that lodash 4.17.4 is vulnerable, so it knows nothing")
    options = ["audit", "--json", f"--registry={service}", "--fetch-retries=0", f"--fetch-timeout={1000 * SECONDS}"]
    done = run([*npm, *options], WEB, 60)
    return of_npm_audit(done.stdout, done.stderr)


def of_npm_audit(said: str, complaint: str = "") -> Report:
    """What npm's JSON says."""
    told = parsed(said, complaint)
    if "metadata" not in told:
        fault = told.get("message") or told.get("error", {}).get("summary") or complaint.strip()[-200:]
        raise NotAuditedError(f"npm audit says: {fault}")
    report = Report("packages of the page", told["metadata"]["dependencies"]["total"])
    for name, found in told["vulnerabilities"].items():
        titles = [via["title"] for via in found["via"] if isinstance(via, dict)]
        line = f"{name} {found['range']}".strip() + f": {found['severity']}{''.join(f', {title}' for title in titles)}"
        (report.findings if found["severity"] in SEVERE else report.mild).append(line)
    return report


def ask(address: str, body: Any = None) -> Any:
    """The JSON a service answers with.

    Raises:
        NotAuditedError: If it does not.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise NotAuditedError(f"{address} answers with {error.code} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise NotAuditedError(f"{address} does not answer ({getattr(error, 'reason', error)})") from error


def run(command: list[str], folder: Path | None, seconds: int) -> subprocess.CompletedProcess[str]:
    """What a tool says.

    Raises:
        NotAuditedError: If it takes too long.
    """
    env = {**os.environ, "NO_COLOR": "1"}
    try:
        return subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotAuditedError(f"it took more than {seconds} s") from error


def parsed(said: str, complaint: str) -> Any:
    """The JSON in a tool's words.

    Raises:
        NotAuditedError: If there is none.
    """
    try:
        return json.loads(said)
    except ValueError as error:
        last = (complaint.strip() or said.strip() or "it says nothing").splitlines()[-1]
        raise NotAuditedError(last[:300]) from error


def _build() -> ModuleType:
    """`web/build.py`, which knows where Node is."""
    spec = importlib.util.spec_from_file_location("page_build", WEB / "build.py")
    if spec is None or spec.loader is None:
        raise NotAuditedError(f"{WEB / 'build.py'} is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(audit({"Python packages": python_packages, "packages of the page": page_packages}))
