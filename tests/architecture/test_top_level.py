"""The checkout is laid out as its README says, with nothing lying about."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

FOLDERS = {"bench", "docs", "federation", "migrations", "node", "plugins", "tests"}
FILES = {
    "CHANGELOG.md",
    "FEDERATION.md",
    "LICENSE",
    "README.md",
    "dev",
    "pyproject.toml",
    "setup.cfg",
}
HIDDEN = {".ci", ".gitignore"}

# A folder as the README names one: a path that ends with a slash, and is not part of an address.
FOLDER_NAME = re.compile(r"(?<![\w:/.@-])((?:[\w.-]+/)+)(?![\w{<*])")


def ignored() -> set[str]:
    """What .gitignore names that may lie at the top."""
    lines = (ROOT / ".gitignore").read_text().split()
    return {line.rstrip("/") for line in lines if not line.startswith("*")} | {".git"}


def test_the_top_level_is_exactly_what_is_agreed() -> None:
    found = {path.name for path in ROOT.iterdir() if path.suffix != ".egg-info"} - ignored()
    assert found == FOLDERS | FILES | HIDDEN


def is_there(name: str) -> bool:
    """Whether there is such a folder: from the top, or in one of ours, as rooms are in node/."""
    within = (path for folder in FOLDERS for path in (ROOT / folder).glob(f"**/{name}"))
    return (ROOT / name).is_dir() or any(path.is_dir() for path in within)


def test_every_folder_that_the_readme_names_is_there() -> None:
    named = set(FOLDER_NAME.findall((ROOT / "README.md").read_text()))
    assert {name for name in named if not is_there(name)} == set()
    assert not is_there("pledges-of-nobody/")


def test_the_readme_names_every_folder_at_the_top() -> None:
    named = set(FOLDER_NAME.findall((ROOT / "README.md").read_text()))
    assert {name for name in FOLDERS if f"{name}/" not in named} == set()
