"""civic.json: what civic software says of itself, in its American and its British dialect. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from node.importing.found import Found, Sieve, bullets, mappings, paragraphs, texts
from node.projects.details import LARGEST_NUMBER, Details, Link, LinkKind, Output
from node.projects.writing import Text
from node.wording import say

# A document with two of these is meant as a civic.json.
MARKS = frozenset(
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
USED = (
    *("name", "description", "license", "status", "homepage", "repository", "moreInfoLink", "type"),
    *("contact", "partners", "owner", "tags", "categories", "needs", "technologies", "links"),
    *("deployments", "serviceCategories", "geography", "bornAt", "communityPartner", "id"),
    *("politicalEntity", "thumbnailUrl"),
)
# What is kept of a contact and of a partner.
KEPT = tuple(f"{of}: {name}" for of in ("contact", "partners") for name in ("name", "url"))
KEPT += ("contact: email",)
SERVICE = re.compile(r"id\.esd\.org\.uk/service/(\d{1,5})$")


def is_civic(document: Any) -> bool:
    return isinstance(document, Mapping) and len(MARKS & set(document)) >= 2


def read(document: Mapping[str, Any]) -> Found:
    """The project that a civic.json describes."""
    sieve = Sieve()
    title = sieve.line("name", document.get("name"))
    deployments = mappings(document.get("deployments"))
    if not title and deployments:
        title = sieve.line("deployments", deployments[0].get("name"))
        if title:
            sieve.note(say("no name: the name of the first deployment is used"))
    summary, whole = sieve.summary("description", document.get("description"))
    source = sieve.address("repository", document.get("repository"))
    sieve.unused(document, USED)
    return Found(
        Text(
            title,
            summary,
            sieve.phase("status", document.get("status")).value,
            paragraphs(whole, _background(document, sieve)),
            details=_details(document, title, source, sieve),
        ),
        source=source,
        notes=sieve.notes,
        assumed=frozenset({"language"})
        if sieve.knows_phase(document.get("status"))
        else frozenset({"language", "phase"}),
    )


def _background(document: Mapping[str, Any], sieve: Sieve) -> str:
    """Whose it is and where it comes from, for which a project has no fields."""
    names = {
        "type": "Kind",
        "bornAt": "Began at",
        "geography": "Where",
        "communityPartner": "Community partner",
        "politicalEntity": "Public body",
    }
    said = [
        (label, sieve.line(name, _worded(document.get(name)), 300)) for name, label in names.items()
    ]
    owner = ", ".join(_named(document.get("owner"), "name"))
    said.append(("Owner", sieve.line("owner", owner, 300)))
    partners = ", ".join(_named(document.get("partners"), "name"))
    said.append(("Partners", sieve.line("partners", partners, 500)))
    for partner in mappings(document.get("partners")):
        sieve.unused({f"partners: {name}": value for name, value in partner.items()}, KEPT)
    return bullets("Background", (f"{label}: {value}" for label, value in said if value))


def _worded(value: Any) -> Any:
    return ", ".join(texts(value)) if isinstance(value, list) else value


def _named(value: Any, name: str) -> list[str]:
    """Texts, or mappings with a text under `name`; a text alone may be several with commas."""
    if isinstance(value, str):
        return [part.strip() for part in re.split("[,;]", value) if part.strip()]
    found = value if isinstance(value, list) else [value]
    pairs = (each.get(name) if isinstance(each, Mapping) else each for each in found)
    return [each for each in pairs if isinstance(each, str)]


def _details(document: Mapping[str, Any], title: str, source: str, sieve: Sieve) -> Details:
    contact = _contact(document.get("contact"), sieve)
    services = mappings(document.get("serviceCategories"))
    tags = [
        *_named(document.get("tags"), "tag"),
        *_named(document.get("categories"), "category"),
        *_named(document.get("serviceCategories"), "name"),
    ]
    licence = sieve.line("license", document.get("license"), 100)
    return Details(
        contact_name=sieve.line("contact", contact.get("name")),
        contact_email=sieve.email("contact", contact.get("email")),
        lgsl=_lgsl(services),
        tags=sieve.words("tags", tags),
        skills=sieve.words("needs", _named(document.get("needs"), "need")),
        technologies=sieve.words("technologies", _named(document.get("technologies"), "name")),
        links=_links(document, source, contact, sieve),
        outputs=(Output(title=title, licence=licence, url=source),) if title and licence else (),
    )


def _contact(value: Any, sieve: Sieve) -> Mapping[str, Any]:
    """The first contact: `name`, `email` and `url`; a text alone is one of the three."""
    contacts = value if isinstance(value, list) else [value] if value else []
    if len(contacts) > 1:
        sieve.note(
            say("the file has %(count)s contacts: only the first is imported", count=len(contacts))
        )
    first = contacts[0] if contacts else {}
    if isinstance(first, Mapping):
        sieve.unused({f"contact: {name}": part for name, part in first.items()}, KEPT)
        return first
    text = first.strip() if isinstance(first, str) else ""
    if "://" in text:
        return {"url": text}
    return {"email" if "@" in text else "name": text}


def _lgsl(services: list[Mapping[str, Any]]) -> int | None:
    for service in services:
        found = SERVICE.search(str(service.get("@id", "")))
        if found and 0 < int(found[1]) <= LARGEST_NUMBER:
            return int(found[1])
    return None


def _links(
    document: Mapping[str, Any], source: str, contact: Mapping[str, Any], sieve: Sieve
) -> tuple[Link, ...]:
    given = [
        (LinkKind.website, document.get("homepage"), "homepage", ""),
        (LinkKind.other, document.get("moreInfoLink"), "moreInfoLink", ""),
        (LinkKind.other, contact.get("url"), "contact", "Contact"),
        *(
            (LinkKind.other, each.get("url"), "partners", str(each.get("name", "")))
            for each in mappings(document.get("partners"))
        ),
        *((LinkKind.other, url, "links", "") for url in _named(document.get("links"), "url")),
        *(
            (LinkKind.website, each.get("@id"), "deployments", str(each.get("name", "")))
            for each in mappings(document.get("deployments"))
        ),
    ]
    found = {source: Link(LinkKind.repository, source)} if source else {}
    for kind, value, name, title in given[:20]:
        url = sieve.address(name, value)
        if url:
            found.setdefault(url, Link(kind, url, sieve.line(name, title)))
    return tuple(found.values())
