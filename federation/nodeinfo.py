"""NodeInfo 2.1 and 2.0 (FEP-0151, FEP-f1d5): what a server says about itself."""

from collections.abc import Mapping
from typing import Any

from federation.reading import Document, one_or_many

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema"
VERSIONS = ("2.1", "2.0")
NAME = "moothall"


def path(version: str) -> str:
    """Where the document of a version is served."""
    return f"/nodeinfo/{version}"


def well_known(base_url: str) -> Document:
    """The document at `/.well-known/nodeinfo`, newest version first."""
    return {
        "links": [
            {"rel": f"{SCHEMA}/{version}", "href": f"{base_url}{path(version)}"}
            for version in VERSIONS
        ]
    }


def nodeinfo(version: str, software_version: str, *, users: int, posts: int) -> Document:
    """The document of a version. Nobody can register: councils add their own officers."""
    return {
        "version": version,
        "software": {"name": NAME, "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {"total": users}, "localPosts": posts},
        "metadata": {},
    }


def content_type(version: str) -> str:
    """The content type of the document of a version."""
    return f'application/json; profile="{SCHEMA}/{version}#"'


def document_in(links: Mapping[str, Any]) -> str | None:
    """The address of the newest document that we can read, in what `/.well-known/nodeinfo` says."""
    found = {
        link["rel"]: link["href"]
        for link in one_or_many(links.get("links"))
        if isinstance(link, dict)
        and isinstance(link.get("rel"), str)
        and isinstance(link.get("href"), str)
    }
    known = (f"{SCHEMA}/{version}" for version in (*VERSIONS, "1.1", "1.0"))
    return next((found[rel] for rel in known if rel in found), None)


def software_in(document: Mapping[str, Any]) -> str:
    """The name and version of the software in a NodeInfo document; empty where it says nothing."""
    software = document.get("software")
    if not isinstance(software, dict):
        return ""
    words = (software.get("name"), software.get("version"))
    return " ".join(word for word in words if isinstance(word, str))
