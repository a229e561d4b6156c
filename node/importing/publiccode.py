"""Reads publiccode.yml, metadata of public bodies' software (versions 0.1 to 0.7). Pure.

Real files are read leniently: values that violate the standard, or for which a project has no
field, are noted.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from node.importing.parsed_project import (
    FieldCleaner,
    ParsedProject,
    bullet_section,
    join_paragraphs,
    to_mapping,
    to_mappings,
    to_texts,
)
from node.messages import msg
from node.projects.details import MAX_ITEMS, Adopter, Details, LinkKind, Output, ProjectLink
from node.projects.validation import MAX_LENGTHS, TEXT_LANGUAGES, ProjectInput

VERSION_KEY = "publiccodeYmlVersion"
# Three-letter codes (ISO 639-2) of our languages.
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
    cleaner = FieldCleaner()
    main_description, language, others = _split_languages(document, cleaner)
    text = _parse_description(main_description, language, cleaner)
    title = cleaner.line("name", document.get("name")) or text.title
    if text.title and text.title != title:
        cleaner.add_note(
            msg(
                "localisedName “%(name)s” not imported: it differs from the name",
                name=text.title[:40],
            )
        )
    is_ours = language in TEXT_LANGUAGES
    if not is_ours:
        cleaner.add_note(
            msg("written in “%(language)s”: translate it into English or Welsh", language=language)
            if main_description
            else msg("no description")
        )
    source = cleaner.url("url", document.get("url"))
    details = _parse_details(document, main_description, title, source, cleaner)
    _note_unused(document, main_description, cleaner)
    return ParsedProject(
        replace(
            text,
            title=title,
            phase=cleaner.phase("developmentStatus", document.get("developmentStatus")).value,
            language=language if is_ours else TEXT_LANGUAGES[0],
            details=details,
            translations={
                tag: _to_translation(_parse_description(translation, tag, cleaner))
                for tag, translation in others.items()
            },
        ),
        source=source,
        notes=cleaner.notes,
        is_complete=is_ours,
        assumed=frozenset(
            () if cleaner.is_known_phase(document.get("developmentStatus")) else {"phase"}
        ),
    )


def _split_languages(
    document: Mapping[str, Any], cleaner: FieldCleaner
) -> tuple[Mapping[str, Any], str, dict[str, Mapping[str, Any]]]:
    """The main description, its language tag, and the translations by language tag."""
    known: dict[str, Mapping[str, Any]] = {}
    foreign: dict[str, Mapping[str, Any]] = {}
    for name, description in to_mapping(document.get("description")).items():
        if isinstance(description, Mapping) and description:
            short = str(name).casefold().partition("-")[0]
            tag = LANGUAGE_TAGS.get(short, short)
            (known if tag in TEXT_LANGUAGES else foreign).setdefault(tag, description)
    if not known:
        tag, description = next(iter(foreign.items()), ("", {}))
        known = {tag: description}
        foreign.pop(tag, None)
    if foreign:
        cleaner.add_note(
            msg(
                "descriptions in these languages not imported: %(languages)s",
                languages=", ".join(list(foreign)[:20]),
            )
        )
    (language, main_description), *others = known.items()
    return main_description, language, dict(others)


def _parse_description(
    description: Mapping[str, Any], language: str, cleaner: FieldCleaner
) -> ProjectInput:
    """Title, summary and brief in one language."""
    short = description.get("shortDescription") or description.get("genericName")
    summary, full_text = cleaner.summary("shortDescription", short)
    long = cleaner.prose(
        "longDescription", description.get("longDescription"), MAX_LENGTHS["brief"] // 2
    )
    features = [
        cleaner.line("features", feature, 500)
        for feature in to_texts(description.get("features"))[:100]
    ]
    heading = "Nodweddion" if language == "cy" else "Features"
    brief = join_paragraphs(full_text, long, bullet_section(heading, features))
    title = cleaner.line("localisedName", description.get("localisedName"))
    return ProjectInput(title, summary, "", brief)


def _to_translation(text: ProjectInput) -> dict[str, str]:
    parts = {"title": text.title, "summary": text.summary, "brief": text.brief}
    return {name: value for name, value in parts.items() if value}


def _parse_details(
    document: Mapping[str, Any],
    main_description: Mapping[str, Any],
    title: str,
    source: str,
    cleaner: FieldCleaner,
) -> Details:
    maintenance = to_mapping(document.get("maintenance"))
    contacts = to_mappings(maintenance.get("contacts"))
    first = contacts[0] if contacts else {}
    if len(contacts) > 1:
        cleaner.add_note(
            msg("the file has %(count)s contacts: only the first is imported", count=len(contacts))
        )
    cleaner.note_unused(first, ("name", "email", "affiliation"))
    return Details(
        contact_name=cleaner.line("contacts", first.get("name")),
        contact_email=cleaner.email("contacts", first.get("email")),
        department=cleaner.line("affiliation", first.get("affiliation")),
        tags=cleaner.word_list("categories", to_texts(document.get("categories"))),
        technologies=cleaner.word_list("dependsOn", _dependency_names(document)),
        links=_parse_links(document, main_description, source, cleaner),
        outputs=(_parse_output(document, title, source, cleaner),) if title else (),
    )


def _dependency_names(document: Mapping[str, Any]) -> list[Any]:
    groups = to_mapping(document.get("dependsOn")).values()
    return [dependency.get("name") for group in groups for dependency in to_mappings(group)]


def _parse_links(
    document: Mapping[str, Any],
    main_description: Mapping[str, Any],
    source: str,
    cleaner: FieldCleaner,
) -> tuple[ProjectLink, ...]:
    """The links to other sites, without duplicates."""
    based_on = to_texts(document.get("isBasedOn"))
    candidates = (
        (LinkKind.website, document.get("landingURL"), "landingURL", ""),
        (LinkKind.other, main_description.get("documentation"), "documentation", "Documentation"),
        (
            LinkKind.other,
            main_description.get("apiDocumentation"),
            "apiDocumentation",
            "API documentation",
        ),
        (LinkKind.other, document.get("roadmap"), "roadmap", "Roadmap"),
        *((LinkKind.other, url, "isBasedOn", "Based on") for url in based_on[:5]),
    )
    links = {source: ProjectLink(LinkKind.repository, source)} if source else {}
    for kind, value, name, title in candidates:
        url = cleaner.url(name, value)
        if url:
            links.setdefault(url, ProjectLink(kind, url, title))
    return tuple(links.values())


def _parse_output(
    document: Mapping[str, Any], title: str, source: str, cleaner: FieldCleaner
) -> Output:
    """The software itself, as an output for reuse."""
    version = cleaner.line("softwareVersion", document.get("softwareVersion"), 60)
    released = cleaner.date("releaseDate", document.get("releaseDate"))
    kind = cleaner.line("softwareType", document.get("softwareType"), 60)
    platforms = cleaner.word_list("platforms", to_texts(document.get("platforms")))
    about = (
        kind,
        ", ".join(platforms),
        f"version {version}" if version else "",
        f"released {released.isoformat()}" if released else "",
    )
    names = (cleaner.line("usedBy", user, 300) for user in to_texts(document.get("usedBy")))
    users = list({name.casefold(): name for name in names if name}.values())
    if len(users) > MAX_ITEMS:
        cleaner.add_note(
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
        licence=cleaner.line("license", to_mapping(document.get("legal")).get("license"), 100),
        url=source,
        adopters=tuple(Adopter(name) for name in users[:MAX_ITEMS]),
    )


def _note_unused(
    document: Mapping[str, Any], main_description: Mapping[str, Any], cleaner: FieldCleaner
) -> None:
    rest: dict[str, Any] = {
        name: value for name, value in document.items() if name not in USED_KEYS
    }
    rest |= {
        name: value
        for name, value in to_mapping(document.get("legal")).items()
        if name not in {"license"}
    }
    rest |= {
        name: value
        for name, value in to_mapping(document.get("maintenance")).items()
        if name not in {"contacts"}
    }
    rest |= {
        name: value for name, value in main_description.items() if name not in USED_DESCRIPTION_KEYS
    }
    cleaner.note_unused(rest, ())
