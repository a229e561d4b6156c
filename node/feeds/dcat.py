"""The catalogue of the server's open data (DCAT-AP 3.0.1), as JSON-LD. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.councils.models import Council
from node.feeds.representations import format_moment

XSD_BASE = "http://www.w3.org/2001/XMLSchema#"
JSON_LD_CONTEXT = {
    "@vocab": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "title": {"@id": "dct:title", "@language": "en"},
    "description": {"@id": "dct:description", "@language": "en"},
    "keyword": {"@language": "en"},
    "identifier": "dct:identifier",
    "publisher": "dct:publisher",
    "modified": {"@id": "dct:modified", "@type": f"{XSD_BASE}dateTime"},
    "language": "dct:language",
    "format": "dct:format",
    "license": "dct:license",
    "name": "foaf:name",
    "accessURL": {"@type": "@id"},
    "downloadURL": {"@type": "@id"},
    "homepage": "foaf:homepage",
}
FILE_TYPES_BASE = "http://publications.europa.eu/resource/authority/file-type/"
MEDIA_TYPES_BASE = "https://www.iana.org/assignments/media-types/"
LANGUAGE_URIS = (
    "http://publications.europa.eu/resource/authority/language/ENG",
    "http://publications.europa.eu/resource/authority/language/CYM",
)


@dataclass(frozen=True)
class CatalogueDistribution:
    """One format of the project list.

    `file_type` is from the EU's authority table of file types, `media_type` from IANA's registry;
    None where IANA has registered none, as for JSON Feed.
    """

    path: str
    name: str
    file_type: str
    media_type: str | None


DISTRIBUTIONS = (
    CatalogueDistribution("projects.csv", "CSV", "CSV", "text/csv"),
    CatalogueDistribution("projects.json", "JSON", "JSON", "application/json"),
    CatalogueDistribution("projects.atom", "Atom", "ATOM", "application/atom+xml"),
    CatalogueDistribution("projects.feed.json", "JSON Feed", "JSON", None),
)
# Only the council's own projects, since it can only license those.
OWN_PROJECTS_QUERY = "origin=ours"


def build_catalogue(
    council: Council, base: str, modified: datetime | None, licence: str
) -> dict[str, Any]:
    """The catalogue of the server with base URL `base`. `licence` is the URL of the data's licence,
    `modified` the time of the last change.
    """
    homepage = _resource_ref(base, "foaf:Document")
    publisher = {
        "@id": council.actor.uri,
        "@type": "foaf:Agent",
        "name": council.name,
        **({"identifier": council.gss_code} if council.gss_code else {}),
    }
    changed = {"modified": format_moment(modified)} if modified else {}
    languages = [_resource_ref(language, "dct:LinguisticSystem") for language in LANGUAGE_URIS]
    title = f"Digital projects of {council.name}"
    page = f"{base}/projects?{OWN_PROJECTS_QUERY}"
    dataset = {
        "@id": page,
        "@type": "Dataset",
        "identifier": page,
        "title": title,
        "description": "Digital projects: what they are for, their phase, dates and contacts, what"
        " they need and what other councils can reuse.",
        "keyword": ["local government", "digital projects", "reuse"],
        "language": languages,
        **changed,
        "publisher": publisher,
        "landingPage": _resource_ref(page, "foaf:Document"),
        "distribution": [
            _build_distribution(distribution, base, title, licence)
            for distribution in DISTRIBUTIONS
        ],
    }
    return {
        "@context": JSON_LD_CONTEXT,
        "@id": f"{base}/data.json",
        "@type": "Catalog",
        "title": f"Open data of {council.name}",
        "description": f"Open data that {council.name} publishes about its digital projects.",
        "publisher": publisher,
        "language": languages,
        "license": _resource_ref(licence, "dct:LicenseDocument"),
        **changed,
        "homepage": homepage,
        "dataset": [dataset],
    }


def _build_distribution(
    distribution: CatalogueDistribution, base: str, title: str, licence: str
) -> dict[str, Any]:
    url = f"{base}/{distribution.path}?{OWN_PROJECTS_QUERY}"
    media_type = distribution.media_type and _resource_ref(
        MEDIA_TYPES_BASE + distribution.media_type, "dct:MediaType"
    )
    return {
        "@id": url,
        "@type": "Distribution",
        "title": f"{title} ({distribution.name})",
        "format": _resource_ref(FILE_TYPES_BASE + distribution.file_type, "dct:MediaTypeOrExtent"),
        **({"mediaType": media_type} if media_type else {}),
        "license": _resource_ref(licence, "dct:LicenseDocument"),
        "accessURL": url,
        "downloadURL": url,
    }


def _resource_ref(iri: str, kind: str) -> dict[str, str]:
    """A reference to a resource by IRI, with its class."""
    return {"@id": iri, "@type": kind}
