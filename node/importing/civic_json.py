"""Reads civic.json, metadata of civic software, in its American and British variants. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from node.importing.parsed_project import (
    FieldCleaner,
    ParsedProject,
    bullet_section,
    join_paragraphs,
    to_mappings,
    to_texts,
)
from node.messages import msg
from node.projects.details import MAX_NUMBER, Details, LinkKind, Output, ProjectLink
from node.projects.validation import ProjectInput

# A document with at least two of these keys is taken for a civic.json.
MARKER_KEYS = frozenset(
    [
        "status",
        "bornAt",
        "geography",
        "politicalEntity",
        "needs",
        "categories",
        "tags",
        "communityPartner",
        "thumbnailUrl",
        "moreInfoLink",
        "owner",
        "deployments",
        "serviceCategories",
        "partners",
    ]
)
USED_KEYS = (
    *("name", "description", "license", "status", "homepage", "repository", "moreInfoLink", "type"),
    *("contact", "partners", "owner", "tags", "categories", "needs", "technologies", "links"),
    *("deployments", "serviceCategories", "geography", "bornAt", "communityPartner", "id"),
    *("politicalEntity", "thumbnailUrl"),
)
# Keys of contacts and partners that are imported.
USED_CONTACT_KEYS = tuple(
    f"{of}: {name}" for of in ("contact", "partners") for name in ("name", "url")
)
USED_CONTACT_KEYS += ("contact: email",)
SERVICE_URL = re.compile(r"id\.esd\.org\.uk/service/(\d{1,5})$")


def is_civic(document: Any) -> bool:
    return isinstance(document, Mapping) and len(MARKER_KEYS & set(document)) >= 2


def parse(document: Mapping[str, Any]) -> ParsedProject:
    """The project that a civic.json describes."""
    cleaner = FieldCleaner()
    title = cleaner.line("name", document.get("name"))
    deployments = to_mappings(document.get("deployments"))
    if not title and deployments:
        title = cleaner.line("deployments", deployments[0].get("name"))
        if title:
            cleaner.add_note(msg("no name: the name of the first deployment is used"))
    summary, full_text = cleaner.summary("description", document.get("description"))
    source = cleaner.url("repository", document.get("repository"))
    cleaner.note_unused(document, USED_KEYS)
    return ParsedProject(
        ProjectInput(
            title,
            summary,
            cleaner.phase("status", document.get("status")).value,
            join_paragraphs(full_text, _build_background_section(document, cleaner)),
            details=_parse_details(document, title, source, cleaner),
        ),
        source=source,
        notes=cleaner.notes,
        assumed=frozenset({"language"})
        if cleaner.is_known_phase(document.get("status"))
        else frozenset({"language", "phase"}),
    )


def _build_background_section(document: Mapping[str, Any], cleaner: FieldCleaner) -> str:
    """A section of the brief for owner, partners and origin, for which projects have no fields."""
    names = {
        "type": "Kind",
        "bornAt": "Began at",
        "geography": "Where",
        "communityPartner": "Community partner",
        "politicalEntity": "Public body",
    }
    facts = [
        (label, cleaner.line(name, _join_texts(document.get(name)), 300))
        for name, label in names.items()
    ]
    owner = ", ".join(_texts_under(document.get("owner"), "name"))
    facts.append(("Owner", cleaner.line("owner", owner, 300)))
    partners = ", ".join(_texts_under(document.get("partners"), "name"))
    facts.append(("Partners", cleaner.line("partners", partners, 500)))
    for partner in to_mappings(document.get("partners")):
        cleaner.note_unused(
            {f"partners: {name}": value for name, value in partner.items()}, USED_CONTACT_KEYS
        )
    return bullet_section("Background", (f"{label}: {value}" for label, value in facts if value))


def _join_texts(value: Any) -> Any:
    return ", ".join(to_texts(value)) if isinstance(value, list) else value


def _texts_under(value: Any, name: str) -> list[str]:
    """The texts in a list of texts, or of mappings with a text under `name`. A single text is
    split at commas and semicolons.
    """
    if isinstance(value, str):
        return [part.strip() for part in re.split("[,;]", value) if part.strip()]
    items = value if isinstance(value, list) else [value]
    texts = (item.get(name) if isinstance(item, Mapping) else item for item in items)
    return [text for text in texts if isinstance(text, str)]


def _parse_details(
    document: Mapping[str, Any], title: str, source: str, cleaner: FieldCleaner
) -> Details:
    contact = _parse_contact(document.get("contact"), cleaner)
    services = to_mappings(document.get("serviceCategories"))
    tags = [
        *_texts_under(document.get("tags"), "tag"),
        *_texts_under(document.get("categories"), "category"),
        *_texts_under(document.get("serviceCategories"), "name"),
    ]
    licence = cleaner.line("license", document.get("license"), 100)
    return Details(
        contact_name=cleaner.line("contact", contact.get("name")),
        contact_email=cleaner.email("contact", contact.get("email")),
        lgsl=_parse_lgsl(services),
        tags=cleaner.word_list("tags", tags),
        skills=cleaner.word_list("needs", _texts_under(document.get("needs"), "need")),
        technologies=cleaner.word_list(
            "technologies", _texts_under(document.get("technologies"), "name")
        ),
        links=_parse_links(document, source, contact, cleaner),
        outputs=(Output(title=title, licence=licence, url=source),) if title and licence else (),
    )


def _parse_contact(value: Any, cleaner: FieldCleaner) -> Mapping[str, Any]:
    """The first contact, with `name`, `email` and `url`; a single text is one of the three."""
    contacts = value if isinstance(value, list) else [value] if value else []
    if len(contacts) > 1:
        cleaner.add_note(
            msg("the file has %(count)s contacts: only the first is imported", count=len(contacts))
        )
    first = contacts[0] if contacts else {}
    if isinstance(first, Mapping):
        cleaner.note_unused(
            {f"contact: {name}": part for name, part in first.items()}, USED_CONTACT_KEYS
        )
        return first
    text = first.strip() if isinstance(first, str) else ""
    if "://" in text:
        return {"url": text}
    return {"email" if "@" in text else "name": text}


def _parse_lgsl(services: list[Mapping[str, Any]]) -> int | None:
    for service in services:
        match = SERVICE_URL.search(str(service.get("@id", "")))
        if match and 0 < int(match[1]) <= MAX_NUMBER:
            return int(match[1])
    return None


def _parse_links(
    document: Mapping[str, Any], source: str, contact: Mapping[str, Any], cleaner: FieldCleaner
) -> tuple[ProjectLink, ...]:
    candidates = [
        (LinkKind.website, document.get("homepage"), "homepage", ""),
        (LinkKind.other, document.get("moreInfoLink"), "moreInfoLink", ""),
        (LinkKind.other, contact.get("url"), "contact", "Contact"),
        *(
            (LinkKind.other, partner.get("url"), "partners", str(partner.get("name", "")))
            for partner in to_mappings(document.get("partners"))
        ),
        *((LinkKind.other, url, "links", "") for url in _texts_under(document.get("links"), "url")),
        *(
            (LinkKind.website, site.get("@id"), "deployments", str(site.get("name", "")))
            for site in to_mappings(document.get("deployments"))
        ),
    ]
    links = {source: ProjectLink(LinkKind.repository, source)} if source else {}
    for kind, value, name, title in candidates[:20]:
        url = cleaner.url(name, value)
        if url:
            links.setdefault(url, ProjectLink(kind, url, cleaner.line(name, title)))
    return tuple(links.values())
