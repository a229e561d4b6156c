"""What is left to `./dev nightly` stands in one table, in README.md."""

import re
from pathlib import Path

from tests.nightly import ON_POSTGRESQL

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(tests/[\w/]+\.py)", re.MULTILINE)
MARK = re.compile(r"\bmark\.nightly\b")


def test_readme_names_each_file_with_tests_that_are_left_out() -> None:
    table = (ROOT / "README.md").read_text().partition("| nightly |")[2].partition("\n\n")[0]
    files = (*(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").rglob("*.py"))
    marked = {path for path in files if MARK.search(path.read_text())}
    marked -= {Path(__file__), ROOT / "tests" / "conftest.py"}  # these are about the mark
    assert {ROOT / name for name in ROW.findall(table)} == marked


def test_files_that_run_on_postgresql_at_night_are_there_and_use_a_database() -> None:
    for name in ON_POSTGRESQL:
        assert re.search(r"nodes|council|database_url", (ROOT / name).read_text()), name
