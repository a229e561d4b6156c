"""Tables of projects: spreadsheets of anybody as CSV, a node's own export, and the CSV and XML of
the old Pipeline. Pure.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from xml.etree.ElementTree import Element

from node.errors import InvalidInputError
from node.importing.columns import Columns, Row, field_of, key
from node.importing.found import Found
from node.importing.limits import MAX_COLUMNS, MAX_PROJECTS, Deadline
from node.importing.rows import Table, project_of
from node.wording import say

DELIMITERS = (",", ";", "\t")
# With this first line a spreadsheet is told what stands between the cells.
SEPARATOR = re.compile(r"[ \t]*\"?sep=([,;\t|])\"?[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)
# A cell that a spreadsheet would calculate is written with this before it.
GUARD = re.compile(r"^'(?='*[=+\-@\t\r\n])")
# The headings of a table are looked for in so many characters.
MAX_HEADINGS = 20_000
PIPELINE_PAGE = "pageviewmodel"


def read_csv(text: str) -> list[Found]:
    """A project for each row under the row of names. Raises `InvalidInputError`."""
    separator = SEPARATOR.match(text)
    text = text[separator.end() :] if separator else text
    delimiter = separator[1] if separator else _delimiter(text)
    rows = _rows(text, delimiter)
    names = next(rows, None)
    if names is None:
        raise InvalidInputError(say("The file is empty."))
    if len(names) > MAX_COLUMNS:
        raise _too_wide()
    columns = Columns.named(names)
    if "title" not in columns.known:
        raise InvalidInputError(
            say("The first line of the file must have a column called “Title”.")
        )
    table = Table(columns.is_pipeline, columns.is_export)
    return _projects(
        (columns.row(_cells(names, row, number)) for number, row in enumerate(rows, 2)), table
    )


def _too_wide() -> InvalidInputError:
    return InvalidInputError(
        say("The file must have %(count)s columns or fewer.", count=MAX_COLUMNS)
    )


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that have something in them; rows end where CSV says, and not where Python sees the
    end of a line.
    """
    try:
        for row in csv.reader(
            StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
        ):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise InvalidInputError(
            say("The file is not valid CSV: %(problem)s.", problem=error)
        ) from error


def _delimiter(text: str) -> str:
    """Commas, or the semicolons and tabs of other countries' spreadsheets: what makes the first row
    the names of the most fields.
    """

    def names(delimiter: str) -> tuple[int, int]:
        try:
            first = next(_rows(text[:MAX_HEADINGS], delimiter), [])
        except InvalidInputError:  # cut in the middle of a row
            return 0, 0
        return len(Columns.named(first[:MAX_COLUMNS]).known), len(first)

    return max(DELIMITERS, key=names)


def _cells(names: Sequence[str], row: Sequence[str], number: int) -> list[str]:
    if any(cell.strip() for cell in row[len(names) :]):
        raise InvalidInputError(
            say("Row %(number)s has more cells than the table has columns.", number=number)
        )
    return [GUARD.sub("", cell) for cell in row]


def read_xml(root: Element) -> list[Found]:
    """A project for each element that has a title. Raises `InvalidInputError`."""
    projects = [root] if _has_title(root) else [each for each in root if _has_title(each)]
    if not projects:
        raise InvalidInputError(say("The file has no projects: no element contains a title."))
    is_pipeline = key(_name(projects[0])) == PIPELINE_PAGE
    return _projects(map(_row, projects), Table(is_pipeline))


def _row(element: Element) -> Row:
    parts = _parts(element)
    if len(parts) > MAX_COLUMNS:
        raise _too_wide()
    return Columns.named(parts).row(list(parts.values()))


def _has_title(element: Element) -> bool:
    return any(not len(part) and field_of(_name(part)) == "title" for part in element)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _parts(element: Element) -> dict[str, str]:
    """The texts in an element; what is in parts itself becomes a line for each part."""
    parts = {name: [value] for name, value in element.attrib.items()}
    for part in element:
        name = _name(part)
        if key(name) == "orgcontactdetails":
            owner = [each for each in part if field_of(_name(each)) == "organisation"]
            name, text = ("organisation", owner[0].text or "") if owner else (name, "")
        elif len(part):
            text = "\n".join(_words(each) for each in part)
        else:
            text = part.text or ""
        parts.setdefault(name, []).append(text)
    return {name: "\n".join(filter(None, texts)) for name, texts in parts.items()}


def _words(element: Element) -> str:
    return " ".join(" ".join([*element.attrib.values(), *element.itertext()]).split())


def _projects(rows: Iterable[Row], table: Table) -> list[Found]:
    deadline = Deadline()
    projects: list[Found] = []
    for row in rows:
        deadline.check()
        if len(projects) == MAX_PROJECTS:
            raise InvalidInputError(
                say(
                    "The file has more than %(count)s projects. Split it into smaller files.",
                    count=f"{MAX_PROJECTS:,}",
                )
            )
        projects.append(project_of(row, table))
    if not projects:
        raise InvalidInputError(say("The file has no projects."))
    return projects
