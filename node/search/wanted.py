"""What somebody looks for, as it stands in an address: text, facets, days, an order.

One dataclass for the page, for saved searches and for programs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from node.errors import InvalidInputError
from node.projects.details import Budget, Collaboration, Freshness
from node.projects.models import Phase
from node.wording import Saying, say

LONGEST = 200
MOST = 12
DAY = re.compile(r"(\d{1,2})[/. ](\d{1,2})[/. ](\d{4})")
FACET = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9_-]{1,40}:[a-z0-9_-]{1,40}")
SORTS = ("relevance", "updated", "title", "ends", "contract")
ORIGINS = ("ours", "others")
# What programs may say where people say nothing.
ALL = "all"


class _UnreadableError(Exception):
    """What was given for a part is nothing of its kind; `text` says what to do."""

    def __init__(self, text: Saying) -> None:
        super().__init__(text)
        self.text = text


def _one(kind: str = "text", **more: object) -> Any:
    return field(default="", metadata={"kind": kind, **more})


def _many(choices: Iterable[str]) -> Any:
    return field(default=(), metadata={"kind": "choices", "choices": tuple(choices)})


def _day() -> Any:
    return field(default=None, metadata={"kind": "day"})


def _number() -> Any:
    return field(default=None, metadata={"kind": "number"})


@dataclass(frozen=True)
class Wanted:
    """What is looked for; the empty one is everything. Each field is a name in the address."""

    q: str = _one()
    origin: str = _one("choice", choices=ORIGINS)
    council: int | None = _number()
    region: str = _one()
    phase: tuple[str, ...] = _many(each.value for each in Phase)
    capability: str = _one()
    area: str = _one()
    lgsl: int | None = _number()
    tag: str = _one()
    technology: str = _one()
    skill: str = _one()
    budget: tuple[str, ...] = _many(each.value for each in Budget)
    collaboration: tuple[str, ...] = _many(each.value for each in Collaboration)
    freshness: tuple[str, ...] = _many(each.value for each in Freshness)
    show: str = _one("choice", choices=("archived",))
    facet: tuple[str, ...] = field(default=(), metadata={"kind": "facets"})
    starts_from: date | None = _day()
    starts_to: date | None = _day()
    ends_from: date | None = _day()
    ends_to: date | None = _day()
    contract_from: date | None = _day()
    contract_to: date | None = _day()
    updated_from: date | None = _day()
    updated_to: date | None = _day()
    sort: str = _one("choice", choices=SORTS)

    @property
    def order(self) -> str:
        """The order that was chosen, or the one that fits: the best first where text is asked."""
        if self.sort and not (self.sort == "relevance" and not self.q):
            return self.sort
        return "relevance" if self.q else "updated"

    @property
    def chosen_order(self) -> str:
        """The order that was chosen, where it is another than the last changed first."""
        return self.order if self.sort and self.order != "updated" else ""

    @property
    def narrows(self) -> bool:
        """Whether it is less than everything."""
        return replace(self, sort="") != Wanted()

    @property
    def of_archive(self) -> bool:
        """Whether it may be what was archived."""
        return bool(self.show) or Freshness.archived in self.freshness

    def pairs(self) -> list[tuple[str, str]]:
        """What it says, as names and values of an address."""
        found: list[tuple[str, str]] = []
        for item in fields(self):
            value = getattr(self, item.name)
            every = value if isinstance(value, tuple) else (value,)
            found += [(item.name, str(each)) for each in every if each not in ("", None)]
        return found

    def without(self, name: str, value: str) -> "Wanted":
        """The same with one part of it taken away."""
        kept: Any = getattr(self, name)
        left: Any = None if isinstance(kept, date | int) else ""
        if isinstance(kept, tuple):
            left = tuple(each for each in kept if each != value)
        return replace(self, **{name: left})

    @property
    def query(self) -> str:
        return urlencode(self.pairs())


def from_query(query: str) -> Wanted:
    """A search that was kept. What no longer means anything is left out."""
    return read(parse_qsl(query, max_num_fields=100))[0]


def read(
    pairs: Iterable[tuple[str, str]], *, strictly: bool = False
) -> tuple[Wanted, InvalidInputError | None]:
    """What an address asks for, and what in it cannot be read; that part is left out. `strictly`:
    a word that is no choice cannot be read; without that, it means nothing.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value.strip()[:LONGEST])
    found: dict[str, object] = {}
    wrong: dict[str, Saying] = {}
    for item in fields(Wanted):
        values = [value for value in given.get(item.name, [])[:MOST] if value and "\0" not in value]
        if values:
            try:
                if strictly:
                    _require_choice(values, item.metadata)
                found[item.name] = _READ[item.metadata["kind"]](values, item.metadata)
            except _UnreadableError as unreadable:
                wrong[item.name] = unreadable.text
    wanted = Wanted(**found)  # type: ignore[arg-type]  # each as its field says
    wrong |= _upside_down(wanted)
    error = InvalidInputError(say("Some search filters are not valid."), wrong) if wrong else None
    return wanted, error


def _upside_down(wanted: Wanted) -> dict[str, Saying]:
    wrong = {}
    for name in ("starts", "ends", "contract", "updated"):
        first, last = getattr(wanted, f"{name}_from"), getattr(wanted, f"{name}_to")
        if first and last and last < first:
            wrong[f"{name}_to"] = say("Last day must be the same as or after the first day")
    return wrong


def _require_choice(values: list[str], more: Mapping[str, Any]) -> None:
    choices = more.get("choices")
    if choices and not set(values) <= {*choices, ALL}:
        raise _UnreadableError(
            say("Value must be one of these: %(words)s", words=", ".join(choices))
        )


def _read_text(values: list[str], _more: Mapping[str, object]) -> str:
    return " ".join(values[0].split())


def _read_choice(values: list[str], more: Mapping[str, Any]) -> str:
    return values[0] if values[0] in more["choices"] else ""


def _read_choices(values: list[str], more: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each for each in more["choices"] if each in values)


def _read_number(values: list[str], _more: Mapping[str, object]) -> int | None:
    """The number at the beginning: `57` of `57 Council tax`."""
    digits = re.match(r"[0-9]{1,9}(?![0-9])", values[0])
    if digits is None:
        raise _UnreadableError(say("Enter a number, or choose one from the list"))
    return int(digits[0])


def _read_day(values: list[str], _more: Mapping[str, object]) -> date:
    """A day as browsers send it, or as people write it."""
    written = DAY.fullmatch(values[0])
    try:
        if written:
            day, month, year = (int(each) for each in written.groups())
            found = date(year, month, day)
        else:
            found = date.fromisoformat(values[0])
    except ValueError:
        raise _UnreadableError(say("Enter a real date, for example 27/3/2026")) from None
    if not 1970 <= found.year <= 2999:
        raise _UnreadableError(say("Year must be between 1970 and 2999"))
    return found


def _read_facets(values: list[str], _more: Mapping[str, object]) -> tuple[str, ...]:
    """Values of plugins' facets: `plugin.facet:value`."""
    return tuple(dict.fromkeys(each for each in values if FACET.fullmatch(each)))


_READ = {
    "facets": _read_facets,
    "text": _read_text,
    "choice": _read_choice,
    "choices": _read_choices,
    "number": _read_number,
    "day": _read_day,
}
