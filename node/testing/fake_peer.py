"""A fake remote server: serves documents, records requests, and sends signed activities."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from werkzeug.datastructures import EnvironHeaders
from werkzeug.test import TestResponse

from federation.signatures import (
    Headers,
    PrivateKey,
    PublicKey,
    SignatureScheme,
    generate_ed25519,
    generate_rsa,
    public_pem,
    sign,
)
from federation.vocabulary import ActorDocument
from node.database.tables import now
from node.federating.peers import service as peers
from node.testing.nodes import Nodes, TestNode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ACTIVITY_JSON = "application/activity+json"
PROBLEM_DOCUMENT: dict[str, Any] = {"type": "about:blank"}


@cache
def private_key_pem(kind: str = "rsa", number: int = 1) -> str:  # noqa: ARG001 -- part of the cache key
    """A private key, cached by `kind` (rsa, ed25519) and the number `which`."""
    return generate_rsa() if kind == "rsa" else generate_ed25519()


@dataclass(frozen=True)
class SignedMessage:
    """A signed request to an inbox, to be sent or tampered with."""

    headers: Mapping[str, str]
    body: bytes
    target: str = "/inbox"

    def with_headers(self, **changes: str | None) -> "SignedMessage":
        """A copy with headers changed, or removed if None; `_` in a name stands for `-`."""
        changed_headers = {name.replace("_", "-").lower(): value for name, value in changes.items()}
        unchanged = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in changed_headers
        }
        added = {name: value for name, value in changed_headers.items() if value is not None}
        return replace(self, headers={**unchanged, **added})

    def send(self, to: TestNode) -> TestResponse:
        """Post it to a node."""
        headers = list(self.headers.items())
        base = to.node.settings.base_url
        return to.app.test_client().post(
            self.target, base_url=base, headers=headers, data=self.body
        )


@dataclass
class FakePeer:
    """A host that serves documents given by tests.

    `fetched` are the request targets of GETs, `received` the headers and activities of POSTs, which
    are answered with `response_status`.
    """

    host: str
    documents: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    received: list[tuple[Headers, dict[str, Any]]] = field(default_factory=list)
    response_status: int = 202
    _id_count: int = 0

    @classmethod
    def join(cls, nodes: Nodes, host: str, *allowed_by: TestNode) -> Self:
        """Add a host that `nodes` can reach and that `allowed_by` allow."""
        peer = cls(host)
        nodes.apps[host] = peer
        for node in allowed_by:
            with node.work() as work:
                peers.decide(work, host, peers.ALLOWED)
        return peer

    def uri(self, path: str) -> str:
        return f"https://{self.host}{path}"

    def new_id(self, kind: str = "activities") -> str:
        """A new, unused id on this host."""
        self._id_count += 1
        return self.uri(f"/{kind}/{self._id_count}")

    def received_of_type(self, kind: str) -> list[dict[str, Any]]:
        """The activities of a type that were sent to this host."""
        return [document for _headers, document in self.received if document["type"] == kind]

    def serve(self, uri: str, document: Mapping[str, Any], status: int = 200) -> None:
        self.documents[uri.removeprefix(f"https://{self.host}")] = status, dict(document)

    def actor(
        self, slug: str | None = None, *, private: str | None = None, **more: Any
    ) -> "FakeActor":
        """Serve an organisation with one key, `<id>#main-key`, and return its actor."""
        uri = self.uri(f"/councils/{slug}") if slug else self.new_id("councils")
        key = PrivateKey(f"{uri}#main-key", private or private_key_pem())
        document = ActorDocument(
            id=uri,
            type="Organization",
            inbox=f"{uri}/inbox",
            preferred_username=uri.rpartition("/")[2],
            name=f"The council at {uri}",
            outbox=f"{uri}/outbox",
            shared_inbox=self.uri("/inbox"),
            public_keys=(PublicKey(key.key_id, uri, public_pem(key.pem)),),
        ).dump()
        self.serve(uri, document | more)
        return FakeActor(self, uri, key)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """The WSGI application: serves `documents`, and answers POST with `response_status`."""
        target = str(environ["REQUEST_URI"])
        status, document = self.documents.get(target, (404, PROBLEM_DOCUMENT))
        if environ["REQUEST_METHOD"] == "POST":
            headers = Headers(EnvironHeaders(environ).items())
            self.received.append((headers, json.loads(environ["wsgi.input"].read())))
            status, document = self.response_status, {}
        else:
            self.fetched.append(target)
        kind = "application/jrd+json" if "webfinger" in target else ACTIVITY_JSON
        start_response(f"{status} Answer", [("Content-Type", kind)])
        return [json.dumps(document).encode()]


@dataclass(frozen=True)
class FakeActor:
    """An actor of a peer, with its signing key."""

    peer: FakePeer
    uri: str
    key: PrivateKey

    def build_activity(self, kind: str, about: Any, **more: Any) -> dict[str, Any]:
        """An activity of this actor, with a new id unless `more` has one."""
        document = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": self.peer.new_id(),
            "type": kind,
            "actor": self.uri,
            "object": about,
        }
        return document | more

    def sign(
        self,
        document: Mapping[str, Any] | bytes,
        to: TestNode,
        *,
        target: str = "/inbox",
        host: str | None = None,
        scheme: SignatureScheme = SignatureScheme.cavage,
        at: datetime | None = None,
        key: PrivateKey | None = None,
    ) -> SignedMessage:
        """Sign `document` for `to`, or for another `target` or `host`, as if at the time `at`."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        url = f"https://{host or to.host}{target}"
        signed = sign("POST", url, {}, body, key or self.key, at or now(), scheme)
        headers = {"Content-Type": ACTIVITY_JSON, "Host": to.host, **signed}
        return SignedMessage(dict(Headers(headers).items()), body, target)

    def send(self, document: Mapping[str, Any] | bytes, to: TestNode) -> TestResponse:
        """Sign `document` and send it to the shared inbox of `to`."""
        return self.sign(document, to).send(to)
