"""publiccode.yml: what public bodies say of their software (versions 0.1 to 0.7). Pure.

Files in the wild are read with forbearance: what a project cannot hold, and what is not as the
standard has it, is noted.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from node.importing.parsed_project import (
    FieldCleaner,
    ParsedProject,
    as_mapping,
    as_mappings,
    as_texts,
    bullets,
    paragraphs,
)
from node.messages import msg
from node.projects.details import MAX_ITEMS, Adopter, Details, LinkKind, Output, ProjectLink
from node.projects.validation import MAX_LENGTHS, TEXT_LANGUAGES, ProjectInput

VERSION_KEY = "publiccodeYmlVersion"
# How the languages of a node are written in other standards.
LANGUAGE_TAGS = {"eng": "en", "cym": "cy", "wel": "cy"}
USED_KEYS = (
    VERSION_KEY,
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
USED_DESCRIPTION_KEYS = (
    "localisedName",
    "genericName",
    "shortDescription",
    "longDescription",
    "features",
    "documentation",
    "apiDocumentation",
)


def is_publiccode(document: Any) -> bool:
    return isinstance(document, Mapping) and VERSION_KEY in document


def parse(document: Mapping[str, Any]) -> ParsedProject:
    """The project that a publiccode.yml describes."""
    sieve = FieldCleaner()
    written, language, others = _split_languages(document, sieve)
    text = _parse_description(written, language, sieve)
    title = sieve.line("name", document.get("name")) or text.title
    if text.title and text.title != title:
        sieve.add_note(
            msg(
                "localisedName “%(name)s” not imported: it differs from the name",
                name=text.title[:40],
            )
        )
    is_ours = language in TEXT_LANGUAGES
    if not is_ours:
        sieve.add_note(
            msg("written in “%(language)s”: translate it into English or Welsh", language=language)
            if written
            else msg("no description")
        )
    source = sieve.url("url", document.get("url"))
    details = _details(document, written, title, source, sieve)
    _note_unused(document, written, sieve)
    return ParsedProject(
        replace(
            text,
            title=title,
            phase=sieve.phase("developmentStatus", document.get("developmentStatus")).value,
            language=language if is_ours else TEXT_LANGUAGES[0],
            details=details,
            translations={
                tag: _to_translation(_parse_description(said, tag, sieve))
                for tag, said in others.items()
            },
        ),
        source=source,
        notes=sieve.notes,
        is_complete=is_ours,
        assumed=frozenset(
            () if sieve.is_known_phase(document.get("developmentStatus")) else {"phase"}
        ),
    )


def _split_languages(
    document: Mapping[str, Any], sieve: FieldCleaner
) -> tuple[Mapping[str, Any], str, dict[str, Mapping[str, Any]]]:
    """The description that is the text, its language, and those that are translations of it."""
    known: dict[str, Mapping[str, Any]] = {}
    foreign: dict[str, Mapping[str, Any]] = {}
    for name, said in as_mapping(document.get("description")).items():
        if isinstance(said, Mapping) and said:
            short = str(name).casefold().partition("-")[0]
            tag = LANGUAGE_TAGS.get(short, short)
            (known if tag in TEXT_LANGUAGES else foreign).setdefault(tag, said)
    if not known:
        tag, said = next(iter(foreign.items()), ("", {}))
        known = {tag: said}
        foreign.pop(tag, None)
    if foreign:
        sieve.add_note(
            msg(
                "descriptions in these languages not imported: %(languages)s",
                languages=", ".join(list(foreign)[:20]),
            )
        )
    (language, written), *others = known.items()
    return written, language, dict(others)


def _parse_description(said: Mapping[str, Any], language: str, sieve: FieldCleaner) -> ProjectInput:
    """Title, summary and brief in one language."""
    short = said.get("shortDescription") or said.get("genericName")
    summary, whole = sieve.summary("shortDescription", short)
    long = sieve.prose("longDescription", said.get("longDescription"), MAX_LENGTHS["brief"] // 2)
    features = [sieve.line("features", each, 500) for each in as_texts(said.get("features"))[:100]]
    heading = "Nodweddion" if language == "cy" else "Features"
    brief = paragraphs(whole, long, bullets(heading, features))
    title = sieve.line("localisedName", said.get("localisedName"))
    return ProjectInput(title, summary, "", brief)


def _to_translation(text: ProjectInput) -> dict[str, str]:
    parts = {"title": text.title, "summary": text.summary, "brief": text.brief}
    return {name: value for name, value in parts.items() if value}


def _details(
    document: Mapping[str, Any],
    written: Mapping[str, Any],
    title: str,
    source: str,
    sieve: FieldCleaner,
) -> Details:
    maintenance = as_mapping(document.get("maintenance"))
    contacts = as_mappings(maintenance.get("contacts"))
    first = contacts[0] if contacts else {}
    if len(contacts) > 1:
        sieve.add_note(
            msg("the file has %(count)s contacts: only the first is imported", count=len(contacts))
        )
    sieve.note_unused(first, ("name", "email", "affiliation"))
    return Details(
        contact_name=sieve.line("contacts", first.get("name")),
        contact_email=sieve.email("contacts", first.get("email")),
        department=sieve.line("affiliation", first.get("affiliation")),
        tags=sieve.word_list("categories", as_texts(document.get("categories"))),
        technologies=sieve.word_list("dependsOn", _dependency_names(document)),
        links=_links(document, written, source, sieve),
        outputs=(_output(document, title, source, sieve),) if title else (),
    )


def _dependency_names(document: Mapping[str, Any]) -> list[Any]:
    groups = as_mapping(document.get("dependsOn")).values()
    return [each.get("name") for group in groups for each in as_mappings(group)]


def _links(
    document: Mapping[str, Any], written: Mapping[str, Any], source: str, sieve: FieldCleaner
) -> tuple[ProjectLink, ...]:
    """What stands elsewhere, each address once."""
    based_on = as_texts(document.get("isBasedOn"))
    given = (
        (LinkKind.website, document.get("landingURL"), "landingURL", ""),
        (LinkKind.other, written.get("documentation"), "documentation", "Documentation"),
        (LinkKind.other, written.get("apiDocumentation"), "apiDocumentation", "API documentation"),
        (LinkKind.other, document.get("roadmap"), "roadmap", "Roadmap"),
        *((LinkKind.other, url, "isBasedOn", "Based on") for url in based_on[:5]),
    )
    found = {source: ProjectLink(LinkKind.repository, source)} if source else {}
    for kind, value, name, title in given:
        url = sieve.url(name, value)
        if url:
            found.setdefault(url, ProjectLink(kind, url, title))
    return tuple(found.values())


def _output(document: Mapping[str, Any], title: str, source: str, sieve: FieldCleaner) -> Output:
    """The software itself is what everybody gets."""
    version = sieve.line("softwareVersion", document.get("softwareVersion"), 60)
    released = sieve.date("releaseDate", document.get("releaseDate"))
    kind = sieve.line("softwareType", document.get("softwareType"), 60)
    platforms = sieve.word_list("platforms", as_texts(document.get("platforms")))
    about = (
        kind,
        ", ".join(platforms),
        f"version {version}" if version else "",
        f"released {released.isoformat()}" if released else "",
    )
    names = (sieve.line("usedBy", each, 300) for each in as_texts(document.get("usedBy")))
    users = list({name.casefold(): name for name in names if name}.values())
    if len(users) > MAX_ITEMS:
        sieve.add_note(
            msg(
                "%(name)s has %(all)s values: only the first %(count)s are imported",
                count=MAX_ITEMS,
                all=len(users),
                name="usedBy",
            )
        )
    return Output(
        title=title,
        about="; ".join(part for part in about if part)[:1000],
        licence=sieve.line("license", as_mapping(document.get("legal")).get("license"), 100),
        url=source,
        adopters=tuple(Adopter(name) for name in users[:MAX_ITEMS]),
    )


def _note_unused(
    document: Mapping[str, Any], written: Mapping[str, Any], sieve: FieldCleaner
) -> None:
    rest: dict[str, Any] = {
        name: value for name, value in document.items() if name not in USED_KEYS
    }
    rest |= {
        name: value
        for name, value in as_mapping(document.get("legal")).items()
        if name not in {"license"}
    }
    rest |= {
        name: value
        for name, value in as_mapping(document.get("maintenance")).items()
        if name not in {"contacts"}
    }
    rest |= {name: value for name, value in written.items() if name not in USED_DESCRIPTION_KEYS}
    sieve.note_unused(rest, ())
