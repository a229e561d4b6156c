"""Files and functions stay small enough to be read in one go."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("bench", "federation", "migrations", "node", "plugins", "tests")
FILE = 400
FUNCTION = 60
REVISION = re.compile(r"\d{4}_")

# What is larger, and how large: `path` or `path::function` to lines. An entry may only shrink.
# It is taken out once it fits, so that nothing grows back unseen.
EXCEPTIONS: dict[str, int] = {}


def sources() -> Iterator[Path]:
    yield ROOT / "dev"
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            # A revision is a record of what was done, table by table, and never edited again.
            if not REVISION.match(path.name):
                yield path


def sizes(path: Path) -> Iterator[tuple[str, int, int]]:
    return measure(str(path.relative_to(ROOT)), path.read_text())


def measure(name: str, text: str) -> Iterator[tuple[str, int, int]]:
    """The name, the lines and the budget of a file and of each function in it."""
    yield name, len(text.splitlines()), FILE
    for item in ast.walk(ast.parse(text)):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}::{item.name}", (item.end_lineno or 0) - item.lineno + 1, FUNCTION


def test_files_and_functions_keep_to_their_budget() -> None:
    too_large = {
        name: lines
        for path in sources()
        for name, lines, budget in sizes(path)
        if lines > EXCEPTIONS.get(name, budget)
    }
    assert not too_large, f"split these up: {too_large}"


def test_exceptions_shrink_with_what_they_are_for() -> None:
    measured = {
        name: lines for path in sources() for name, lines, budget in sizes(path) if lines > budget
    }
    assert measured == EXCEPTIONS, "make EXCEPTIONS what is measured: smaller, or nothing"


def test_what_is_too_large_is_seen() -> None:
    text = "async def long():\n" + "    pass\n" * FUNCTION + "\n" * FILE
    found = [name for name, lines, budget in measure("it.py", text) if lines > budget]
    assert found == ["it.py", "it.py::long"]
