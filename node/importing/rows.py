"""Parses a project from one row of a table, given its cells by field. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import date

from node.access.visibility import Visibility
from node.importing.briefs import first_sentence, strip_tags, to_markdown
from node.importing.columns import ImportRow
from node.importing.dates_and_amounts import parse_budget
from node.importing.parsed_project import (
    EMPTY_WORDS,
    FieldCleaner,
    ParsedProject,
    PastUpdate,
    bullet_section,
    join_paragraphs,
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
from node.projects.validation import TEXT_LANGUAGES, ProjectInput

# Past updates read per project.
MAX_UPDATES = 200
# A past update that begins with its date.
DATED_UPDATE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d|\d\d?[/-]\d\d?[/-]\d{4}|\d\d? [A-Za-z]{3,9} \d{4})"
    r"(?:[T ]\d\d?:\d\d\S*)?[\s:–-]+(?P<text>\S.*)"
)
YES_WORDS = frozenset({"true", "yes", "y", "1"})
# Pipeline's values for a project that depends on no programming language.
NO_TECHNOLOGY = frozenset({"non-dependant", "non-dependent", "not dependant", "not dependent"})


@dataclass(frozen=True)
class TableKind:
    """Where the table of a row comes from: Pipeline, whose project numbers are the same in all its
    files, or an export of Moothall.
    """

    is_pipeline: bool = False
    is_export: bool = False


def parse_row(row: ImportRow, table: TableKind) -> ParsedProject:
    """The project in a row, and notes on what did not fit."""
    cleaner = FieldCleaner()
    title = cleaner.line("title", row.get("title"))
    description = to_markdown("description", row.get("description"), cleaner)
    description_or_summary = row.get("summary") or first_sentence(description)
    summary, full_text = cleaner.summary("summary", description_or_summary or title)
    if not description_or_summary and title:
        cleaner.add_note(msg("no description: the title is used as the summary"))
    tag = row.get("language").casefold()[:2]
    participants = parse_participants(
        *(row.get(name) for name in ("watchers", "contributors", "people"))
    )
    _note_not_imported(row, len(participants), cleaner)
    past_updates, undated = _parse_updates(row.get("updates"), cleaner)
    visibility = row.get("visibility") if table.is_export else ""
    assumed = set() if row.get("summary") else {"summary"}
    assumed |= set() if cleaner.is_known_phase(row.get("phase")) else {"phase"}
    assumed |= set() if tag in TEXT_LANGUAGES else {"language"}
    return ParsedProject(
        ProjectInput(
            title,
            summary,
            cleaner.phase("status", row.get("phase")).value,
            join_paragraphs("" if full_text in description else full_text, description),
            visibility if visibility in list(Visibility) else Visibility.public.value,
            language=tag if tag in TEXT_LANGUAGES else TEXT_LANGUAGES[0],
            details=replace(
                _parse_details(row, cleaner, table, first_contributor(participants)),
                work_done=undated,
            ),
        ),
        updates=past_updates,
        people=participants,
        source=_build_source_key(row, table),
        notes=cleaner.notes,
        organisation=cleaner.line("organisation", row.get("organisation"), 300)
        or cleaner.line("organisation", row.get("organisation_id"), 20),
        is_complete=bool(description_or_summary),
        id=cleaner.line("id", row.get("id")),
        assumed=frozenset(assumed),
        version=row.get("version") if table.is_export else "",
    )


def _note_not_imported(row: ImportRow, number_of_people: int, cleaner: FieldCleaner) -> None:
    """Note what is not imported, and the people who are only recorded."""
    if number_of_people:
        cleaner.add_note(
            msg_count(
                "%(num)s watcher or contributor recorded with the import",
                "%(num)s watchers and contributors recorded with the import",
                number_of_people,
            )
        )
    if row.get("versions"):
        cleaner.add_note(msg("version history not imported"))
    for column in row.duplicates:
        cleaner.add_note(
            msg(
                "“%(column)s” not imported: another column already gives this information",
                column=column[:40],
            )
        )
    cleaner.note_unused(row.unknown, ())


def _build_source_key(row: ImportRow, table: TableKind) -> str:
    """The key that recognises the project in any file; "" if the table's ids only mean something
    within the table.
    """
    if table.is_export:
        return FieldCleaner().url("url", row.get("url"))
    number = row.get("id")
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    return f"pipeline:{number}" if table.is_pipeline and is_number else ""


def _parse_details(
    row: ImportRow, cleaner: FieldCleaner, table: TableKind, default_contact: str
) -> Details:
    estimated = row.get("estimated").casefold() in YES_WORDS
    starts_on = cleaner.date("start", row.get("starts_on"))
    ends_on = cleaner.date("end", row.get("ends_on"))
    if starts_on and ends_on and ends_on < starts_on:
        cleaner.add_note(msg("end date not imported: it is before the start date"))
        ends_on = None
    return Details(
        starts_on=starts_on,
        start_is_estimated=estimated and starts_on is not None,
        ends_on=ends_on,
        end_is_estimated=estimated and ends_on is not None,
        contract_ends_on=cleaner.date("contract end", row.get("contract_ends_on")),
        assessment_on=cleaner.date("next service assessment", row.get("assessment_on")),
        budget=_parse_budget(row.get("budget"), cleaner),
        collaboration=_parse_collaboration(row.get("collaboration"), cleaner),
        department=cleaner.line("department", row.get("department")),
        contact_name=cleaner.line("contact", row.get("contact_name")) or default_contact,
        contact_email=cleaner.email("contact email", row.get("contact_email")),
        capability=cleaner.line("capability", row.get("capability"), 60),
        business_area=cleaner.line("business area", row.get("business_area"), 60),
        lgsl=_parse_lgsl(row.get("lgsl"), cleaner),
        tags=_parse_word_list("tags", row, cleaner, table),
        technologies=_parse_word_list("technologies", row, cleaner, table),
        skills=_parse_word_list("skills", row, cleaner, table),
        links=_parse_links(row, cleaner, table),
    )


def _parse_links(
    row: ImportRow, cleaner: FieldCleaner, table: TableKind
) -> tuple[ProjectLink, ...]:
    """The project's links. In an export, the column "url" is the project's own address, so it is
    no link.
    """
    columns = [("website", LinkKind.website), ("repository", LinkKind.repository)]
    link_columns = columns if table.is_export else [*columns, ("url", LinkKind.other)]
    links: dict[str, ProjectLink] = {}
    for name, kind in link_columns:
        url = cleaner.url(name, row.get(name))
        if url:
            links.setdefault(url, ProjectLink(kind, url))
    return tuple(links.values())


def _parse_word_list(
    name: str, row: ImportRow, cleaner: FieldCleaner, table: TableKind
) -> tuple[str, ...]:
    text = row.get(name)
    # In our own exports a word may contain a semicolon.
    words = split_words(text if table.is_export else text.replace(";", ","))
    empty = EMPTY_WORDS | NO_TECHNOLOGY if name == "technologies" else EMPTY_WORDS
    return cleaner.word_list(name, (word for word in words if word.casefold() not in empty))


def _parse_lgsl(plain: str, cleaner: FieldCleaner) -> int | None:
    if plain.isascii() and plain.isdigit() and len(plain) < 6 and 0 < int(plain) <= MAX_NUMBER:
        return int(plain)
    if plain:
        cleaner.note_unusable("LGSL", plain)
    return None


def _parse_budget(text: str, cleaner: FieldCleaner) -> Budget | None:
    if text.casefold() in EMPTY_WORDS | {"unknown"}:
        return None
    band = parse_budget(text)
    if band is None:
        cleaner.note_unusable("budget", text)
    return band


def _parse_collaboration(text: str, cleaner: FieldCleaner) -> Collaboration | None:
    word = "-".join(text.casefold().replace("-", " ").split())
    if word in list(Collaboration):
        return Collaboration(word)
    if word not in EMPTY_WORDS | {"unknown"}:
        cleaner.note_unusable("collaboration level", text)
    return None


def _parse_updates(text: str, cleaner: FieldCleaner) -> tuple[tuple[PastUpdate, ...], str]:
    """Parse past updates, one per line. Returns those with a date, in order of their days, and the
    others as Markdown for "Work already done".
    """
    dated: list[PastUpdate] = []
    undated: list[str] = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_UPDATES:
        cleaner.add_note(msg("only the first %(count)s updates are imported", count=MAX_UPDATES))
    for line in lines[:MAX_UPDATES]:
        match = DATED_UPDATE.fullmatch(line)
        day = FieldCleaner().date("", match["day"]) if match else None
        if match and day and day <= date.today():  # noqa: DTZ011 -- days of files have no zone
            text_of_update = cleaner.prose("updates", strip_tags(match["text"]), 10_000)
            dated.append(PastUpdate(day, text_of_update))
        else:
            undated.append(strip_tags(line))
    if dated:
        cleaner.add_note(msg_count("%(num)s earlier update", "%(num)s earlier updates", len(dated)))
    if undated:
        cleaner.add_note(
            msg_count(
                "%(num)s update without a date added to “Work already done”",
                "%(num)s updates without a date added to “Work already done”",
                len(undated),
            )
        )
    in_order = tuple(sorted(dated, key=lambda update: update.on))
    return in_order, cleaner.prose("updates", bullet_section("Earlier updates", undated), 10_000)
