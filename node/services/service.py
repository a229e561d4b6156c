"""Which service a number means: as the operator's list says, else the one that is shipped."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from node.errors import InvalidInputError
from node.runtime import UnitOfWork
from node.services.models import LocalService
from node.text import one_line
from node.wording import say

SHIPPED = Path(__file__).parent / "lgsl" / "services.csv"
# How the columns of lists are called, without spaces and capitals.
NUMBERS = ("lgsl", "lgslid", "lgslcode", "identifier", "id", "serviceid", "code")
NAMES = ("name", "label", "title", "service", "servicename", "description")
# Everyday words, with the word that the shipped list has instead.
EVERYDAY = {
    "bin": "refuse",
    "bins": "refuse",
    "rubbish": "refuse",
    "tip": "waste",
    "streetlight": "street light",
    "streetlights": "street light",
}
LARGEST = 99_999
LONGEST = 300
# More than there are, by far.
MOST = 10_000
MOST_BYTES = 5 * 1024 * 1024


def every(session: Session) -> Mapping[int, str]:
    """All services by number."""
    loaded = session.execute(select(LocalService.id, LocalService.name)).all()
    return dict(sorted((row.id, row.name) for row in loaded)) if loaded else _shipped()


def name(session: Session, lgsl: int | None) -> str:
    """What a service is called; empty where its number is not known."""
    if lgsl is None:
        return ""
    found = session.get(LocalService, lgsl)
    if found is not None:
        return found.name
    return _shipped().get(lgsl, "")


def matching(session: Session, text: str, most: int) -> list[tuple[int, str]]:
    """Services that have each word of `text` in their name, or begin their number with it. For an
    everyday word, the list's own counts as well (`EVERYDAY`).
    """
    words = text.casefold().split()
    found = (
        (number, name)
        for number, name in every(session).items()
        if all(_has(number, name.casefold(), word) for word in words)
    )
    return [one for one, _place in zip(found, range(most), strict=False)]


def _has(number: int, name: str, word: str) -> bool:
    return str(number).startswith(word) or word in name or EVERYDAY.get(word, word) in name


def load(work: UnitOfWork, file: Path) -> int:
    """Put the list in a CSV file in place of the one that is there; how many services it has.

    Raises `InvalidInputError` for a file that is none, and changes nothing.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidInputError(
                say("%(file)s is too large to be a list of services.", file=str(file))
            )
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInputError(
            say("%(file)s cannot be read: %(why)s.", file=str(file), why=error.strerror or "")
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(say("%(file)s must be UTF-8 text.", file=str(file))) from error
    found = dict(_read(io.StringIO(text)))
    if not found:
        raise InvalidInputError(
            say(
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
def _shipped() -> Mapping[int, str]:
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        return dict(_read(file))


def _read(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Numbers and names of a list: whatever its columns are called, in whatever order."""
    try:
        rows = iter(csv.reader(lines))
        heads = ["".join(filter(str.isalnum, head.casefold())) for head in next(rows, [])]
        number = next((heads.index(word) for word in NUMBERS if word in heads), None)
        title = next((heads.index(word) for word in NAMES if word in heads), None)
        if number is None or title is None:
            return
        for place, row in enumerate(rows):
            if place >= MOST or len(row) <= max(number, title):
                continue
            digits = row[number].strip().rpartition("/")[2]
            called = one_line(row[title], LONGEST)
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 10
            if is_number and 0 < int(digits) <= LARGEST and called:
                yield int(digits), called
    except csv.Error:
        return
