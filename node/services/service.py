"""Which service a number means: as the operator's list says, else the one that is shipped."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from node.errors import InvalidInputError
from node.messages import msg
from node.runtime import UnitOfWork
from node.services.models import LocalService
from node.text import one_line

DEFAULT_FILE = Path(__file__).parent / "lgsl" / "services.csv"
# How the columns of lists are called, without spaces and capitals.
NUMBER_COLUMNS = ("lgsl", "lgslid", "lgslcode", "identifier", "id", "serviceid", "code")
NAME_COLUMNS = ("name", "label", "title", "service", "servicename", "description")
# Everyday words, with the word that the shipped list has instead.
SYNONYMS = {
    "bin": "refuse",
    "bins": "refuse",
    "rubbish": "refuse",
    "tip": "waste",
    "streetlight": "street light",
    "streetlights": "street light",
}
MAX_NUMBER = 99_999
MAX_LEN_NAME = 300
# More than there are, by far.
MAX_SERVICES = 10_000
MAX_BYTES = 5 * 1024 * 1024


def get_all(session: Session) -> Mapping[int, str]:
    """All services by number."""
    loaded = session.execute(select(LocalService.id, LocalService.name)).all()
    return dict(sorted((row.id, row.name) for row in loaded)) if loaded else _default_services()


def get_name(session: Session, lgsl: int | None) -> str:
    """What a service is called; empty where its number is not known."""
    if lgsl is None:
        return ""
    found = session.get(LocalService, lgsl)
    if found is not None:
        return found.name
    return _default_services().get(lgsl, "")


def find_matching(session: Session, text: str, most: int) -> list[tuple[int, str]]:
    """Services that have each word of `text` in their name, or begin their number with it. For an
    everyday word, the list's own counts as well (`EVERYDAY`).
    """
    words = text.casefold().split()
    found = (
        (number, name)
        for number, name in get_all(session).items()
        if all(_matches(number, name.casefold(), word) for word in words)
    )
    return [one for one, _place in zip(found, range(most), strict=False)]


def _matches(number: int, name: str, word: str) -> bool:
    return str(number).startswith(word) or word in name or SYNONYMS.get(word, word) in name


def load_csv(work: UnitOfWork, file: Path) -> int:
    """Put the list in a CSV file in place of the one that is there; how many services it has.

    Raises `InvalidInputError` for a file that is none, and changes nothing.
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
    found = dict(_parse_csv(io.StringIO(text)))
    if not found:
        raise InvalidInputError(
            msg(
                "%(file)s must have a column of service numbers and a column of service names.",
                file=str(file),
            )
        )
    work.session.execute(delete(LocalService))
    rows = [{"id": number, "name": name} for number, name in found.items()]
    work.session.execute(insert(LocalService), rows)
    work.audit("services.load", str(file), services=len(rows))
    return len(rows)


@cache
def _default_services() -> Mapping[int, str]:
    with DEFAULT_FILE.open(encoding="utf-8", newline="") as file:
        return dict(_parse_csv(file))


def _parse_csv(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Numbers and names of a list: whatever its columns are called, in whatever order."""
    try:
        rows = iter(csv.reader(lines))
        heads = ["".join(filter(str.isalnum, head.casefold())) for head in next(rows, [])]
        number = next((heads.index(word) for word in NUMBER_COLUMNS if word in heads), None)
        title = next((heads.index(word) for word in NAME_COLUMNS if word in heads), None)
        if number is None or title is None:
            return
        for place, row in enumerate(rows):
            if place >= MAX_SERVICES or len(row) <= max(number, title):
                continue
            digits = row[number].strip().rpartition("/")[2]
            called = one_line(row[title], MAX_LEN_NAME)
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 10
            if is_number and 0 < int(digits) <= MAX_NUMBER and called:
                yield int(digits), called
    except csv.Error:
        return
