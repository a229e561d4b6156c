"""The JSON-LD context of what we send, inline: nobody has to fetch anything of ours.

Strict readers drop, or refuse, what no context defines: each property that we send is a term of
one of these, which common readers carry with them.
"""

from typing import Any

AS2 = "https://www.w3.org/ns/activitystreams"
SECURITY = "https://w3id.org/security/v1"
MULTIKEY = "https://w3id.org/security/multikey/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v1"
NAMESPACE = "https://moothall.org/ns#"

TERMS: dict[str, Any] = {
    "moothall": NAMESPACE,
    "phase": "moothall:phase",
    "projects": {"@id": "moothall:projects", "@type": "@id"},
    "project": {"@id": "moothall:project", "@type": "@id"},
    "plainSummary": "moothall:plainSummary",
    "projectVersion": "moothall:projectVersion",
    "revision": "moothall:revision",
    # One literal: what is inside needs no terms of its own.
    "details": {"@id": "moothall:details", "@type": "@json"},
    "visibility": "moothall:visibility",
    "gssCode": "moothall:gssCode",
    "digest": {"@id": "moothall:digest", "@type": "@id"},
    "Hashtag": "as:Hashtag",
    "license": {"@id": "http://schema.org/license", "@type": "@id"},
    "discoverable": "http://joinmastodon.org/ns#discoverable",
    "indexable": "http://joinmastodon.org/ns#indexable",
    "featured": {"@id": "http://joinmastodon.org/ns#featured", "@type": "@id"},
    "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "implements": {
        "@id": "https://w3id.org/fep/844e/implements",
        "@type": "@id",
        "@container": "@list",
    },
    # The contexts of Multikey and of proofs define it within themselves only.
    "assertionMethod": {
        "@id": "https://w3id.org/security#assertionMethod",
        "@type": "@id",
        "@container": "@set",
    },
    "verificationMethod": {
        "@id": "https://w3id.org/security#verificationMethod",
        "@type": "@id",
        "@container": "@set",
    },
}
CONTEXT: list[Any] = [AS2, SECURITY, MULTIKEY, DATA_INTEGRITY, TERMS]


def with_context(document: dict[str, Any]) -> dict[str, Any]:
    """`document` as it stands on its own: with our context in front."""
    return {"@context": CONTEXT, **document}


def without_context(document: dict[str, Any]) -> dict[str, Any]:
    """`document` as it stands inside another, whose context serves for both.

    One with a proof keeps its context, which the proof covers, and so does one of somebody else.
    """
    if "proof" in document or document.get("@context", CONTEXT) != CONTEXT:
        return document
    return {name: value for name, value in document.items() if name != "@context"}


def drop_empty(document: dict[str, Any]) -> dict[str, Any]:
    """`document` without the properties that have no value."""
    return {name: value for name, value in document.items() if value not in (None, [], (), {})}
