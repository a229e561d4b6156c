"""Projects in tables: a spreadsheet of anybody's, our own export, and what the old Pipeline gave as
CSV and as XML. Pure.

A row is a mapping from the name of a field to its text. Columns are known by many names: letters
and figures alone count.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import Element

import nh3

from node import markup
from node.errors import InvalidInputError
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
from node.projects.writing import LANGUAGES, Text
from node.wording import say, say_count

MOST_ROWS = 2_000
NAMES = {
    "title": "title name projecttitle projectname project",
    "summary": "summary shortdescription",
    "description": "content contentashtml description htmldescription brief text",
    "phase": "phase status projectstatus stage",
    "starts_on": "start startdate projectstart projectstartdate startson",
    "ends_on": "end enddate projectend projectenddate endson",
    "estimated": "estimated projectestimatedtime estimatedtime datesestimated",
    "assessment_on": "nextserviceassessmentdate nextserviceassessment assessmentdate assessmenton"
    " nextassessment",
    "contract_ends_on": "contractends contractend contractendson contractenddate",
    "technologies": "programminglanguage projectlanguage technologies technology",
    "language": "language textlanguage",
    "organisation": "organisation organization organisationname orgname council",
    "department": "department",
    "contact_name": "owner contactname contact namedcontact",
    "contact_email": "owneremail contactemail email",
    "collaboration": "collaborationlevel collaboration levelofcollaboration",
    "budget": "fundingboundarytext fundingboundary budget budgetband funding",
    "tags": "tags rawtags",
    "skills": "skills skillswanted",
    "capability": "capability",
    "business_area": "businessarea",
    "lgsl": "lgsl lgslid",
    "website": "website",
    "repository": "repository",
    "updates": "updates statusupdates",
    "watchers": "watchers watcher",
    "contributors": "contributors contributor",
    "people": "relationships rellist rel",
    "versions": "versionhistory versions history",
    "source": "url uri address link",
    "id": "id pageid",
}
FIELDS = {alias: field for field, aliases in NAMES.items() for alias in aliases.split()}
# What the program said of itself: nobody misses it.
PASSED_OVER = frozenset(
    [
        "createdby",
        "createdon",
        "modifiedby",
        "modifiedon",
        "modifiedonwithoffset",
        "created",
        "creator",
        "editor",
        "edited",
        "lastupdated",
        "isnew",
        "orgid",
        "previoustitle",
        "encodedtitle",
        "versionnumber",
        "islocked",
        "iscacheable",
        "pluginheadhtml",
        "pluginfooterhtml",
        "pluginprecontainer",
        "pluginpostcontainer",
        "objectid",
        "published",
        "changed",
        "visibility",
        "freshness",
        "reviewdue",
        "page",
    ]
)
# Of one project so many are read.
MOST_UPDATES = 200
# A status update begins with its day.
DATED = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d|\d\d?[/-]\d\d?[/-]\d{4}|\d\d? [A-Za-z]{3,9} \d{4})"
    r"(?:[T ]\d\d?:\d\d\S*)?[\s:–-]+(?P<text>\S.*)"
)
YES = frozenset({"true", "yes", "y", "1"})
# A cell that a spreadsheet would calculate is written with this before it.
GUARD = re.compile(r"^'(?=[=+\-@\t\r])")
Row = Mapping[str, str]


def read_csv(text: str) -> list[Found]:
    """A project for each row under the row of names. Raises `InvalidInputError`."""
    lines = csv.reader(text.splitlines(keepends=True), _dialect(text), strict=True)
    try:
        rows = [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InvalidInputError(say("It is not valid CSV: %(problem)s.", problem=error)) from error
    if not rows:
        raise InvalidInputError(say("It is empty."))
    names, *rest = rows
    if "title" not in map(_field, names):
        raise InvalidInputError(say("Its first line names no column “Title”."))
    return _read(_cells(names, row, number) for number, row in enumerate(rest, 2))


def _dialect(text: str) -> type[csv.Dialect]:
    """Commas, or the semicolons and tabs of other countries' spreadsheets."""
    first = text.partition("\n")[0]

    class Spoken(csv.excel):
        delimiter = max(",;\t", key=first.count)
        skipinitialspace = True

    return Spoken


def _cells(names: Sequence[str], row: Sequence[str], number: int) -> dict[str, str]:
    if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
        raise InvalidInputError(
            say("Row %(number)s has more cells than there are columns.", number=number)
        )
    return dict(zip(names, (GUARD.sub("", cell) for cell in row), strict=False))


def read_xml(root: Element) -> list[Found]:
    """A project for each element that has a title. Raises `InvalidInputError`."""
    projects = [root] if _title_in(root) else [each for each in root if _title_in(each)]
    if not projects:
        raise InvalidInputError(say("It holds no projects: no element has a title in it."))
    return _read(_parts(each) for each in projects)


def _title_in(element: Element) -> bool:
    return any(_field(_name(part)) == "title" and not len(part) for part in element)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _parts(element: Element) -> dict[str, str]:
    """The texts in an element; what is in parts itself becomes a line for each part."""
    found = dict(element.attrib)
    for part in element:
        name = _name(part)
        nested = {_field(_name(each)): each for each in part}
        if _key(name) == "orgcontactdetails" and "organisation" in nested:
            name, text = "organisation", nested["organisation"].text or ""
        elif len(part):
            text = "\n".join(_worded(each) for each in part)
        else:
            text = part.text or ""
        found[name] = f"{found[name]}\n{text}" if found.get(name) else text
    return found


def _worded(element: Element) -> str:
    return " ".join(" ".join([*element.attrib.values(), *element.itertext()]).split())


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _field(name: str) -> str:
    return FIELDS.get(_key(name), "")


def _read(rows: Iterator[dict[str, str]]) -> list[Found]:
    found = []
    for number, given in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise InvalidInputError(
                say("It holds more than %(count)s projects: divide it.", count=f"{MOST_ROWS:,}")
            )
        row: dict[str, str] = {}
        strange: dict[str, str] = {}
        for name, text in given.items():
            field = _field(name)
            if field:
                row[field] = row.get(field) or text
            elif _key(name) not in PASSED_OVER:
                strange[name] = text.strip()
        found.append(_project(row, strange))
    if not found:
        raise InvalidInputError(say("It holds no projects."))
    return found


def _project(row: Row, strange: Row) -> Found:
    sieve = Sieve()
    title = sieve.line("title", row.get("title"))
    description = _markdown(row.get("description", ""), sieve)
    given = row.get("summary", "").strip() or _first_sentence(description)
    summary, whole = sieve.summary("summary", given or title)
    if not given and title:
        sieve.note(say("no description: the title stands for the summary"))
    tag = row.get("language", "").strip().casefold()[:2]
    named = people(*(row.get(name, "") for name in ("watchers", "contributors", "people")))
    if named:
        sieve.note(
            say_count(
                "%(num)s watcher or contributor kept with the import",
                "%(num)s watchers and contributors kept with the import",
                len(named),
            )
        )
    if row.get("versions", "").strip():
        sieve.note(say("not carried over: version history"))
    sieve.unused(strange, ())
    earlier, undated = _updates(row.get("updates", ""), sieve)
    return Found(
        Text(
            title,
            summary,
            sieve.phase("status", row.get("phase")).value,
            paragraphs("" if whole in description else whole, description),
            language=tag if tag in LANGUAGES else LANGUAGES[0],
            details=replace(_details(row, sieve, contributor(named)), work_done=undated),
        ),
        updates=earlier,
        people=named,
        source=_source(row),
        notes=sieve.notes,
        organisation=sieve.line("organisation", row.get("organisation"), 300),
        is_whole=bool(given),
    )


def _source(row: Row) -> str:
    found = Sieve().address("url", row.get("source"))
    number = row.get("id", "").strip()
    return found or (f"pipeline:{number}" if number.isascii() and number.isdigit() else "")


def _details(row: Row, sieve: Sieve, taking_part: str) -> Details:
    estimated = row.get("estimated", "").strip().casefold() in YES
    starts_on = sieve.day("start", row.get("starts_on"))
    ends_on = sieve.day("end", row.get("ends_on"))
    if starts_on and ends_on and ends_on < starts_on:
        sieve.note(say("the end is before the start: left out"))
        ends_on = None
    return Details(
        starts_on=starts_on,
        start_is_estimated=estimated and starts_on is not None,
        ends_on=ends_on,
        end_is_estimated=estimated and ends_on is not None,
        contract_ends_on=sieve.day("contract end", row.get("contract_ends_on")),
        assessment_on=sieve.day("next service assessment", row.get("assessment_on")),
        budget=_budget(row.get("budget", ""), sieve),
        collaboration=_collaboration(row.get("collaboration", ""), sieve),
        department=sieve.line("department", row.get("department")),
        contact_name=sieve.line("contact", row.get("contact_name")) or taking_part,
        contact_email=sieve.email("contact email", row.get("contact_email")),
        capability=sieve.line("capability", row.get("capability"), 60),
        business_area=sieve.line("business area", row.get("business_area"), 60),
        lgsl=_number(row.get("lgsl", ""), sieve),
        tags=_words("tags", row, sieve),
        technologies=_words("technologies", row, sieve),
        skills=_words("skills", row, sieve),
        links=tuple(
            Link(LinkKind(kind), url)
            for kind in ("website", "repository")
            if (url := sieve.address(kind, row.get(kind)))
        ),
    )


def _words(name: str, row: Row, sieve: Sieve) -> tuple[str, ...]:
    said = words(row.get(name, "").replace(";", ","))
    return sieve.words(name, (each for each in said if each.casefold() not in NOTHING))


def _number(text: str, sieve: Sieve) -> int | None:
    plain = text.strip()
    if plain.isascii() and plain.isdigit() and len(plain) < 6 and 0 < int(plain) <= LARGEST_NUMBER:
        return int(plain)
    if plain:
        sieve.without("LGSL", plain)
    return None


def _budget(text: str, sieve: Sieve) -> Budget | None:
    """The band that a text such as “£50-100k” or our own word stands for."""
    plain = re.sub(r"[£,\s]", "", text.casefold()).replace("to", "-").replace("–", "-")
    if plain in {"", "unknown", "none"}:
        return None
    bands = {
        (int(low or 0), int(high) * (1000 if scale == "m" else 1)): band
        for band in Budget
        if (found := re.fullmatch(r"(\d+)k?-(\d+)([km])", band.value))
        for low, high, scale in (found.groups(),)
    }
    found = re.fullmatch(r"(\d+)(000|k)?-(\d+)(000000|000|k|m)?", plain)
    if found:
        high = int(found[3]) * (1000 if found[4] in {"m", "000000"} else 1)
        if (int(found[1]), high) in bands:
            return bands[int(found[1]), high]
    if plain in {"over-1m", "1m+", "over1m", ">1m"}:
        return Budget.over_1m
    sieve.without("budget", text)
    return None


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
    for line in [each.strip() for each in text.splitlines() if each.strip()][:MOST_UPDATES]:
        found = DATED.fullmatch(line)
        day = Sieve().day("", found["day"]) if found else None
        if found and day and day <= date.today():  # noqa: DTZ011 -- days of files have no zone
            told = sieve.prose("updates", nh3.clean(found["text"], tags=set()), 10_000)
            dated.append(Earlier(day, told))
        else:
            undated.append(nh3.clean(line, tags=set()))
    if dated:
        sieve.note(say_count("%(num)s earlier update", "%(num)s earlier updates", len(dated)))
    if undated:
        sieve.note(
            say_count(
                "%(num)s update without a day kept under “Work already done”",
                "%(num)s updates without a day kept under “Work already done”",
                len(undated),
            )
        )
    in_order = tuple(sorted(dated, key=lambda each: each.on))
    return in_order, sieve.prose("updates", bullets("Earlier updates", undated), 10_000)


def _markdown(text: str, sieve: Sieve) -> str:
    """HTML as Markdown; other text as it is."""
    if re.search(r"</?[a-zA-Z][^>]{0,500}>", text) is None:
        return sieve.prose("description", text, 40_000)
    clean = nh3.clean(
        text[:200_000],
        tags=set(markup.TAGS) | {"h1", "img"},
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=None,
    )
    if not markup.is_well_nested(clean):
        sieve.note(say("description kept without its formatting: its HTML is nested too deeply"))
        return sieve.prose("description", nh3.clean(text[:200_000], tags=set()), 40_000)
    from markdownify import markdownify  # noqa: PLC0415 -- few nodes ever need it, and it is large

    # h1 is the title's: nothing in a brief stands as high.
    lower = re.sub(r"(</?)h1\b", r"\1h2", clean)
    written = markdownify(lower, heading_style="ATX", bullets="-", strip=["img", "span"])
    return sieve.prose("description", re.sub(r"\n{3,}", "\n\n", written), 40_000)


def _first_sentence(description: str) -> str:
    """The beginning of a brief, as plain words; a heading is none."""
    told = re.sub(r"^#+ .*$", "", description[:2_000], flags=re.MULTILINE)
    plain = re.sub(r"[*_`#>]+|!?\[([^\]]*)\]\([^)]*\)", r"\1", told)
    paragraph = next((part for part in plain.split("\n\n") if part.strip()), "")
    words_of_it = " ".join(paragraph.split())
    return re.split(r"(?<=[.!?])\s", words_of_it, maxsplit=1)[0]
