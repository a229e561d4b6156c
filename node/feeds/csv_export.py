"""Rows as CSV (RFC 4180) that a spreadsheet opens without harm. Pure."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO

# Spreadsheets take a cell that begins so for a formula, and calculate it.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(names: Iterable[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """In UTF-8 with a mark before it, without which spreadsheets guess another encoding."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    columns = list(names)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_escape_formula(row.get(name, "")) for name in columns])
    return written.getvalue().encode("utf-8-sig")


def _escape_formula(cell: str) -> str:
    """With a mark before what a spreadsheet would calculate, and before what has that mark already:
    whoever reads the table takes one away.
    """
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_PREFIXES) else cell
