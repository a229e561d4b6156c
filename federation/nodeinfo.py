"""NodeInfo 2.1 and 2.0 (FEP-0151, FEP-f1d5): a server's description of its software."""

from collections.abc import Mapping
from typing import Any

from federation.properties import JsonObject, one_or_many

# The link to the actor of the server itself (FEP-2677).
APPLICATION_REL = "https://www.w3.org/ns/activitystreams#Application"
SCHEMA_URL = "http://nodeinfo.diaspora.software/ns/schema"
VERSIONS = ("2.1", "2.0")
SOFTWARE_NAME = "moothall"


def document_path(version: str) -> str:
    """The path of the document of a version."""
    return f"/nodeinfo/{version}"


def build_links(base_url: str, application: str) -> JsonObject:
    """The document at `/.well-known/nodeinfo`, newest version first.

    `application` is the id of the server's own actor.
    """
    links = {
        f"{SCHEMA_URL}/{version}": f"{base_url}{document_path(version)}" for version in VERSIONS
    }
    links[APPLICATION_REL] = application
    return {"links": [{"rel": rel, "href": href} for rel, href in links.items()]}


def build_nodeinfo(
    version: str, software_version: str, *, user_count: int, post_count: int
) -> JsonObject:
    """The document of a version. Registration is closed: councils add their own officers."""
    return {
        "version": version,
        "software": {"name": SOFTWARE_NAME, "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {"total": user_count}, "localPosts": post_count},
        "metadata": {},
    }


def content_type(version: str) -> str:
    """The content type of the document of a version."""
    return f'application/json; profile="{SCHEMA_URL}/{version}#"'


def find_document_url(document: Mapping[str, Any]) -> str | None:
    """The address of the newest readable version, from the document at `/.well-known/nodeinfo`."""
    hrefs = _parse_links(document)
    rels = (f"{SCHEMA_URL}/{version}" for version in (*VERSIONS, "1.1", "1.0"))
    return next((hrefs[rel] for rel in rels if rel in hrefs), None)


def find_application_id(document: Mapping[str, Any]) -> str | None:
    """The id of the server's own actor, from the document at `/.well-known/nodeinfo`."""
    return _parse_links(document).get(APPLICATION_REL)


def _parse_links(document: Mapping[str, Any]) -> dict[str, str]:
    """The links of a document at `/.well-known/nodeinfo`: rel to href."""
    return {
        link["rel"]: link["href"]
        for link in one_or_many(document.get("links"))
        if isinstance(link, dict)
        and isinstance(link.get("rel"), str)
        and isinstance(link.get("href"), str)
    }


def find_software(document: Mapping[str, Any]) -> str:
    """The name and version of the software in a NodeInfo document; empty if not given."""
    software = document.get("software")
    if not isinstance(software, dict):
        return ""
    parts = (software.get("name"), software.get("version"))
    return " ".join(part for part in parts if isinstance(part, str))
