"""publiccode.yml: what public bodies say of their software (versions 0.1 to 0.7). Pure.

Files in the wild are read with forbearance: what a project cannot hold, and what is not as the
standard has it, is noted.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from node.importing.found import Found, Sieve, bullets, mapping, mappings, paragraphs, texts
from node.projects.details import MOST, Adopter, Details, Link, LinkKind, Output
from node.projects.writing import LANGUAGES, LONGEST, Text
from node.wording import say

MARK = "publiccodeYmlVersion"
# How the languages of a node are written in other standards.
TAGS = {"eng": "en", "cym": "cy", "wel": "cy"}
USED = (
    MARK,
    "name",
    "url",
    "landingURL",
    "isBasedOn",
    "softwareVersion",
    "releaseDate",
    "platforms",
    "categories",
    "usedBy",
    "roadmap",
    "developmentStatus",
    "softwareType",
    "description",
    "legal",
    "maintenance",
    "dependsOn",
)
USED_OF_DESCRIPTION = (
    "localisedName",
    "genericName",
    "shortDescription",
    "longDescription",
    "features",
    "documentation",
    "apiDocumentation",
)


def is_publiccode(document: Any) -> bool:
    return isinstance(document, Mapping) and MARK in document


def read(document: Mapping[str, Any]) -> Found:
    """The project that a publiccode.yml describes."""
    sieve = Sieve()
    written, language, others = _languages(document, sieve)
    text = _described(written, language, sieve)
    title = sieve.line("name", document.get("name")) or text.title
    if text.title and text.title != title:
        sieve.note(
            say(
                "localisedName “%(name)s” not imported: it differs from the name",
                name=text.title[:40],
            )
        )
    is_ours = language in LANGUAGES
    if not is_ours:
        sieve.note(
            say("written in “%(language)s”: translate it into English or Welsh", language=language)
            if written
            else say("no description")
        )
    source = sieve.address("url", document.get("url"))
    details = _details(document, written, title, source, sieve)
    _note_unused(document, written, sieve)
    return Found(
        replace(
            text,
            title=title,
            phase=sieve.phase("developmentStatus", document.get("developmentStatus")).value,
            language=language if is_ours else LANGUAGES[0],
            details=details,
            translations={tag: _said(_described(said, tag, sieve)) for tag, said in others.items()},
        ),
        source=source,
        notes=sieve.notes,
        is_whole=is_ours,
        assumed=frozenset(
            () if sieve.knows_phase(document.get("developmentStatus")) else {"phase"}
        ),
    )


def _languages(
    document: Mapping[str, Any], sieve: Sieve
) -> tuple[Mapping[str, Any], str, dict[str, Mapping[str, Any]]]:
    """The description that is the text, its language, and those that are translations of it."""
    known: dict[str, Mapping[str, Any]] = {}
    foreign: dict[str, Mapping[str, Any]] = {}
    for name, said in mapping(document.get("description")).items():
        if isinstance(said, Mapping) and said:
            short = str(name).casefold().partition("-")[0]
            tag = TAGS.get(short, short)
            (known if tag in LANGUAGES else foreign).setdefault(tag, said)
    if not known:
        tag, said = next(iter(foreign.items()), ("", {}))
        known = {tag: said}
        foreign.pop(tag, None)
    if foreign:
        sieve.note(
            say(
                "descriptions in these languages not imported: %(languages)s",
                languages=", ".join(list(foreign)[:20]),
            )
        )
    (language, written), *others = known.items()
    return written, language, dict(others)


def _described(said: Mapping[str, Any], language: str, sieve: Sieve) -> Text:
    """Title, summary and brief in one language."""
    short = said.get("shortDescription") or said.get("genericName")
    summary, whole = sieve.summary("shortDescription", short)
    long = sieve.prose("longDescription", said.get("longDescription"), LONGEST["brief"] // 2)
    features = [sieve.line("features", each, 500) for each in texts(said.get("features"))[:100]]
    heading = "Nodweddion" if language == "cy" else "Features"
    brief = paragraphs(whole, long, bullets(heading, features))
    title = sieve.line("localisedName", said.get("localisedName"))
    return Text(title, summary, "", brief)


def _said(text: Text) -> dict[str, str]:
    parts = {"title": text.title, "summary": text.summary, "brief": text.brief}
    return {name: value for name, value in parts.items() if value}


def _details(
    document: Mapping[str, Any],
    written: Mapping[str, Any],
    title: str,
    source: str,
    sieve: Sieve,
) -> Details:
    maintenance = mapping(document.get("maintenance"))
    contacts = mappings(maintenance.get("contacts"))
    first = contacts[0] if contacts else {}
    if len(contacts) > 1:
        sieve.note(
            say("the file has %(count)s contacts: only the first is imported", count=len(contacts))
        )
    sieve.unused(first, ("name", "email", "affiliation"))
    return Details(
        contact_name=sieve.line("contacts", first.get("name")),
        contact_email=sieve.email("contacts", first.get("email")),
        department=sieve.line("affiliation", first.get("affiliation")),
        tags=sieve.words("categories", texts(document.get("categories"))),
        technologies=sieve.words("dependsOn", _depends_on(document)),
        links=_links(document, written, source, sieve),
        outputs=(_output(document, title, source, sieve),) if title else (),
    )


def _depends_on(document: Mapping[str, Any]) -> list[Any]:
    groups = mapping(document.get("dependsOn")).values()
    return [each.get("name") for group in groups for each in mappings(group)]


def _links(
    document: Mapping[str, Any], written: Mapping[str, Any], source: str, sieve: Sieve
) -> tuple[Link, ...]:
    """What stands elsewhere, each address once."""
    based_on = texts(document.get("isBasedOn"))
    given = (
        (LinkKind.website, document.get("landingURL"), "landingURL", ""),
        (LinkKind.other, written.get("documentation"), "documentation", "Documentation"),
        (LinkKind.other, written.get("apiDocumentation"), "apiDocumentation", "API documentation"),
        (LinkKind.other, document.get("roadmap"), "roadmap", "Roadmap"),
        *((LinkKind.other, url, "isBasedOn", "Based on") for url in based_on[:5]),
    )
    found = {source: Link(LinkKind.repository, source)} if source else {}
    for kind, value, name, title in given:
        url = sieve.address(name, value)
        if url:
            found.setdefault(url, Link(kind, url, title))
    return tuple(found.values())


def _output(document: Mapping[str, Any], title: str, source: str, sieve: Sieve) -> Output:
    """The software itself is what everybody gets."""
    version = sieve.line("softwareVersion", document.get("softwareVersion"), 60)
    released = sieve.day("releaseDate", document.get("releaseDate"))
    kind = sieve.line("softwareType", document.get("softwareType"), 60)
    platforms = sieve.words("platforms", texts(document.get("platforms")))
    about = (
        kind,
        ", ".join(platforms),
        f"version {version}" if version else "",
        f"released {released.isoformat()}" if released else "",
    )
    names = (sieve.line("usedBy", each, 300) for each in texts(document.get("usedBy")))
    users = list({name.casefold(): name for name in names if name}.values())
    if len(users) > MOST:
        sieve.note(
            say(
                "%(name)s has %(all)s values: only the first %(count)s are imported",
                count=MOST,
                all=len(users),
                name="usedBy",
            )
        )
    return Output(
        title=title,
        about="; ".join(part for part in about if part)[:1000],
        licence=sieve.line("license", mapping(document.get("legal")).get("license"), 100),
        url=source,
        adopters=tuple(Adopter(name) for name in users[:MOST]),
    )


def _note_unused(document: Mapping[str, Any], written: Mapping[str, Any], sieve: Sieve) -> None:
    rest: dict[str, Any] = {name: value for name, value in document.items() if name not in USED}
    rest |= {
        name: value
        for name, value in mapping(document.get("legal")).items()
        if name not in {"license"}
    }
    rest |= {
        name: value
        for name, value in mapping(document.get("maintenance")).items()
        if name not in {"contacts"}
    }
    rest |= {name: value for name, value in written.items() if name not in USED_OF_DESCRIPTION}
    sieve.unused(rest, ())
