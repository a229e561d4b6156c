"""The projects that readers parse from files, and the cleaner that fits values to a project's
fields and notes what does not fit. Pure.
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
# Notes on one project; there may be more things to note in a file.
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
    """An update published before the import, in Markdown."""

    on: date
    text: str


class ParticipationStatus(StrEnum):
    """A person's part in a project where it comes from."""

    watcher = "watcher"
    approved = "approved"
    pending = "pending"
    rejected = "rejected"


@dataclass(frozen=True)
class Participant:
    """A person named in a file; `email` is empty if the file gives no valid address."""

    name: str
    email: str
    standing: ParticipationStatus


@dataclass(frozen=True)
class ParsedProject:
    """A project in a file.

    `updates` are past updates in order of their days; `people` watched the project or took part.
    `source` recognises the project in a later import, such as the address of its repository; `id`
    only means something within its list. `notes` say what was left out or assumed, and `assumed`
    names the fields of `text` that the file does not give. `organisation` is the owner's name, or
    number if the file gives no name. `version` is the version at the time of a Moothall export.
    `is_complete` is false if a placeholder stands in for content that readers need.
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
        """The names of required fields that are empty."""
        return tuple(name for name in ("title", "summary") if not getattr(self.text, name))


class FieldCleaner:
    """Fits values from a file to the fields of a project, and collects notes on what does not fit.

    `name` is the name of the value in the file, for the notes.
    """

    def __init__(self) -> None:
        self._notes: dict[Message, None] = {}

    @property
    def notes(self) -> tuple[Message, ...]:
        notes = tuple(self._notes)
        if len(notes) <= MAX_NOTES:
            return notes
        more = msg("and %(count)s more notes", count=len(notes) - MAX_NOTES)
        return (*notes[:MAX_NOTES], more)

    def add_note(self, note: Message) -> None:
        self._notes[note] = None

    def note_unusable(self, name: str, value: Any) -> None:
        """Note that a value cannot be used."""
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
        """Note the keys with a value that are not `used`, ignoring case."""
        known = {name.casefold() for name in used}
        names = [
            one_line(name, 40)
            for name, value in document.items()
            if name.casefold() not in known and value not in (None, "", [], {})
        ]
        if names:
            self.add_note(msg("not imported: %(names)s", names=", ".join(names[:MAX_NOTES])))

    def line(self, name: str, value: Any, max_length: int = 150) -> str:
        """One line of text, cut at a word if it has more than `max_length` characters."""
        if value is None or isinstance(value, (Mapping, list)):
            if value:
                self.note_unusable(name, value)
            return ""
        words = one_line(str(value), 50_000)
        if words.casefold() in EMPTY_WORDS:
            return ""
        if len(words) > max_length:
            self.add_note(
                msg("%(name)s shortened to %(count)s characters", name=name, count=max_length)
            )
            words = words[: max_length - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
        return words

    def prose(self, name: str, value: Any, max_length: int = MAX_LENGTHS["brief"]) -> str:
        """Markdown, or text of several lines, cut at `max_length` characters."""
        if not isinstance(value, str):
            if value:
                self.note_unusable(name, value)
            return ""
        text = several_lines(value, len(value))
        if len(text) < len(trim(value)):
            self.add_note(
                msg("%(name)s imported without characters that cannot be shown", name=name)
            )
        if len(text) > max_length:
            self.add_note(
                msg("%(name)s shortened to %(count)s characters", name=name, count=max_length)
            )
            text = text[: max_length - 1] + "…"
        return text

    def url(self, name: str, value: Any) -> str:
        """A web address; https is assumed if it has no scheme."""
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
        """A date in British or ISO 8601 notation; a time after it is ignored."""
        text = self.line(name, value, 60)
        parsed = parse_date(text) if text else None
        if parsed and 1970 <= parsed.year <= 2999:
            return parsed
        if text and not (parsed and is_unset(parsed)):
            self.note_unusable(name, text)
        return None

    def word_list(self, name: str, values: Iterable[Any]) -> tuple[str, ...]:
        """Short words without duplicates, at most `MAX_ITEMS`."""
        lines = (self.line(name, value, MAX_LEN_WORD).replace(",", " ") for value in values)
        words = list({line.casefold(): line for line in lines if line}.values())
        if len(words) > MAX_ITEMS:
            self.add_note(
                msg(
                    "%(name)s has %(all)s values: only the first %(count)s are imported",
                    count=MAX_ITEMS,
                    all=len(words),
                    name=name,
                )
            )
        return tuple(words[:MAX_ITEMS])

    def phase(self, name: str, value: Any) -> Phase:
        """The phase for a status; concept, which promises least, for an unknown one."""
        word = self.line(name, value, 40).casefold()
        phase = PHASE_ALIASES.get(word)
        if phase is None and word:
            self.add_note(
                msg(
                    "%(name)s “%(value)s” is not a phase: phase set to concept",
                    name=name,
                    value=word,
                )
            )
        elif phase is None:
            self.add_note(msg("no %(name)s: phase set to concept", name=name))
        return phase or Phase.concept

    def is_known_phase(self, value: Any) -> bool:
        """Whether a status stands for a phase."""
        return isinstance(value, str) and " ".join(value.split()).casefold() in PHASE_ALIASES

    def summary(self, name: str, value: Any) -> tuple[str, str]:
        """The summary cut to fit, and the full text if it was cut, else ""."""
        full_text = " ".join(value.split()) if isinstance(value, str) else ""
        fits = self.line(name, full_text, MAX_LENGTHS["summary"])
        return fits, full_text if fits.endswith("…") and fits != full_text else ""


def to_mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list, or a single mapping as a list."""
    items = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)][: MAX_ITEMS * 2]


def to_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def to_texts(value: Any) -> list[str]:
    """The texts in a list that are not empty, or a single text as a list."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item.strip()]


def join_paragraphs(*parts: str) -> str:
    """Join the parts of a brief that are not empty as paragraphs."""
    return "\n\n".join(part for part in parts if part)


def bullet_section(heading: str, lines: Iterable[str]) -> str:
    """A Markdown heading with a list under it; "" for an empty list."""
    items = "\n".join(f"- {line}" for line in lines if line)
    return f"## {heading}\n\n{items}" if items else ""
