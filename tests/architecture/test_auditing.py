"""`./dev check` fails for a known vulnerability, and warns if it cannot check for any."""

import json
import os
import runpy
from pathlib import Path

import pytest

AUDIT = Path(__file__).resolve().parents[2] / ".ci" / "audit.py"
FINE = {"name": "fine", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


def listed(*packages: object) -> str:
    return f"echo '{json.dumps({'dependencies': packages})}'"


@pytest.mark.parametrize(
    "program, passes, words",
    [
        (listed(FINE), True, ""),
        (listed(FINE, BAD) + "; exit 1", False, "bad 2 is vulnerable: CVE-1, CVE-2"),
        (listed(FINE, UNKNOWN), True, "of 1 of 2 packages could not be checked"),
        (listed(UNKNOWN, BAD) + "; exit 1", False, "bad 2 is vulnerable"),
        ("echo no network >&2; exit 1", True, "could not be checked: pip-audit gave no answer"),
        ("exec sleep 60", True, "could not be checked: pip-audit gave no answer"),
    ],
    ids=["fine", "vulnerable", "unknown", "both", "no answer", "no answer in time"],
)
def test_vulnerable_packages_fail_and_unknown_ones_are_reported(
    program: str,
    passes: bool,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = tmp_path / "pip-audit"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    audit = runpy.run_path(str(AUDIT))["audit"]
    assert audit(0.5 if "sleep" in program else 30.0) is passes
    errors = capsys.readouterr().err
    assert words in errors
    assert bool(errors) == bool(words)
