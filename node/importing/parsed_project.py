"""What a reader finds in a file, and the sieve through which it passes: what fits, and notes on the
rest. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from node.importing.dates_and_amounts import is_unset, parse_date
from node.messages import Message, msg
from node.projects.details import MAX_ITEMS, is_web_url
from node.projects.models import Phase
from node.projects.validation import MAX_LENGTHS, ProjectInput
from node.text import one_line, several_lines, trim

MAX_LEN_WORD = 60
# A note names what was left out; a file may have any number of such things.
MAX_NOTES = 20
EMPTY_WORDS = frozenset({"", "none", "null", "n/a", "-"})
PHASE_ALIASES = {
    "idea": Phase.concept,
    "ideation": Phase.concept,
    "proposal": Phase.concept,
    "development": Phase.alpha,
    "private beta": Phase.beta,
    "public beta": Phase.beta,
    "production": Phase.live,
    "stable": Phase.live,
    "official": Phase.live,
    "obsolete": Phase.retired,
    "decommissioned": Phase.retired,
    "deprecated": Phase.retired,
    "archival": Phase.retired,
    "archived": Phase.retired,
} | {phase.value: phase for phase in Phase}


@dataclass(frozen=True)
class PastUpdate:
    """What was told of a project on a day, in Markdown."""

    on: date
    text: str


class Participation(StrEnum):
    """How somebody stood to a project."""

    watcher = "watcher"
    approved = "approved"
    pending = "pending"
    rejected = "rejected"


@dataclass(frozen=True)
class Participant:
    """Somebody who is named in a file; `email` is empty where it gives none that can be one."""

    name: str
    email: str
    standing: Participation


@dataclass(frozen=True)
class ParsedProject:
    """A project in a file. `updates` are what was told of it before, in their order, `people` who
    watched it and took part. `source` is what it is known by when it comes again, such as the
    address of its repository; `id` is what its own list calls it, which means something within that
    list only. `notes` say what was left out or assumed; `assumed` names the parts of `text` that
    the file does not say. `organisation` is the name of whose it is, or the number of that where
    the file gives no name. `version` is the version of the project that a node exported.
    `is_whole` unless something stands in for what a reader of the project needs.
    """

    text: ProjectInput
    updates: tuple[PastUpdate, ...] = ()
    people: tuple[Participant, ...] = ()
    source: str = ""
    notes: tuple[Message, ...] = ()
    organisation: str = ""
    is_complete: bool = True
    id: str = ""
    assumed: frozenset[str] = frozenset()
    version: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the fields without which there is no project."""
        return tuple(name for name in ("title", "summary") if not getattr(self.text, name))


class FieldCleaner:
    """Lets through what a project can hold, and notes what it cannot."""

    def __init__(self) -> None:
        self._notes: dict[Message, None] = {}

    @property
    def notes(self) -> tuple[Message, ...]:
        found = tuple(self._notes)
        if len(found) <= MAX_NOTES:
            return found
        more = msg("and %(count)s more notes", count=len(found) - MAX_NOTES)
        return (*found[:MAX_NOTES], more)

    def add_note(self, words: Message) -> None:
        self._notes[words] = None

    def note_unusable(self, name: str, value: Any) -> None:
        """Note that a value does not fit."""
        if isinstance(value, (Mapping, list)):
            self.add_note(
                msg(
                    "%(name)s not imported: a single value was expected, but it has parts",
                    name=name,
                )
            )
            return
        shown = one_line(str(value), 40)
        self.add_note(
            msg("%(name)s not imported: “%(value)s” cannot be used", name=name, value=shown)
        )

    def note_unused(self, document: Mapping[str, Any], used: Iterable[str]) -> None:
        """Note the names that say something for which a project has no place."""
        known = {name.casefold() for name in used}
        names = [
            one_line(name, 40)
            for name, value in document.items()
            if name.casefold() not in known and value not in (None, "", [], {})
        ]
        if names:
            self.add_note(msg("not imported: %(names)s", names=", ".join(names[:MAX_NOTES])))

    def line(self, name: str, value: Any, longest: int = 150) -> str:
        """One line of text, cut at a word where it is too long."""
        if value is None or isinstance(value, (Mapping, list)):
            if value:
                self.note_unusable(name, value)
            return ""
        words = one_line(str(value), 50_000)
        if words.casefold() in EMPTY_WORDS:
            return ""
        if len(words) > longest:
            self.add_note(
                msg("%(name)s shortened to %(count)s characters", name=name, count=longest)
            )
            words = words[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
        return words

    def prose(self, name: str, value: Any, longest: int = MAX_LENGTHS["brief"]) -> str:
        """Markdown, or text of several lines."""
        if not isinstance(value, str):
            if value:
                self.note_unusable(name, value)
            return ""
        text = several_lines(value, len(value))
        if len(text) < len(trim(value)):
            self.add_note(
                msg("%(name)s imported without characters that cannot be shown", name=name)
            )
        if len(text) > longest:
            self.add_note(
                msg("%(name)s shortened to %(count)s characters", name=name, count=longest)
            )
            text = text[: longest - 1] + "…"
        return text

    def url(self, name: str, value: Any) -> str:
        """A web address; one without a scheme is taken to be https."""
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            return ""
        if "://" not in text and re.match(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/|$)", text, re.IGNORECASE):
            text = f"https://{text}"
            self.add_note(msg("https:// added to the start of %(name)s", name=name))
        if is_web_url(text) and "." in (urlsplit(text).hostname or ""):
            return text
        self.note_unusable(name, text)
        return ""

    def email(self, name: str, value: Any) -> str:
        text = self.line(name, value, 254)
        try:
            if text:
                validate_email(text, check_deliverability=False)
        except EmailNotValidError:
            self.note_unusable(name, text)
            return ""
        return text

    def date(self, name: str, value: Any) -> date | None:
        """A date as the British or ISO 8601 write it; a time of day after it is passed over."""
        text = self.line(name, value, 60)
        found = parse_date(text) if text else None
        if found and 1970 <= found.year <= 2999:
            return found
        if text and not (found and is_unset(found)):
            self.note_unusable(name, text)
        return None

    def word_list(self, name: str, values: Iterable[Any]) -> tuple[str, ...]:
        """Short words, once each."""
        lines = (self.line(name, value, MAX_LEN_WORD).replace(",", " ") for value in values)
        found = list({line.casefold(): line for line in lines if line}.values())
        if len(found) > MAX_ITEMS:
            self.add_note(
                msg(
                    "%(name)s has %(all)s values: only the first %(count)s are imported",
                    count=MAX_ITEMS,
                    all=len(found),
                    name=name,
                )
            )
        return tuple(found[:MAX_ITEMS])

    def phase(self, name: str, value: Any) -> Phase:
        """The phase that a status stands for; concept, which claims least, for none."""
        word = self.line(name, value, 40).casefold()
        found = PHASE_ALIASES.get(word)
        if found is None and word:
            self.add_note(
                msg(
                    "%(name)s “%(value)s” is not a phase: phase set to concept",
                    name=name,
                    value=word,
                )
            )
        elif found is None:
            self.add_note(msg("no %(name)s: phase set to concept", name=name))
        return found or Phase.concept

    def is_known_phase(self, value: Any) -> bool:
        """Whether a status stands for a phase."""
        return isinstance(value, str) and " ".join(value.split()).casefold() in PHASE_ALIASES

    def summary(self, name: str, value: Any) -> tuple[str, str]:
        """A summary that fits, and the whole of it where it had to be cut."""
        whole = " ".join(value.split()) if isinstance(value, str) else ""
        fits = self.line(name, whole, MAX_LENGTHS["summary"])
        return fits, whole if fits.endswith("…") and fits != whole else ""


def as_mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; a mapping alone is a list of one."""
    found = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return [each for each in found if isinstance(each, Mapping)][: MAX_ITEMS * 2]


def as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def as_texts(value: Any) -> list[str]:
    """The texts in a list, or one alone."""
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, str) and each.strip()]


def paragraphs(*parts: str) -> str:
    """Parts of a brief, below one another."""
    return "\n\n".join(part for part in parts if part)


def bullets(heading: str, lines: Iterable[str]) -> str:
    """A heading of Markdown with a list under it; "" where there is nothing to list."""
    items = "\n".join(f"- {line}" for line in lines if line)
    return f"## {heading}\n\n{items}" if items else ""
