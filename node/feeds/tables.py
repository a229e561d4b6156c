"""Rows as CSV (RFC 4180) that a spreadsheet opens without harm. Pure."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO

# Spreadsheets take a cell that begins so for a formula, and calculate it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(names: Iterable[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """In UTF-8 with a mark before it, without which spreadsheets guess another encoding."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    columns = list(names)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(row.get(name, "")) for name in columns])
    return written.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """With a mark before what a spreadsheet would calculate, and before what has that mark already:
    whoever reads the table takes one away.
    """
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell
