"""CSV (RFC 4180) that is safe to open in a spreadsheet. Pure."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO

# Spreadsheets evaluate cells that begin with one of these as formulas.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(names: Iterable[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """The rows as CSV in UTF-8 with a byte order mark, which spreadsheets need to detect UTF-8."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    columns = list(names)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_escape_formula(row.get(name, "")) for name in columns])
    return text.getvalue().encode("utf-8-sig")


def _escape_formula(cell: str) -> str:
    """Put an apostrophe before a formula, and before a cell that has such an apostrophe already, so
    that importing can remove exactly one.
    """
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_PREFIXES) else cell
