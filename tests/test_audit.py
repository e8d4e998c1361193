"""`make audit` never takes silence for a pass. A server of our own says what the services say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import audit as auditing
from tests.audit import BULK, NotAuditedError, Report, ask, audit, of_npm_audit, of_pip_audit

FINDING = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": ["CVE-1"], "description": "bad"}


@pytest.fixture
def service() -> Iterator[tuple[str, dict[str, Any]]]:
    """Its address, and what it says by path; what it does not know is 404."""
    says: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            known = self.path in says
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(says[self.path] if known else b"not here")

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", says
    server.shutdown()
    server.server_close()


def test_a_service_that_does_not_answer_or_knows_nothing_is_told_aloud(service, capsys):
    address, says = service
    checks = {"this": lambda: auditing.python_packages(address), "that": lambda: auditing.page_packages(address)}
    assert audit(checks) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"not audited: this: {address}/pypi/jinja2/2.4.1/json answers with 404 Not Found",
        f"not audited: that: {address}{BULK} answers with 404 Not Found",
    ]
    says["/pypi/jinja2/2.4.1/json"] = says[BULK] = b"{}"  # a mirror that knows of no vulnerability whatever
    assert audit(checks) == 0
    out = capsys.readouterr().out
    assert out.count("so it knows nothing") == out.count("not audited: ") == 2
    says["/pypi/jinja2/2.4.1/json"] = b"<html>"
    with pytest.raises(NotAuditedError, match="does not answer"):
        auditing.python_packages(address)
    with pytest.raises(NotAuditedError, match="does not answer"):
        ask("http://127.0.0.1:9/")


def test_npm_audits_the_lock_file_of_the_page(service):
    address, says = service
    bad = {"id": 1, "url": "https://example.org", "title": "Bad", "severity": "high", "vulnerable_versions": "<999"}
    says[BULK] = json.dumps({"lodash": [bad], "preact": [bad]}).encode()
    report = auditing.page_packages(address)
    assert report.n > 10
    assert len(report.findings) >= 1
    assert "high, Bad" in "\n".join(report.findings)


def test_findings_fail_and_unknown_packages_are_named(capsys, monkeypatch):
    fine = {"name": "numpy", "version": "2.0", "vulns": []}
    hit = {"name": "torch", "version": "1.0", "vulns": [FINDING]}
    skipped = {"name": "own", "skip_reason": "Dependency not found on PyPI"}
    said = json.dumps({"dependencies": [fine, hit, skipped, {"name": "rl-teacher", "skip_reason": "editable"}]})
    report = of_pip_audit(said)
    assert (report.n, report.unknown) == (2, ["own"])
    assert report.findings == ["torch 1.0: PYSEC-1, mended in 2.0"]
    assert audit({"x": lambda: report}) == 1
    assert capsys.readouterr().out.splitlines() == [
        "VULNERABLE: torch 1.0: PYSEC-1, mended in 2.0",
        "not audited: Python packages own (unknown to the service)",
        "audited: 2 Python packages, 1 to be mended",
    ]
    monkeypatch.setitem(auditing.ACCEPTED, "CVE-1", "we never call it")
    assert audit({"x": lambda: of_pip_audit(said)}) == 0
    assert "we never call it" in capsys.readouterr().out
    with pytest.raises(NotAuditedError, match="no network"):
        of_pip_audit("", "WARNING\nERROR: no network")


def test_severe_findings_of_the_page_fail(capsys):
    def told(severity: str) -> str:
        found = {"severity": severity, "range": "<2", "via": [{"title": "Prototype pollution"}, "other"]}
        return json.dumps({"metadata": {"dependencies": {"total": 40}}, "vulnerabilities": {"lodash": found}})

    for severity, code in (("critical", 1), ("high", 1), ("moderate", 0), ("low", 0)):
        assert audit({"x": lambda severity=severity: of_npm_audit(told(severity))}) == code
        assert f"lodash <2: {severity}, Prototype pollution" in capsys.readouterr().out
    with pytest.raises(NotAuditedError, match="404 Not Found"):
        of_npm_audit('{"message": "404 Not Found - POST"}')
    assert Report("things").lines() == ["audited: 0 things, 0 to be mended"]
