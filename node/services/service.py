"""Looks up services by number or name, in the operator's list or else the default list."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from node.errors import InvalidInputError
from node.messages import msg
from node.runtime import UnitOfWork
from node.services.models import LocalService
from node.text import one_line

DEFAULT_FILE = Path(__file__).parent / "lgsl" / "services.csv"
# Accepted column headings, in lower case and without spaces, in order of preference.
NUMBER_COLUMNS = ("lgsl", "lgslid", "lgslcode", "identifier", "id", "serviceid", "code")
NAME_COLUMNS = ("name", "label", "title", "service", "servicename", "description")
# Everyday words, with the words that the default list uses.
SYNONYMS = {
    "bin": "refuse",
    "bins": "refuse",
    "rubbish": "refuse",
    "tip": "waste",
    "streetlight": "street light",
    "streetlights": "street light",
}
MAX_SERVICE_NUMBER = 99_999
MAX_LEN_NAME = 300
# Far more than there are.
MAX_SERVICES = 10_000
MAX_BYTES = 5 * 1024 * 1024


def get_names(session: Session) -> Mapping[int, str]:
    """The names of all services, by number."""
    rows = session.execute(select(LocalService.id, LocalService.name)).all()
    return dict(sorted((row.id, row.name) for row in rows)) if rows else _default_services()


def get_name(session: Session, lgsl: int | None) -> str:
    """The name of a service; empty for an unknown number."""
    if lgsl is None:
        return ""
    row = session.get(LocalService, lgsl)
    if row is not None:
        return row.name
    return _default_services().get(lgsl, "")


def find_matching(session: Session, text: str, limit: int) -> list[tuple[int, str]]:
    """The first `limit` services that match each word of `text`, as (number, name): the name
    contains the word or its synonym (`SYNONYMS`), or the number begins with it.
    """
    words = text.casefold().split()
    matches = (
        (number, name)
        for number, name in get_names(session).items()
        if all(_matches_word(number, name.casefold(), word) for word in words)
    )
    return list(islice(matches, limit))


def _matches_word(number: int, name: str, word: str) -> bool:
    return str(number).startswith(word) or word in name or SYNONYMS.get(word, word) in name


def load_csv(work: UnitOfWork, file: Path) -> int:
    """Replace the list of services by that in a CSV file. Returns the number of services.

    Raises `InvalidInputError` for an invalid file, and then changes nothing.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InvalidInputError(
                msg("%(file)s is too large to be a list of services.", file=str(file))
            )
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInputError(
            msg("%(file)s cannot be read: %(why)s.", file=str(file), why=error.strerror or "")
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(msg("%(file)s must be UTF-8 text.", file=str(file))) from error
    names_by_number = dict(_parse_csv(io.StringIO(text)))
    if not names_by_number:
        raise InvalidInputError(
            msg(
                "%(file)s must have a column of service numbers and a column of service names.",
                file=str(file),
            )
        )
    work.session.execute(delete(LocalService))
    rows = [{"id": number, "name": name} for number, name in names_by_number.items()]
    work.session.execute(insert(LocalService), rows)
    work.audit("services.load", str(file), services=len(rows))
    return len(rows)


@cache
def _default_services() -> Mapping[int, str]:
    with DEFAULT_FILE.open(encoding="utf-8", newline="") as file:
        return dict(_parse_csv(file))


def _parse_csv(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The numbers and names in a CSV list. Finds the columns by their headings, and skips invalid
    rows.
    """
    try:
        rows = iter(csv.reader(lines))
        headings = ["".join(filter(str.isalnum, heading.casefold())) for heading in next(rows, [])]
        number_column = next(
            (headings.index(word) for word in NUMBER_COLUMNS if word in headings), None
        )
        name_column = next(
            (headings.index(word) for word in NAME_COLUMNS if word in headings), None
        )
        if number_column is None or name_column is None:
            return
        for index, row in enumerate(rows):
            if index >= MAX_SERVICES or len(row) <= max(number_column, name_column):
                continue
            digits = row[number_column].strip().rpartition("/")[2]
            name = one_line(row[name_column], MAX_LEN_NAME)
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 10
            if is_number and 0 < int(digits) <= MAX_SERVICE_NUMBER and name:
                yield int(digits), name
    except csv.Error:
        return
