"""A project out of one row of a table, whose cells are known by their fields. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import date

from node.importing.briefs import first_sentence, strip_tags, to_markdown
from node.importing.columns import ImportRow
from node.importing.dates_and_amounts import parse_budget
from node.importing.parsed_project import (
    EMPTY_WORDS,
    FieldCleaner,
    ParsedProject,
    PastUpdate,
    bullets,
    paragraphs,
)
from node.importing.participants import first_contributor, parse_participants
from node.messages import msg, msg_count
from node.projects.details import (
    MAX_NUMBER,
    Budget,
    Collaboration,
    Details,
    LinkKind,
    ProjectLink,
    split_words,
)
from node.projects.models import Visibility
from node.projects.validation import TEXT_LANGUAGES, ProjectInput

# Of one project so many are read.
MAX_UPDATES = 200
# A status update begins with its day.
DATED_UPDATE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d|\d\d?[/-]\d\d?[/-]\d{4}|\d\d? [A-Za-z]{3,9} \d{4})"
    r"(?:[T ]\d\d?:\d\d\S*)?[\s:–-]+(?P<text>\S.*)"
)
YES_WORDS = frozenset({"true", "yes", "y", "1"})
# What Pipeline says of a project that depends on no programming language.
NO_TECHNOLOGY = frozenset({"non-dependant", "non-dependent", "not dependant", "not dependent"})


@dataclass(frozen=True)
class TableKind:
    """What is known of the table that a row is in: whether it is Pipeline's, whose numbers of
    projects mean the same in each of its files, or what a node exported.
    """

    is_pipeline: bool = False
    is_export: bool = False


def parse_row(row: ImportRow, table: TableKind) -> ParsedProject:
    """The project in a row, and notes on what did not fit."""
    sieve = FieldCleaner()
    title = sieve.line("title", row.get("title"))
    description = to_markdown("description", row.get("description"), sieve)
    given = row.get("summary") or first_sentence(description)
    summary, whole = sieve.summary("summary", given or title)
    if not given and title:
        sieve.add_note(msg("no description: the title is used as the summary"))
    tag = row.get("language").casefold()[:2]
    named = parse_participants(*(row.get(name) for name in ("watchers", "contributors", "people")))
    _note_dropped(row, len(named), sieve)
    earlier, undated = _updates(row.get("updates"), sieve)
    visibility = row.get("visibility") if table.is_export else ""
    assumed = set() if row.get("summary") else {"summary"}
    assumed |= set() if sieve.is_known_phase(row.get("phase")) else {"phase"}
    assumed |= set() if tag in TEXT_LANGUAGES else {"language"}
    return ParsedProject(
        ProjectInput(
            title,
            summary,
            sieve.phase("status", row.get("phase")).value,
            paragraphs("" if whole in description else whole, description),
            visibility if visibility in list(Visibility) else Visibility.public.value,
            language=tag if tag in TEXT_LANGUAGES else TEXT_LANGUAGES[0],
            details=replace(
                _details(row, sieve, table, first_contributor(named)), work_done=undated
            ),
        ),
        updates=earlier,
        people=named,
        source=_source(row, table),
        notes=sieve.notes,
        organisation=sieve.line("organisation", row.get("organisation"), 300)
        or sieve.line("organisation", row.get("organisation_id"), 20),
        is_complete=bool(given),
        id=sieve.line("id", row.get("id")),
        assumed=frozenset(assumed),
        version=row.get("version") if table.is_export else "",
    )


def _note_dropped(row: ImportRow, number_of_people: int, sieve: FieldCleaner) -> None:
    """What is not a part of the text."""
    if number_of_people:
        sieve.add_note(
            msg_count(
                "%(num)s watcher or contributor recorded with the import",
                "%(num)s watchers and contributors recorded with the import",
                number_of_people,
            )
        )
    if row.get("versions"):
        sieve.add_note(msg("version history not imported"))
    for column in row.duplicates:
        sieve.add_note(
            msg(
                "“%(column)s” not imported: another column already gives this information",
                column=column[:40],
            )
        )
    sieve.note_unused(row.unknown, ())


def _source(row: ImportRow, table: TableKind) -> str:
    """What the row is known by wherever it comes from; "" for what other tables call a project,
    which means something within that table alone.
    """
    if table.is_export:
        return FieldCleaner().url("url", row.get("url"))
    number = row.get("id")
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    return f"pipeline:{number}" if table.is_pipeline and is_number else ""


def _details(row: ImportRow, sieve: FieldCleaner, table: TableKind, taking_part: str) -> Details:
    estimated = row.get("estimated").casefold() in YES_WORDS
    starts_on = sieve.date("start", row.get("starts_on"))
    ends_on = sieve.date("end", row.get("ends_on"))
    if starts_on and ends_on and ends_on < starts_on:
        sieve.add_note(msg("end date not imported: it is before the start date"))
        ends_on = None
    return Details(
        starts_on=starts_on,
        start_is_estimated=estimated and starts_on is not None,
        ends_on=ends_on,
        end_is_estimated=estimated and ends_on is not None,
        contract_ends_on=sieve.date("contract end", row.get("contract_ends_on")),
        assessment_on=sieve.date("next service assessment", row.get("assessment_on")),
        budget=_budget(row.get("budget"), sieve),
        collaboration=_collaboration(row.get("collaboration"), sieve),
        department=sieve.line("department", row.get("department")),
        contact_name=sieve.line("contact", row.get("contact_name")) or taking_part,
        contact_email=sieve.email("contact email", row.get("contact_email")),
        capability=sieve.line("capability", row.get("capability"), 60),
        business_area=sieve.line("business area", row.get("business_area"), 60),
        lgsl=_lgsl(row.get("lgsl"), sieve),
        tags=_word_list("tags", row, sieve, table),
        technologies=_word_list("technologies", row, sieve, table),
        skills=_word_list("skills", row, sieve, table),
        links=_links(row, sieve, table),
    )


def _links(row: ImportRow, sieve: FieldCleaner, table: TableKind) -> tuple[ProjectLink, ...]:
    """The address in an export is the project's own here, and leads to no other place."""
    columns = [("website", LinkKind.website), ("repository", LinkKind.repository)]
    given = columns if table.is_export else [*columns, ("url", LinkKind.other)]
    links: dict[str, ProjectLink] = {}
    for name, kind in given:
        url = sieve.url(name, row.get(name))
        if url:
            links.setdefault(url, ProjectLink(kind, url))
    return tuple(links.values())


def _word_list(name: str, row: ImportRow, sieve: FieldCleaner, table: TableKind) -> tuple[str, ...]:
    text = row.get(name)
    # In a word of ours may be a semicolon.
    listed = split_words(text if table.is_export else text.replace(";", ","))
    nothing = EMPTY_WORDS | NO_TECHNOLOGY if name == "technologies" else EMPTY_WORDS
    return sieve.word_list(name, (each for each in listed if each.casefold() not in nothing))


def _lgsl(plain: str, sieve: FieldCleaner) -> int | None:
    if plain.isascii() and plain.isdigit() and len(plain) < 6 and 0 < int(plain) <= MAX_NUMBER:
        return int(plain)
    if plain:
        sieve.note_unusable("LGSL", plain)
    return None


def _budget(text: str, sieve: FieldCleaner) -> Budget | None:
    if text.casefold() in EMPTY_WORDS | {"unknown"}:
        return None
    band = parse_budget(text)
    if band is None:
        sieve.note_unusable("budget", text)
    return band


def _collaboration(text: str, sieve: FieldCleaner) -> Collaboration | None:
    word = "-".join(text.casefold().replace("-", " ").split())
    if word in list(Collaboration):
        return Collaboration(word)
    if word not in EMPTY_WORDS | {"unknown"}:
        sieve.note_unusable("collaboration level", text)
    return None


def _updates(text: str, sieve: FieldCleaner) -> tuple[tuple[PastUpdate, ...], str]:
    """What was told before, a line each, in the order of its days; what has no day is work that is
    done already.
    """
    dated: list[PastUpdate] = []
    undated: list[str] = []
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    if len(lines) > MAX_UPDATES:
        sieve.add_note(msg("only the first %(count)s updates are imported", count=MAX_UPDATES))
    for line in lines[:MAX_UPDATES]:
        found = DATED_UPDATE.fullmatch(line)
        day = FieldCleaner().date("", found["day"]) if found else None
        if found and day and day <= date.today():  # noqa: DTZ011 -- days of files have no zone
            told = sieve.prose("updates", strip_tags(found["text"]), 10_000)
            dated.append(PastUpdate(day, told))
        else:
            undated.append(strip_tags(line))
    if dated:
        sieve.add_note(msg_count("%(num)s earlier update", "%(num)s earlier updates", len(dated)))
    if undated:
        sieve.add_note(
            msg_count(
                "%(num)s update without a date added to “Work already done”",
                "%(num)s updates without a date added to “Work already done”",
                len(undated),
            )
        )
    in_order = tuple(sorted(dated, key=lambda each: each.on))
    return in_order, sieve.prose("updates", bullets("Earlier updates", undated), 10_000)
