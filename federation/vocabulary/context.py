"""The JSON-LD context of what we send, inline: nobody has to fetch anything of ours."""

from typing import Any

AS2 = "https://www.w3.org/ns/activitystreams"
SECURITY = "https://w3id.org/security/v1"
MULTIKEY = "https://w3id.org/security/multikey/v1"
NAMESPACE = "https://moothall.org/ns#"

CONTEXT: list[Any] = [
    AS2,
    SECURITY,
    MULTIKEY,
    {
        "moothall": NAMESPACE,
        "phase": "moothall:phase",
        "projects": {"@id": "moothall:projects", "@type": "@id"},
        "plainSummary": "moothall:plainSummary",
        "projectVersion": "moothall:projectVersion",
        "visibility": "moothall:visibility",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    },
]


def with_context(document: dict[str, Any]) -> dict[str, Any]:
    """`document` as it stands on its own: with our context in front."""
    return {"@context": CONTEXT, **document}


def without_context(document: dict[str, Any]) -> dict[str, Any]:
    """`document` as it stands inside another, whose context serves for both."""
    return {name: value for name, value in document.items() if name != "@context"}


def present(document: dict[str, Any]) -> dict[str, Any]:
    """`document` without the properties that have no value."""
    return {name: value for name, value in document.items() if value not in (None, [], ())}
