"""The lock files are whole: hashed, and the environment for tests holds all that runs."""

import json
from pathlib import Path

import pytest

LOCKS = Path(__file__).parents[2] / ".ci" / "lock"


def entries(name: str) -> set[str]:
    """Each package of a lock file with its version, its condition and its hashes."""
    text = (LOCKS / f"{name}.txt").read_text().replace("\\\n", "")
    return {" ".join(line.split()) for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize("name", ["build", "run", "test", "interop"])
def test_every_package_has_one_version_and_hashes(name: str) -> None:
    found = entries(name)
    assert found
    assert {entry for entry in found if "==" not in entry or "--hash=sha256:" not in entry} == set()


def test_tests_run_with_the_packages_that_the_product_runs_with() -> None:
    assert entries("run") - entries("test") == set()


def test_every_package_of_fedify_has_a_hash_and_names_no_registry() -> None:
    packages = json.loads((LOCKS / "fedify" / "package-lock.json").read_text())["packages"]
    del packages[""]  # Ours, which needs the others.
    assert packages
    assert {name for name, one in packages.items() if "integrity" not in one} == set()
    assert {name for name, one in packages.items() if "resolved" in one} == set()
