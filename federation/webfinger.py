"""WebFinger (RFC 7033): from `@name@host` to an actor and back."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from federation.errors import AddressError, DocumentError
from federation.origin import host_of, normalise_authority, parse_origin, without_fragment
from federation.properties import JsonObject, one_or_many

PATH = "/.well-known/webfinger"
ACTIVITY_JSON = "application/activity+json"
LD_JSON = "application/ld+json"
PROFILE_PAGE_REL = "http://webfinger.net/rel/profile-page"
USERNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?")


def parse_resource(resource: str) -> tuple[str, str] | str:
    """Read the `resource` of a request: `acct:name@host` as (name, host), or an actor's address.

    Raises `AddressError`.
    """
    if resource.lower().startswith("acct:"):
        return _parse_account(resource[5:])
    parse_origin(resource)
    return without_fragment(resource)


def parse_address(text: str) -> tuple[str, str] | str:
    """Read typed input: `@name@host`, `name@host`, `acct:name@host` or an actor's web address.

    Returns (name, host) or the address. Raises `AddressError`.
    """
    text = text.strip()
    if "://" in text or text.lower().startswith("acct:"):
        return parse_resource(text)
    return _parse_account(text)


def webfinger_url(username: str, host: str, *, plain_http: bool = False) -> str:
    """The address at which `host` (`host[:port]`) describes the actor `username`."""
    scheme = "http" if plain_http else "https"
    return f"{scheme}://{host}{PATH}?resource={quote(f'acct:{username}@{host}', safe=':@')}"


def build_jrd(subject: str, actor_id: str, profile_url: str) -> JsonObject:
    """The JRD of an actor (RFC 7033 section 4.4). `subject` is its canonical `acct:` address."""
    return {
        "subject": subject,
        "aliases": list(dict.fromkeys([actor_id, profile_url])),
        "links": [
            {"rel": "self", "type": ACTIVITY_JSON, "href": actor_id},
            {"rel": PROFILE_PAGE_REL, "type": "text/html", "href": profile_url},
        ],
    }


@dataclass(frozen=True)
class CanonicalAccount:
    """The queried address is an alias of `username` at `host`, which must be queried instead."""

    username: str
    host: str


def actor_id_from_jrd(document: Any, username: str, host: str) -> str | CanonicalAccount:
    """Return the actor's id from the JRD that `host` returned for `username`.

    The actor may live on another host than its address, which the caller must query as well. A JRD
    about another address is used only if the actor lives on `host`, since other hosts must not
    name actors that are not theirs. Raises `DocumentError` for a document that is not a JRD or
    names no actor.
    """
    if not isinstance(document, dict):
        raise DocumentError("links", "missing")
    actor_id = _find_self_link(document)
    subject = _parse_subject(document.get("subject")) or (username.lower(), host.lower())
    if subject == (username.lower(), host.lower()) or host_of(actor_id) == host.lower():
        return actor_id
    return CanonicalAccount(*subject)


def _find_self_link(document: JsonObject) -> str:
    for link in one_or_many(document.get("links")):
        if isinstance(link, dict) and link.get("rel") == "self" and _is_activity(link.get("type")):
            href = link.get("href")
            if isinstance(href, str):
                host_of(href)
                return href
    raise DocumentError("links", "no link to an actor")


def _parse_subject(subject: Any) -> tuple[str, str] | None:
    """The name and host in a JRD's `subject`; None if it is missing or a web address."""
    if not isinstance(subject, str) or not subject.lower().startswith("acct:"):
        return None
    name, host = _parse_account(subject[5:])
    return name.lower(), host


def _is_activity(media_type: Any) -> bool:
    kind = media_type.partition(";")[0].strip().lower() if isinstance(media_type, str) else ""
    return kind in {ACTIVITY_JSON, LD_JSON}


def _parse_account(text: str) -> tuple[str, str]:
    name, at, host = text.removeprefix("@").partition("@")
    if not at or not USERNAME.fullmatch(name):
        raise AddressError("An address has a name and a server, such as @council@example.gov.uk.")
    return name, normalise_authority(host)
