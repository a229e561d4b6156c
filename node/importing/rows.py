"""A project out of one row of a table, whose cells are known by their fields. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import date

from node.importing.amounts import band_of
from node.importing.briefs import first_sentence, to_markdown, to_text
from node.importing.columns import Row
from node.importing.found import NOTHING, Earlier, Found, Sieve, bullets, paragraphs
from node.importing.people import contributor, people
from node.projects.details import (
    LARGEST_NUMBER,
    Budget,
    Collaboration,
    Details,
    Link,
    LinkKind,
    words,
)
from node.projects.models import Visibility
from node.projects.writing import LANGUAGES, Text
from node.wording import say, say_count

# Of one project so many are read.
MOST_UPDATES = 200
# A status update begins with its day.
DATED = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d|\d\d?[/-]\d\d?[/-]\d{4}|\d\d? [A-Za-z]{3,9} \d{4})"
    r"(?:[T ]\d\d?:\d\d\S*)?[\s:–-]+(?P<text>\S.*)"
)
YES = frozenset({"true", "yes", "y", "1"})
# What Pipeline says of a project that depends on no programming language.
NO_TECHNOLOGY = frozenset({"non-dependant", "non-dependent", "not dependant", "not dependent"})


@dataclass(frozen=True)
class Table:
    """What is known of the table that a row is in: whether it is Pipeline's, whose numbers of
    projects mean the same in each of its files, or what a node exported.
    """

    is_pipeline: bool = False
    is_export: bool = False


def project_of(row: Row, table: Table) -> Found:
    """The project in a row, and notes on what did not fit."""
    sieve = Sieve()
    title = sieve.line("title", row.get("title"))
    description = to_markdown("description", row.get("description"), sieve)
    given = row.get("summary") or first_sentence(description)
    summary, whole = sieve.summary("summary", given or title)
    if not given and title:
        sieve.note(say("no description: the title is used as the summary"))
    tag = row.get("language").casefold()[:2]
    named = people(*(row.get(name) for name in ("watchers", "contributors", "people")))
    _note(row, len(named), sieve)
    earlier, undated = _updates(row.get("updates"), sieve)
    visibility = row.get("visibility") if table.is_export else ""
    assumed = set() if row.get("summary") else {"summary"}
    assumed |= set() if sieve.knows_phase(row.get("phase")) else {"phase"}
    assumed |= set() if tag in LANGUAGES else {"language"}
    return Found(
        Text(
            title,
            summary,
            sieve.phase("status", row.get("phase")).value,
            paragraphs("" if whole in description else whole, description),
            visibility if visibility in list(Visibility) else Visibility.public.value,
            language=tag if tag in LANGUAGES else LANGUAGES[0],
            details=replace(_details(row, sieve, table, contributor(named)), work_done=undated),
        ),
        updates=earlier,
        people=named,
        source=_source(row, table),
        notes=sieve.notes,
        organisation=sieve.line("organisation", row.get("organisation"), 300)
        or sieve.line("organisation", row.get("organisation_id"), 20),
        is_whole=bool(given),
        id=sieve.line("id", row.get("id")),
        assumed=frozenset(assumed),
        version=row.get("version") if table.is_export else "",
    )


def _note(row: Row, number_of_people: int, sieve: Sieve) -> None:
    """What is not a part of the text."""
    if number_of_people:
        sieve.note(
            say_count(
                "%(num)s watcher or contributor recorded with the import",
                "%(num)s watchers and contributors recorded with the import",
                number_of_people,
            )
        )
    if row.get("versions"):
        sieve.note(say("version history not imported"))
    for column in row.doubled:
        sieve.note(
            say(
                "“%(column)s” not imported: another column already gives this information",
                column=column[:40],
            )
        )
    sieve.unused(row.strange, ())


def _source(row: Row, table: Table) -> str:
    """What the row is known by wherever it comes from; "" for what other tables call a project,
    which means something within that table alone.
    """
    if table.is_export:
        return Sieve().address("url", row.get("url"))
    number = row.get("id")
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    return f"pipeline:{number}" if table.is_pipeline and is_number else ""


def _details(row: Row, sieve: Sieve, table: Table, taking_part: str) -> Details:
    estimated = row.get("estimated").casefold() in YES
    starts_on = sieve.day("start", row.get("starts_on"))
    ends_on = sieve.day("end", row.get("ends_on"))
    if starts_on and ends_on and ends_on < starts_on:
        sieve.note(say("end date not imported: it is before the start date"))
        ends_on = None
    return Details(
        starts_on=starts_on,
        start_is_estimated=estimated and starts_on is not None,
        ends_on=ends_on,
        end_is_estimated=estimated and ends_on is not None,
        contract_ends_on=sieve.day("contract end", row.get("contract_ends_on")),
        assessment_on=sieve.day("next service assessment", row.get("assessment_on")),
        budget=_budget(row.get("budget"), sieve),
        collaboration=_collaboration(row.get("collaboration"), sieve),
        department=sieve.line("department", row.get("department")),
        contact_name=sieve.line("contact", row.get("contact_name")) or taking_part,
        contact_email=sieve.email("contact email", row.get("contact_email")),
        capability=sieve.line("capability", row.get("capability"), 60),
        business_area=sieve.line("business area", row.get("business_area"), 60),
        lgsl=_number(row.get("lgsl"), sieve),
        tags=_words("tags", row, sieve, table),
        technologies=_words("technologies", row, sieve, table),
        skills=_words("skills", row, sieve, table),
        links=_links(row, sieve, table),
    )


def _links(row: Row, sieve: Sieve, table: Table) -> tuple[Link, ...]:
    """The address in an export is the project's own here, and leads to no other place."""
    columns = [("website", LinkKind.website), ("repository", LinkKind.repository)]
    given = columns if table.is_export else [*columns, ("url", LinkKind.other)]
    links: dict[str, Link] = {}
    for name, kind in given:
        url = sieve.address(name, row.get(name))
        if url:
            links.setdefault(url, Link(kind, url))
    return tuple(links.values())


def _words(name: str, row: Row, sieve: Sieve, table: Table) -> tuple[str, ...]:
    text = row.get(name)
    # In a word of ours may be a semicolon.
    listed = words(text if table.is_export else text.replace(";", ","))
    nothing = NOTHING | NO_TECHNOLOGY if name == "technologies" else NOTHING
    return sieve.words(name, (each for each in listed if each.casefold() not in nothing))


def _number(plain: str, sieve: Sieve) -> int | None:
    if plain.isascii() and plain.isdigit() and len(plain) < 6 and 0 < int(plain) <= LARGEST_NUMBER:
        return int(plain)
    if plain:
        sieve.without("LGSL", plain)
    return None


def _budget(text: str, sieve: Sieve) -> Budget | None:
    if text.casefold() in NOTHING | {"unknown"}:
        return None
    band = band_of(text)
    if band is None:
        sieve.without("budget", text)
    return band


def _collaboration(text: str, sieve: Sieve) -> Collaboration | None:
    word = "-".join(text.casefold().replace("-", " ").split())
    if word in list(Collaboration):
        return Collaboration(word)
    if word not in NOTHING | {"unknown"}:
        sieve.without("collaboration level", text)
    return None


def _updates(text: str, sieve: Sieve) -> tuple[tuple[Earlier, ...], str]:
    """What was told before, a line each, in the order of its days; what has no day is work that is
    done already.
    """
    dated: list[Earlier] = []
    undated: list[str] = []
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    if len(lines) > MOST_UPDATES:
        sieve.note(say("only the first %(count)s updates are imported", count=MOST_UPDATES))
    for line in lines[:MOST_UPDATES]:
        found = DATED.fullmatch(line)
        day = Sieve().day("", found["day"]) if found else None
        if found and day and day <= date.today():  # noqa: DTZ011 -- days of files have no zone
            told = sieve.prose("updates", to_text(found["text"]), 10_000)
            dated.append(Earlier(day, told))
        else:
            undated.append(to_text(line))
    if dated:
        sieve.note(say_count("%(num)s earlier update", "%(num)s earlier updates", len(dated)))
    if undated:
        sieve.note(
            say_count(
                "%(num)s update without a date added to “Work already done”",
                "%(num)s updates without a date added to “Work already done”",
                len(undated),
            )
        )
    in_order = tuple(sorted(dated, key=lambda each: each.on))
    return in_order, sieve.prose("updates", bullets("Earlier updates", undated), 10_000)
