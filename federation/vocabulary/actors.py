"""Actors: councils, nodes, projects, people (ActivityPub section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.errors import DocumentError
from federation.origin import same_origin
from federation.reading import Document, id_of, ids_of, link, one_or_many, text
from federation.signatures.algorithms import Algorithm
from federation.signatures.keys import PublicKey, multikey
from federation.signatures.ownership import listed_keys
from federation.vocabulary.context import present, with_context
from federation.vocabulary.required import required_id, required_type

ACTOR_TYPES = ("Application", "Group", "Organization", "Person", "Service")


@dataclass(frozen=True)
class Actor:
    """Somebody who acts. `projects` is, in our own namespace, the collection of its projects.

    All addresses but `url`, `icon`, `also_known_as` and `moved_to` are of the origin of `id`.
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
    public_keys: tuple[PublicKey, ...] = ()
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no actor, or has no inbox at its own origin."""
        uri = required_id(document, "id")
        kind = required_type(document, ACTOR_TYPES)
        inbox = required_id(document, "inbox")
        if not same_origin(inbox, uri):
            raise DocumentError("inbox", "of another origin")

        def own(value: Any) -> str | None:
            found = id_of(value)
            return found if found and same_origin(found, uri) else None

        endpoints = document.get("endpoints")
        return cls(
            id=uri,
            type=kind,
            inbox=inbox,
            preferred_username=text(document, "preferredUsername"),
            name=text(document, "name"),
            summary=text(document, "summary"),
            url=link(document.get("url")),
            outbox=own(document.get("outbox")),
            followers=own(document.get("followers")),
            projects=own(document.get("projects")),
            shared_inbox=own(endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else None,
            icon=next(
                (href for item in one_or_many(document.get("icon")) if (href := link(item))), None
            ),
            public_keys=listed_keys(document),
            also_known_as=ids_of(document.get("alsoKnownAs")),
            moved_to=id_of(document.get("movedTo")),
        )

    def dump(self, *, context: bool = True) -> Document:
        """The document; without its context where it stands inside another."""
        rsa = [_rsa(key) for key in self.public_keys if key.algorithm is Algorithm.rsa_sha256]
        document = present(
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
                "icon": {"type": "Image", "url": self.icon} if self.icon else None,
                "publicKey": rsa[0] if len(rsa) == 1 else rsa,
                "assertionMethod": [
                    _multikey(key) for key in self.public_keys if key.algorithm is Algorithm.ed25519
                ],
                "alsoKnownAs": list(self.also_known_as),
                "movedTo": self.moved_to,
            }
        )
        return with_context(document) if context else document


def _rsa(key: PublicKey) -> Document:
    return {"id": key.key_id, "owner": key.owner, "publicKeyPem": key.pem}


def _multikey(key: PublicKey) -> Document:
    return {
        "id": key.key_id,
        "type": "Multikey",
        "controller": key.owner,
        "publicKeyMultibase": multikey(key.pem),
    }
