"""NodeInfo 2.1 and 2.0 (FEP-0151, FEP-f1d5): what a server says about itself."""

from federation.reading import Document

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
