"""NodeInfo 2.1 and 2.0 (FEP-0151, FEP-f1d5): what a server says about itself."""

from collections.abc import Mapping
from typing import Any

from federation.properties import JsonObject, one_or_many

# The link to the actor of the server itself (FEP-2677).
APPLICATION_REL = "https://www.w3.org/ns/activitystreams#Application"
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema"
VERSIONS = ("2.1", "2.0")
SOFTWARE_NAME = "moothall"


def path(version: str) -> str:
    """Where the document of a version is served."""
    return f"/nodeinfo/{version}"


def build_links(base_url: str, application: str) -> JsonObject:
    """The document at `/.well-known/nodeinfo`, newest version first. `application` is the id of the
    server's own actor.
    """
    links = {f"{SCHEMA}/{version}": f"{base_url}{path(version)}" for version in VERSIONS}
    links[APPLICATION_REL] = application
    return {"links": [{"rel": rel, "href": href} for rel, href in links.items()]}


def build_nodeinfo(version: str, software_version: str, *, users: int, posts: int) -> JsonObject:
    """The document of a version. Nobody can register: councils add their own officers."""
    return {
        "version": version,
        "software": {"name": SOFTWARE_NAME, "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {"total": users}, "localPosts": posts},
        "metadata": {},
    }


def content_type(version: str) -> str:
    """The content type of the document of a version."""
    return f'application/json; profile="{SCHEMA}/{version}#"'


def find_document_url(links: Mapping[str, Any]) -> str | None:
    """The address of the newest document that we can read, in what `/.well-known/nodeinfo` says."""
    found = _parse_links(links)
    known = (f"{SCHEMA}/{version}" for version in (*VERSIONS, "1.1", "1.0"))
    return next((found[rel] for rel in known if rel in found), None)


def find_application(links: Mapping[str, Any]) -> str | None:
    """The id of the server's own actor, in what `/.well-known/nodeinfo` says."""
    return _parse_links(links).get(APPLICATION_REL)


def _parse_links(document: Mapping[str, Any]) -> dict[str, str]:
    """The addresses in `/.well-known/nodeinfo`, by what they are."""
    return {
        link["rel"]: link["href"]
        for link in one_or_many(document.get("links"))
        if isinstance(link, dict)
        and isinstance(link.get("rel"), str)
        and isinstance(link.get("href"), str)
    }


def find_software(document: Mapping[str, Any]) -> str:
    """The name and version of the software in a NodeInfo document; empty where it says nothing."""
    software = document.get("software")
    if not isinstance(software, dict):
        return ""
    words = (software.get("name"), software.get("version"))
    return " ".join(word for word in words if isinstance(word, str))
