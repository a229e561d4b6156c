"""Actors: councils, nodes, projects, people (ActivityPub section 4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from federation.errors import DocumentError
from federation.origin import same_origin
from federation.properties import (
    JsonObject,
    format_time,
    get_link,
    get_text,
    id_of,
    ids_of,
    one_or_many,
)
from federation.signatures.algorithms import KeyAlgorithm
from federation.signatures.key_ownership import listed_keys
from federation.signatures.keys import PublicKey, pem_to_multikey
from federation.vocabulary.context import drop_empty, with_context
from federation.vocabulary.places import Place
from federation.vocabulary.required import required_id, required_type

ACTOR_TYPES = ("Application", "Group", "Organization", "Person", "Service")
# The Government Statistical Service's code for an area of the UK.
GSS_CODE = re.compile(r"[EWSN][0-9]{8}")
# Capabilities that software declares (FEP-844e): address to name.
RFC9421_CAPABILITY = "https://datatracker.ietf.org/doc/html/rfc9421"
SERVER_CAPABILITIES = {RFC9421_CAPABILITY: "RFC-9421: HTTP Message Signatures"}
MAX_CAPABILITIES = 50


@dataclass(frozen=True)
class ActorDocument:
    """The document of an actor.

    In our own namespace, `projects` is the collection of a council's projects, `digest` the digest
    document that peers compare with their copies, and `gss_code` the council's official code.
    `location` is the council's location. The first RSA key in `public_keys` is used for signing;
    the others are older. `attributed_to` is the council of a project. `generator` is the id of the
    node's Application, `implements` the addresses of its capabilities (FEP-844e). All addresses
    except `url`, `icon`, `also_known_as` and `moved_to` have the origin of `id`.
    `is_discoverable`: other servers may suggest the actor and index its posts (`discoverable`,
    `indexable`); None leaves both out.
    """

    id: str
    type: str
    inbox: str
    preferred_username: str | None = None
    name: str | None = None
    summary: str | None = None
    url: str | None = None
    outbox: str | None = None
    followers: str | None = None
    projects: str | None = None
    shared_inbox: str | None = None
    icon: str | None = None
    published: datetime | None = None
    following: str | None = None
    featured: str | None = None
    is_discoverable: bool | None = None
    public_keys: tuple[PublicKey, ...] = ()
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    attributed_to: str | None = None
    digest: str | None = None
    gss_code: str | None = None
    location: Place | None = None
    generator: str | None = None
    implements: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, or without an inbox at the actor's origin."""
        uri = required_id(document, "id")
        kind = required_type(document, ACTOR_TYPES)
        inbox = required_id(document, "inbox")
        if not same_origin(inbox, uri):
            raise DocumentError("inbox", "from a different origin")

        def own_address(value: Any) -> str | None:
            address = id_of(value)
            return address if address and same_origin(address, uri) else None

        endpoints = document.get("endpoints")
        gss_code, generator = document.get("gssCode"), document.get("generator")
        software = document if kind == "Application" else generator
        return cls(
            id=uri,
            type=kind,
            inbox=inbox,
            preferred_username=get_text(document, "preferredUsername"),
            name=get_text(document, "name"),
            summary=get_text(document, "summary"),
            url=get_link(document.get("url")),
            outbox=own_address(document.get("outbox")),
            followers=own_address(document.get("followers")),
            projects=own_address(document.get("projects")),
            shared_inbox=own_address(endpoints.get("sharedInbox"))
            if isinstance(endpoints, dict)
            else None,
            icon=next(
                (href for item in one_or_many(document.get("icon")) if (href := get_link(item))),
                None,
            ),
            public_keys=listed_keys(document),
            also_known_as=ids_of(document.get("alsoKnownAs")),
            moved_to=id_of(document.get("movedTo")),
            attributed_to=own_address(document.get("attributedTo")),
            digest=own_address(document.get("digest")),
            gss_code=gss_code
            if isinstance(gss_code, str) and GSS_CODE.fullmatch(gss_code)
            else None,
            location=Place.parse(document.get("location")),
            generator=own_address(generator),
            implements=_parse_capabilities(software.get("implements"))
            if isinstance(software, dict)
            else (),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without a JSON-LD context to embed it in another."""
        rsa = [
            _dump_rsa_key(key)
            for key in self.public_keys
            if key.algorithm is KeyAlgorithm.rsa_sha256
        ]
        document = drop_empty(
            {
                "id": self.id,
                "type": self.type,
                "preferredUsername": self.preferred_username,
                "name": self.name,
                "summary": self.summary,
                "url": self.url,
                "inbox": self.inbox,
                "outbox": self.outbox,
                "followers": self.followers,
                "projects": self.projects,
                "endpoints": {"sharedInbox": self.shared_inbox} if self.shared_inbox else None,
                "following": self.following,
                "featured": self.featured,
                "icon": {"type": "Image", "url": self.icon} if self.icon else None,
                "published": format_time(self.published) if self.published else None,
                "discoverable": self.is_discoverable,
                "indexable": self.is_discoverable,
                # Only one: much software refuses an actor with several.
                "publicKey": rsa[0] if rsa else None,
                "verificationMethod": rsa[1:],
                "assertionMethod": [
                    _dump_multikey(key)
                    for key in self.public_keys
                    if key.algorithm is KeyAlgorithm.ed25519
                ],
                "alsoKnownAs": list(self.also_known_as),
                "movedTo": self.moved_to,
                "attributedTo": self.attributed_to,
                "digest": self.digest,
                "gssCode": self.gss_code,
                "location": self.location.dump() if self.location else None,
                **self._dump_software(),
            }
        )
        return with_context(document) if context else document

    def _dump_software(self) -> JsonObject:
        """The capabilities (FEP-844e): on an Application itself, otherwise in `generator`."""
        links = [
            drop_empty({"type": "Link", "href": href, "name": SERVER_CAPABILITIES.get(href)})
            for href in self.implements
        ]
        if self.type == "Application":
            return {"generator": self.generator, "implements": links}
        software = drop_empty({"id": self.generator, "implements": links})
        return {"generator": {"type": "Application", **software} if software else None}


def _parse_capabilities(value: Any) -> tuple[str, ...]:
    hrefs = (
        item.get("href") if isinstance(item, dict) else item
        for item in one_or_many(value)[:MAX_CAPABILITIES]
    )
    return tuple(dict.fromkeys(href for href in hrefs if isinstance(href, str)))


def _dump_rsa_key(key: PublicKey) -> JsonObject:
    return {"id": key.key_id, "owner": key.owner, "publicKeyPem": key.pem}


def _dump_multikey(key: PublicKey) -> JsonObject:
    return {
        "id": key.key_id,
        "type": "Multikey",
        "controller": key.owner,
        "publicKeyMultibase": pem_to_multikey(key.pem),
    }
