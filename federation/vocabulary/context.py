"""The JSON-LD context of outgoing documents, inline so that no reader has to fetch it.

Strict readers drop or refuse undefined properties. Every property that we send is defined here or
in a context that common software has built in.
"""

from typing import Any

AS2_CONTEXT = "https://www.w3.org/ns/activitystreams"
SECURITY_CONTEXT = "https://w3id.org/security/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
DATA_INTEGRITY_CONTEXT = "https://w3id.org/security/data-integrity/v1"
NAMESPACE = "https://moothall.org/ns#"

TERMS: dict[str, Any] = {
    "moothall": NAMESPACE,
    "phase": "moothall:phase",
    "projects": {"@id": "moothall:projects", "@type": "@id"},
    "project": {"@id": "moothall:project", "@type": "@id"},
    "plainSummary": "moothall:plainSummary",
    "projectVersion": "moothall:projectVersion",
    "revision": "moothall:revision",
    # A JSON literal, so that its contents need no terms.
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
    # The Multikey and Data Integrity contexts define the next two only inside their own types.
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
CONTEXT: list[Any] = [
    AS2_CONTEXT,
    SECURITY_CONTEXT,
    MULTIKEY_CONTEXT,
    DATA_INTEGRITY_CONTEXT,
    TERMS,
]


def with_context(document: dict[str, Any]) -> dict[str, Any]:
    """Add our context to a document that is sent on its own."""
    return {"@context": CONTEXT, **document}


def without_context(document: dict[str, Any]) -> dict[str, Any]:
    """Remove our context from a document that is embedded in another with the same context.

    A document with a proof keeps its context, which the proof covers; so does one with another
    context.
    """
    if "proof" in document or document.get("@context", CONTEXT) != CONTEXT:
        return document
    return {name: value for name, value in document.items() if name != "@context"}


def drop_empty(document: dict[str, Any]) -> dict[str, Any]:
    """Remove properties without a value."""
    return {name: value for name, value in document.items() if value not in (None, [], (), {})}
