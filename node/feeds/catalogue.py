"""What data a node gives away: a catalogue in DCAT 3, as JSON-LD. Pure."""

from datetime import datetime
from typing import Any

from node.councils.models import Council
from node.feeds.describing import moment

CONTEXT = {
    "@vocab": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "title": "dct:title",
    "description": "dct:description",
    "identifier": "dct:identifier",
    "publisher": "dct:publisher",
    "modified": "dct:modified",
    "language": "dct:language",
    "format": "dct:format",
    "conformsTo": {"@id": "dct:conformsTo", "@type": "@id"},
    "name": "foaf:name",
    "accessURL": {"@type": "@id"},
    "downloadURL": {"@type": "@id"},
    "landingPage": {"@type": "@id"},
    "homepage": {"@id": "foaf:homepage", "@type": "@id"},
}
# The address of each form of the list, its media type, and what people call it.
FORMS = (
    ("projects.csv", "text/csv", "CSV"),
    ("projects.json", "application/json", "JSON"),
    ("projects.atom", "application/atom+xml", "Atom"),
    ("projects.feed.json", "application/feed+json", "JSON Feed"),
)


def describe(council: Council, base: str, modified: datetime | None) -> dict[str, Any]:
    """The catalogue of the node at `base`."""
    publisher = {
        "@id": council.actor.uri,
        "@type": "foaf:Organization",
        "name": council.name,
        **({"identifier": council.gss_code} if council.gss_code else {}),
    }
    title = f"Digital projects of {council.name}"
    return {
        "@context": CONTEXT,
        "@id": f"{base}/data.json",
        "@type": "Catalog",
        "title": f"Open data of {council.name}",
        "description": f"What the node of {council.name} gives away for others to use.",
        "publisher": publisher,
        "homepage": base,
        "dataset": [
            {
                "@id": f"{base}/projects",
                "@type": "Dataset",
                "identifier": f"{base}/projects",
                "title": title,
                "description": "Digital projects: what they are for, their phase, dates, contacts,"
                " what they need and what everybody gets back. With those of the councils that"
                " this one follows.",
                "keyword": ["local government", "digital projects", "reuse"],
                "language": ["en", "cy"],
                **({"modified": moment(modified)} if modified else {}),
                "publisher": publisher,
                "landingPage": f"{base}/projects",
                "distribution": [
                    {
                        "@id": f"{base}/{path}",
                        "@type": "Distribution",
                        "title": f"{title} ({name})",
                        "format": name,
                        "mediaType": kind,
                        "accessURL": f"{base}/{path}",
                        "downloadURL": f"{base}/{path}",
                    }
                    for path, kind, name in FORMS
                ],
            }
        ],
    }
