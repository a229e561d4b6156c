"""`./dev check` fails for a known vulnerability, and says so where nobody can be asked."""

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

DEV = Path(__file__).resolve().parents[2] / "dev"
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
        ("echo no network >&2; exit 1", True, "could not be checked: nobody could be asked"),
        ("exec sleep 60", True, "could not be checked: nobody could be asked"),
    ],
    ids=["fine", "vulnerable", "unknown", "both", "no answer", "no answer in time"],
)
def test_vulnerable_packages_fail_and_unknown_ones_are_said(
    program: str,
    passes: bool,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loader = SourceFileLoader("dev", str(DEV))
    spec = spec_from_loader("dev", loader)
    assert spec
    dev = module_from_spec(spec)
    loader.exec_module(dev)
    script = tmp_path / "pip-audit"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setattr(dev, "PROGRAMS", tmp_path)
    if "sleep" in program:
        monkeypatch.setattr(dev, "AUDIT_SECONDS", 0.5)
    assert dev.audit() is passes
    said = capsys.readouterr().err.partition("\n")[2]
    assert words in said
    assert bool(said) == bool(words)
