"""Reads tables of projects: any spreadsheet as CSV, an export of Moothall, and the CSV and XML of
the old Pipeline. Pure.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from xml.etree.ElementTree import Element

from node.errors import InvalidInputError
from node.importing.columns import ImportColumns, ImportRow, find_field, normalise
from node.importing.limits import MAX_COLUMNS, MAX_PROJECTS, CpuDeadline
from node.importing.parsed_project import ParsedProject
from node.importing.rows import TableKind, parse_row
from node.messages import msg

DELIMITERS = (",", ";", "\t")
# A first line that tells spreadsheets the delimiter.
SEPARATOR_LINE = re.compile(r"[ \t]*\"?sep=([,;\t|])\"?[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)
# The apostrophe that exports put before a cell that a spreadsheet would calculate.
FORMULA_GUARD = re.compile(r"^'(?='*[=+\-@\t\r\n])")
# Characters of the file in which the delimiter is detected.
MAX_HEADING_CHARACTERS = 20_000
PIPELINE_ELEMENT = "pageviewmodel"


def read_csv(text: str) -> list[ParsedProject]:
    """A project for each row below the header. Raises `InvalidInputError`."""
    separator = SEPARATOR_LINE.match(text)
    text = text[separator.end() :] if separator else text
    delimiter = separator[1] if separator else _detect_delimiter(text)
    rows = _parse_csv_rows(text, delimiter)
    names = next(rows, None)
    if names is None:
        raise InvalidInputError(msg("The file is empty."))
    if len(names) > MAX_COLUMNS:
        raise _too_many_columns()
    columns = ImportColumns.from_names(names)
    if "title" not in columns.known_fields:
        raise InvalidInputError(
            msg("The first line of the file must have a column called “Title”.")
        )
    table = TableKind(columns.is_pipeline, columns.is_export)
    return _parse_projects(
        (columns.parse_row(_parse_cells(names, row, number)) for number, row in enumerate(rows, 2)),
        table,
    )


def _too_many_columns() -> InvalidInputError:
    return InvalidInputError(
        msg("The file must have %(count)s columns or fewer.", count=MAX_COLUMNS)
    )


def _parse_csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not empty. A cell in quotes may contain line breaks."""
    try:
        for row in csv.reader(
            StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
        ):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise InvalidInputError(
            msg("The file is not valid CSV: %(problem)s.", problem=error)
        ) from error


def _detect_delimiter(text: str) -> str:
    """The delimiter that gives the most known fields in the header: a comma, or a semicolon or tab
    as spreadsheets with other settings write.
    """

    def names(delimiter: str) -> tuple[int, int]:
        try:
            first = next(_parse_csv_rows(text[:MAX_HEADING_CHARACTERS], delimiter), [])
        except InvalidInputError:  # cut in the middle of a row
            return 0, 0
        return len(ImportColumns.from_names(first[:MAX_COLUMNS]).known_fields), len(first)

    return max(DELIMITERS, key=names)


def _parse_cells(names: Sequence[str], row: Sequence[str], number: int) -> list[str]:
    if any(cell.strip() for cell in row[len(names) :]):
        raise InvalidInputError(
            msg("Row %(number)s has more cells than the table has columns.", number=number)
        )
    return [FORMULA_GUARD.sub("", cell) for cell in row]


def read_xml(root: Element) -> list[ParsedProject]:
    """A project for each element that has a title. Raises `InvalidInputError`."""
    projects = [root] if _has_title(root) else [child for child in root if _has_title(child)]
    if not projects:
        raise InvalidInputError(msg("The file has no projects: no element contains a title."))
    is_pipeline = normalise(_local_name(projects[0])) == PIPELINE_ELEMENT
    return _parse_projects(map(_element_to_row, projects), TableKind(is_pipeline))


def _element_to_row(element: Element) -> ImportRow:
    parts = _element_texts(element)
    if len(parts) > MAX_COLUMNS:
        raise _too_many_columns()
    return ImportColumns.from_names(parts).parse_row(list(parts.values()))


def _has_title(element: Element) -> bool:
    return any(not len(part) and find_field(_local_name(part)) == "title" for part in element)


def _local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _element_texts(element: Element) -> dict[str, str]:
    """The texts in an element by name. A child with children of its own becomes one line per
    child.
    """
    parts = {name: [value] for name, value in element.attrib.items()}
    for field in element:
        name = _local_name(field)
        if normalise(name) == "orgcontactdetails":
            owner = [child for child in field if find_field(_local_name(child)) == "organisation"]
            name, text = ("organisation", owner[0].text or "") if owner else (name, "")
        elif len(field):
            text = "\n".join(_join_child_texts(child) for child in field)
        else:
            text = field.text or ""
        parts.setdefault(name, []).append(text)
    return {name: "\n".join(filter(None, texts)) for name, texts in parts.items()}


def _join_child_texts(element: Element) -> str:
    return " ".join(" ".join([*element.attrib.values(), *element.itertext()]).split())


def _parse_projects(rows: Iterable[ImportRow], table: TableKind) -> list[ParsedProject]:
    deadline = CpuDeadline()
    projects: list[ParsedProject] = []
    for row in rows:
        deadline.check()
        if len(projects) == MAX_PROJECTS:
            raise InvalidInputError(
                msg(
                    "The file has more than %(count)s projects. Split it into smaller files.",
                    count=f"{MAX_PROJECTS:,}",
                )
            )
        projects.append(parse_row(row, table))
    if not projects:
        raise InvalidInputError(msg("The file has no projects."))
    return projects
