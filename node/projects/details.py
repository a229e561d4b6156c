"""The structured fields of a project beside its title, summary, phase and brief.

One frozen dataclass, `Details`, serves the forms, the database row (as JSON), the federated
document, versions and exports. The metadata of each field has its parser and its maximum length.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from federation.origin import same_origin
from node.text import one_line, several_lines

MAX_LEN_URL = 2000
# One address, without characters that would add headers or recipients to a mailto link.
EMAIL = re.compile(r"[^@\s<>,;:()\[\]\\\"]{1,64}@[^@\s<>,;:()?&=/#%]{1,189}")
# Entries of a list. Longer lists of other councils are cut; in our own forms they are an error.
MAX_ITEMS = 30
MAX_NUMBER = 99_999


class Budget(StrEnum):
    """The band of a project's total cost, in pounds."""

    to_50k = "0-50k"
    to_100k = "50k-100k"
    to_250k = "100k-250k"
    to_500k = "250k-500k"
    to_1m = "500k-1m"
    over_1m = "over-1m"


class Collaboration(StrEnum):
    """How far a council wants to work with others; each level includes those before it."""

    share_ideas = "share-ideas"
    open_to_conversation = "open-to-conversation"
    share_effort = "share-effort"
    share_funding = "share-funding"


class Freshness(StrEnum):
    """Whether a project has been reviewed in time. Transitions: `FRESHNESS_TRANSITIONS`."""

    unsaid = "unsaid"
    fresh = "fresh"
    due = "due"
    stale = "stale"
    archived = "archived"


class LinkKind(StrEnum):
    """What a project's link leads to."""

    website = "website"
    repository = "repository"
    board = "board"
    chat = "chat"
    assessment = "assessment"
    other = "other"


class RelationKind(StrEnum):
    """How a project is related to another, as its own council states it."""

    identical = "identical"
    similar = "similar"
    supersedes = "supersedes"
    forked_from = "forked-from"
    merged_into = "merged-into"


class EvidenceKind(StrEnum):
    """How a council knows of a user need."""

    interviews = "interviews"
    testing = "testing"
    analytics = "analytics"
    survey = "survey"
    feedback = "feedback"
    other = "other"


def _read_line(value: Any, max_chars: int) -> str:
    return one_line(value, max_chars) if isinstance(value, str) else ""


def _read_prose(value: Any, max_chars: int) -> str:
    fits = isinstance(value, str) and len(value) <= max_chars
    return several_lines(value, max_chars) if fits else ""


def _read_email(value: Any, max_chars: int) -> str:
    return value if isinstance(value, str) and EMAIL.fullmatch(value[: max_chars + 1]) else ""


def _read_choice(kind: type[StrEnum], value: Any, _max_chars: int) -> StrEnum | None:
    return kind(value) if isinstance(value, str) and value in list(kind) else None


def _read_day(value: Any, _max_chars: int) -> date | None:
    if not isinstance(value, str) or len(value) != len("2026-01-01"):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2999 else None


def _read_flag(value: Any, _max_chars: int) -> bool:
    return value is True


def _read_url(value: Any, _max_chars: int) -> str:
    return value if isinstance(value, str) and is_web_url(value) else ""


def _read_number(value: Any, _max_chars: int) -> int | None:
    return value if type(value) is int and 0 < value <= MAX_NUMBER else None


def _read_word_list(value: Any, max_chars: int) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    words = (_read_line(item, max_chars).replace(",", " ") for item in value[:MAX_ITEMS])
    return tuple(dict.fromkeys(word for word in words if word))


def _read_list(kind: type[Any], value: Any, _max_chars: int) -> tuple[Any, ...]:
    if not isinstance(value, list):
        return ()
    parsed = (parse(kind, item) for item in value[:MAX_ITEMS])
    return tuple(item for item in parsed if item.is_present)


def _line(max_chars: int = 150) -> Any:
    return field(default="", metadata={"read": _read_line, "longest": max_chars})


def _prose(max_chars: int = 10_000) -> Any:
    return field(default="", metadata={"read": _read_prose, "longest": max_chars})


def _choice(kind: type[StrEnum]) -> Any:
    return field(default=None, metadata={"read": partial(_read_choice, kind)})


def _day() -> Any:
    return field(default=None, metadata={"read": _read_day})


def _flag() -> Any:
    return field(default=False, metadata={"read": _read_flag})


def _number() -> Any:
    return field(default=None, metadata={"read": _read_number})


def _url() -> Any:
    return field(default="", metadata={"read": _read_url})


def _email() -> Any:
    return field(default="", metadata={"read": _read_email, "longest": 254})


def _word_list() -> Any:
    return field(default=(), metadata={"read": _read_word_list, "longest": 60})


def _list_of(kind: type[Any]) -> Any:
    return field(default=(), metadata={"read": partial(_read_list, kind)})


@dataclass(frozen=True)
class ProjectLink:
    """A link from a project to a page elsewhere."""

    kind: LinkKind | None = _choice(LinkKind)
    url: str = _url()
    title: str = _line()

    @property
    def is_present(self) -> bool:
        return bool(self.url)


@dataclass(frozen=True)
class UserNeed:
    """A user need (“As a … I need … so that …”) and its evidence."""

    as_a: str = _line()
    need: str = _line(500)
    so_that: str = _line(500)
    evidence: str = _line(1000)
    evidence_kind: EvidenceKind | None = _choice(EvidenceKind)
    evidence_url: str = _url()
    evidence_on: date | None = _day()

    @property
    def is_present(self) -> bool:
        return bool(self.need)


@dataclass(frozen=True)
class Adopter:
    """A council that reuses an output: its name, and the id of its actor if it has a node."""

    name: str = _line(300)
    uri: str = _url()
    since: date | None = _day()

    @property
    def is_present(self) -> bool:
        return bool(self.name)


@dataclass(frozen=True)
class Output:
    """Something that other councils can reuse. `token` identifies the output within its project and
    never changes; `licence` is an SPDX identifier or free text.
    """

    token: str = _line(20)
    title: str = _line()
    about: str = _line(1000)
    licence: str = _line(100)
    url: str = _url()
    adopters: tuple[Adopter, ...] = _list_of(Adopter)

    @property
    def is_present(self) -> bool:
        return bool(self.title)

    @property
    def spdx(self) -> str:
        """The licence as an SPDX expression; "" for free text and for no licence."""
        try:
            return canonicalize_license_expression(self.licence)
        except InvalidLicenseExpression:
            return ""


@dataclass(frozen=True)
class RelatedProject:
    """A relation to another project, by its id. The title of the other is never stored here: its
    own council decides who can read it, and may change it.
    """

    kind: RelationKind | None = _choice(RelationKind)
    uri: str = _url()

    @property
    def is_present(self) -> bool:
        return bool(self.uri and self.kind)


@dataclass(frozen=True)
class Details:
    """The fields `why` to `constraints` are Markdown, the headings of a brief; they are empty for
    projects of other councils, whose `content` includes them. `lgsl` is the number of a service in
    the Local Government Service List. `capability` and `business_area` are keys of
    `node.projects.taxonomy`, or a word that only another node knows.
    """

    why: str = _prose()
    problem: str = _prose()
    users: str = _prose()
    work_done: str = _prose()
    constraints: str = _prose()
    starts_on: date | None = _day()
    start_is_estimated: bool = _flag()
    ends_on: date | None = _day()
    end_is_estimated: bool = _flag()
    contract_ends_on: date | None = _day()
    assessment_on: date | None = _day()
    budget: Budget | None = _choice(Budget)
    collaboration: Collaboration | None = _choice(Collaboration)
    department: str = _line()
    contact_name: str = _line()
    contact_email: str = _email()
    capability: str = _line(60)
    business_area: str = _line(60)
    lgsl: int | None = _number()
    tags: tuple[str, ...] = _word_list()
    technologies: tuple[str, ...] = _word_list()
    skills: tuple[str, ...] = _word_list()
    links: tuple[ProjectLink, ...] = _list_of(ProjectLink)
    user_needs: tuple[UserNeed, ...] = _list_of(UserNeed)
    outputs: tuple[Output, ...] = _list_of(Output)
    related: tuple[RelatedProject, ...] = _list_of(RelatedProject)


@dataclass(frozen=True)
class FreshnessDetails:
    """The freshness of a project as federated beside its details: when its owner is due to review
    it, and when someone last confirmed that it is up to date.
    """

    freshness: Freshness | None = _choice(Freshness)
    review_on: date | None = _day()
    confirmed_on: date | None = _day()
    archived_on: date | None = _day()


# The headings of a brief, in their order (GOV.UK Digital Outcomes requirements).
BRIEF_FIELDS = ("why", "problem", "users", "work_done", "constraints")

DetailsT = TypeVar("DetailsT")


def is_multiline(item: "Field[Any]") -> bool:
    """Whether a field holds text of several lines."""
    return item.metadata["read"] is _read_prose


def max_length(item: "Field[Any]") -> int:
    """The maximum length of a field in characters; 0 for fields that are not text."""
    length: int = item.metadata.get("longest", 0)
    return length


# Computed once, because a council's collection can have 100,000 projects.
FIELD_READERS: dict[type[Any], list[tuple[str, Callable[[Any, int], Any], int]]] = {
    kind: [(item.name, item.metadata["read"], max_length(item)) for item in fields(kind)]
    for kind in (ProjectLink, UserNeed, Adopter, Output, RelatedProject, Details, FreshnessDetails)
}


def dump(instance: Any) -> dict[str, Any]:
    """A dataclass of this module as JSON, without its empty fields."""
    return {name: _dump_value(value) for name, value in vars(instance).items() if value}


def _dump_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else dump(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def parse(kind: type[DetailsT], document: Any) -> DetailsT:
    """Untrusted JSON as `kind`, a dataclass of this module. Invalid values are left out."""
    if not isinstance(document, Mapping) or not document:
        return kind()
    values: dict[str, Any] = {}
    for name, read, longest in FIELD_READERS[kind]:
        if name in document:
            values[name] = read(document[name], longest)
    return kind(**values)


def split_words(text: str) -> tuple[str, ...]:
    """Words separated by commas or line breaks, without duplicates, in their first spelling."""
    words: dict[str, str] = {}
    for part in text.replace("\n", ",").split(","):
        word = " ".join(part.split())
        if word:
            words.setdefault(word.casefold(), word)
    return tuple(words.values())


def is_web_url(text: str) -> bool:
    """Whether `text` is an http or https URL that is safe to link to."""
    return len(text) <= MAX_LEN_URL and same_origin(text, text)
