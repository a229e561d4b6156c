"""civic.json: what civic software says of itself, in its American and its British dialect. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from node.importing.parsed_project import (
    FieldCleaner,
    ParsedProject,
    as_mappings,
    as_texts,
    bullets,
    paragraphs,
)
from node.messages import msg
from node.projects.details import MAX_NUMBER, Details, LinkKind, Output, ProjectLink
from node.projects.validation import ProjectInput

# A document with two of these is meant as a civic.json.
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
# What is kept of a contact and of a partner.
KEPT_KEYS = tuple(f"{of}: {name}" for of in ("contact", "partners") for name in ("name", "url"))
KEPT_KEYS += ("contact: email",)
SERVICE_URL = re.compile(r"id\.esd\.org\.uk/service/(\d{1,5})$")


def is_civic(document: Any) -> bool:
    return isinstance(document, Mapping) and len(MARKER_KEYS & set(document)) >= 2


def parse(document: Mapping[str, Any]) -> ParsedProject:
    """The project that a civic.json describes."""
    sieve = FieldCleaner()
    title = sieve.line("name", document.get("name"))
    deployments = as_mappings(document.get("deployments"))
    if not title and deployments:
        title = sieve.line("deployments", deployments[0].get("name"))
        if title:
            sieve.add_note(msg("no name: the name of the first deployment is used"))
    summary, whole = sieve.summary("description", document.get("description"))
    source = sieve.url("repository", document.get("repository"))
    sieve.note_unused(document, USED_KEYS)
    return ParsedProject(
        ProjectInput(
            title,
            summary,
            sieve.phase("status", document.get("status")).value,
            paragraphs(whole, _background_section(document, sieve)),
            details=_details(document, title, source, sieve),
        ),
        source=source,
        notes=sieve.notes,
        assumed=frozenset({"language"})
        if sieve.is_known_phase(document.get("status"))
        else frozenset({"language", "phase"}),
    )


def _background_section(document: Mapping[str, Any], sieve: FieldCleaner) -> str:
    """Whose it is and where it comes from, for which a project has no fields."""
    names = {
        "type": "Kind",
        "bornAt": "Began at",
        "geography": "Where",
        "communityPartner": "Community partner",
        "politicalEntity": "Public body",
    }
    said = [
        (label, sieve.line(name, _join_texts(document.get(name)), 300))
        for name, label in names.items()
    ]
    owner = ", ".join(_texts_under(document.get("owner"), "name"))
    said.append(("Owner", sieve.line("owner", owner, 300)))
    partners = ", ".join(_texts_under(document.get("partners"), "name"))
    said.append(("Partners", sieve.line("partners", partners, 500)))
    for partner in as_mappings(document.get("partners")):
        sieve.note_unused(
            {f"partners: {name}": value for name, value in partner.items()}, KEPT_KEYS
        )
    return bullets("Background", (f"{label}: {value}" for label, value in said if value))


def _join_texts(value: Any) -> Any:
    return ", ".join(as_texts(value)) if isinstance(value, list) else value


def _texts_under(value: Any, name: str) -> list[str]:
    """Texts, or mappings with a text under `name`; a text alone may be several with commas."""
    if isinstance(value, str):
        return [part.strip() for part in re.split("[,;]", value) if part.strip()]
    found = value if isinstance(value, list) else [value]
    pairs = (each.get(name) if isinstance(each, Mapping) else each for each in found)
    return [each for each in pairs if isinstance(each, str)]


def _details(document: Mapping[str, Any], title: str, source: str, sieve: FieldCleaner) -> Details:
    contact = _contact(document.get("contact"), sieve)
    services = as_mappings(document.get("serviceCategories"))
    tags = [
        *_texts_under(document.get("tags"), "tag"),
        *_texts_under(document.get("categories"), "category"),
        *_texts_under(document.get("serviceCategories"), "name"),
    ]
    licence = sieve.line("license", document.get("license"), 100)
    return Details(
        contact_name=sieve.line("contact", contact.get("name")),
        contact_email=sieve.email("contact", contact.get("email")),
        lgsl=_lgsl(services),
        tags=sieve.word_list("tags", tags),
        skills=sieve.word_list("needs", _texts_under(document.get("needs"), "need")),
        technologies=sieve.word_list(
            "technologies", _texts_under(document.get("technologies"), "name")
        ),
        links=_links(document, source, contact, sieve),
        outputs=(Output(title=title, licence=licence, url=source),) if title and licence else (),
    )


def _contact(value: Any, sieve: FieldCleaner) -> Mapping[str, Any]:
    """The first contact: `name`, `email` and `url`; a text alone is one of the three."""
    contacts = value if isinstance(value, list) else [value] if value else []
    if len(contacts) > 1:
        sieve.add_note(
            msg("the file has %(count)s contacts: only the first is imported", count=len(contacts))
        )
    first = contacts[0] if contacts else {}
    if isinstance(first, Mapping):
        sieve.note_unused({f"contact: {name}": part for name, part in first.items()}, KEPT_KEYS)
        return first
    text = first.strip() if isinstance(first, str) else ""
    if "://" in text:
        return {"url": text}
    return {"email" if "@" in text else "name": text}


def _lgsl(services: list[Mapping[str, Any]]) -> int | None:
    for service in services:
        found = SERVICE_URL.search(str(service.get("@id", "")))
        if found and 0 < int(found[1]) <= MAX_NUMBER:
            return int(found[1])
    return None


def _links(
    document: Mapping[str, Any], source: str, contact: Mapping[str, Any], sieve: FieldCleaner
) -> tuple[ProjectLink, ...]:
    given = [
        (LinkKind.website, document.get("homepage"), "homepage", ""),
        (LinkKind.other, document.get("moreInfoLink"), "moreInfoLink", ""),
        (LinkKind.other, contact.get("url"), "contact", "Contact"),
        *(
            (LinkKind.other, each.get("url"), "partners", str(each.get("name", "")))
            for each in as_mappings(document.get("partners"))
        ),
        *((LinkKind.other, url, "links", "") for url in _texts_under(document.get("links"), "url")),
        *(
            (LinkKind.website, each.get("@id"), "deployments", str(each.get("name", "")))
            for each in as_mappings(document.get("deployments"))
        ),
    ]
    found = {source: ProjectLink(LinkKind.repository, source)} if source else {}
    for kind, value, name, title in given[:20]:
        url = sieve.url(name, value)
        if url:
            found.setdefault(url, ProjectLink(kind, url, sieve.line(name, title)))
    return tuple(found.values())
