"""Somebody else's server: it serves documents, counts what is fetched, and signs what it sends."""

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
    Scheme,
    generate_ed25519,
    generate_rsa,
    public_pem,
    sign,
)
from federation.vocabulary import ActorDocument
from node.db import now
from node.federating import peers
from node.testing.nodes import Nodes, TestNode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

AS2 = "application/activity+json"
PROBLEM: dict[str, Any] = {"type": "about:blank"}


@cache
def private_key_pem(kind: str = "rsa", which: int = 1) -> str:  # noqa: ARG001 -- one key for each number
    """A private key, the same each time; another `kind` (rsa, ed25519) or number is another key."""
    return generate_rsa() if kind == "rsa" else generate_ed25519()


@dataclass(frozen=True)
class SignedMessage:
    """A request to an inbox, ready to be sent or to be tampered with."""

    headers: Mapping[str, str]
    body: bytes
    target: str = "/inbox"

    def with_headers(self, **changes: str | None) -> "SignedMessage":
        """With headers changed, or left out where None; `_` in a name stands for `-`."""
        named = {name.replace("_", "-").lower(): value for name, value in changes.items()}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in named}
        added = {name: value for name, value in named.items() if value is not None}
        return replace(self, headers={**kept, **added})

    def send(self, to: TestNode) -> TestResponse:
        """Post it to a node."""
        headers = list(self.headers.items())
        base = to.node.settings.base_url
        return to.app.test_client().post(
            self.target, base_url=base, headers=headers, data=self.body
        )


@dataclass
class FakePeer:
    """A host whose documents tests put together.

    `fetched` are the targets that were asked for, `received` what was sent and with which headers;
    `answers` is the status that senders get.
    """

    host: str
    documents: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    received: list[tuple[Headers, dict[str, Any]]] = field(default_factory=list)
    response_status: int = 202
    _counted: int = 0

    @classmethod
    def join(cls, nodes: Nodes, host: str, *allowed_by: TestNode) -> Self:
        """A host that `nodes` can reach."""
        peer = cls(host)
        nodes.apps[host] = peer
        for node in allowed_by:
            with node.work() as work:
                peers.decide(work, host, peers.ALLOWED)
        return peer

    def uri(self, path: str) -> str:
        return f"https://{self.host}{path}"

    def new_id(self, kind: str = "activities") -> str:
        """The id of something that did not exist before."""
        self._counted += 1
        return self.uri(f"/{kind}/{self._counted}")

    def received_of_type(self, kind: str) -> list[dict[str, Any]]:
        """The activities of a type that were sent to this host."""
        return [document for _headers, document in self.received if document["type"] == kind]

    def serve(self, uri: str, document: Mapping[str, Any], status: int = 200) -> None:
        self.documents[uri.removeprefix(f"https://{self.host}")] = status, dict(document)

    def actor(
        self, slug: str | None = None, *, private: str | None = None, **more: Any
    ) -> "FakeActor":
        """An organisation that this host serves, with one key, `<id>#main-key`."""
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
        """Answer as a WSGI application: what is served, or 202 to whatever is sent."""
        target = str(environ["REQUEST_URI"])
        status, document = self.documents.get(target, (404, PROBLEM))
        if environ["REQUEST_METHOD"] == "POST":
            headers = Headers(EnvironHeaders(environ).items())
            self.received.append((headers, json.loads(environ["wsgi.input"].read())))
            status, document = self.response_status, {}
        else:
            self.fetched.append(target)
        kind = "application/jrd+json" if "webfinger" in target else AS2
        start_response(f"{status} Answer", [("Content-Type", kind)])
        return [json.dumps(document).encode()]


@dataclass(frozen=True)
class FakeActor:
    """An actor of a peer, and the key it signs with."""

    peer: FakePeer
    uri: str
    key: PrivateKey

    def build_activity(self, kind: str, about: Any, **more: Any) -> dict[str, Any]:
        """An activity of this actor, with an id of its own unless `more` has one."""
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
        scheme: Scheme = Scheme.cavage,
        at: datetime | None = None,
        key: PrivateKey | None = None,
    ) -> SignedMessage:
        """`document` signed for `to`, or for another `target` or `host`, at a time of choice."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        url = f"https://{host or to.host}{target}"
        signed = sign("POST", url, {}, body, key or self.key, at or now(), scheme)
        headers = {"Content-Type": AS2, "Host": to.host, **signed}
        return SignedMessage(dict(Headers(headers).items()), body, target)

    def send(self, document: Mapping[str, Any] | bytes, to: TestNode) -> TestResponse:
        """Sign and send."""
        return self.sign(document, to).send(to)
