"""What is left to `./dev nightly` stands in one table, in README.md."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(tests/[\w/]+\.py)", re.MULTILINE)
MARK = re.compile(r"\bmark\.nightly\b")


def test_readme_names_each_file_with_tests_that_are_left_out() -> None:
    table = (ROOT / "README.md").read_text().partition("| nightly |")[2].partition("\n\n")[0]
    files = (*(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").rglob("*.py"))
    marked = {path for path in files if MARK.search(path.read_text())} - {Path(__file__)}
    assert {ROOT / name for name in ROW.findall(table)} == marked
