"""A row of a table of messages, what it is about, and common ways to make its message."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from federation.errors import RefusalReason
from federation.signatures import PrivateKey, SignatureScheme
from node.database.tables import now
from node.testing.fake_peer import FakeActor, FakePeer, SignedMessage
from node.testing.nodes import TestNode
from tests.refusals.bending import (
    COVERED,
    cavage_signed,
    message_signed,
)

PARTS = ("@method", "@target-uri", "content-digest")


@dataclass(frozen=True)
class Case:
    """Who sends to whom. `other` is a peer that is allowed too."""

    node: TestNode
    sender: FakeActor
    other: FakePeer

    @property
    def peer(self) -> FakePeer:
        return self.sender.peer

    def like(self, **more: Any) -> dict[str, Any]:
        """An activity in which nothing is wrong."""
        return self.sender.build_activity("Like", f"{self.node.council_uri}#a-project", **more)

    def good(self, **how: Any) -> SignedMessage:
        """A message in which nothing is wrong."""
        return self.sender.sign(self.like(), self.node, **how)

    def signed(self, document: dict[str, Any] | bytes, **how: Any) -> SignedMessage:
        return self.sender.sign(document, self.node, **how)

    def again(self, message: SignedMessage, *components: str, **how: Any) -> SignedMessage:
        """Signed again, in draft-cavage, after something was changed."""
        return cavage_signed(message, self.sender.key, components or COVERED, **how)


@dataclass(frozen=True)
class Row:
    """`host`: the one that is shown to the operator, if not the sender's."""

    name: str
    bend: Callable[[Case], SignedMessage]
    reason: RefusalReason
    status: int
    host: str | None = None


Value = TypeVar("Value")


def each(
    name: str,
    values: Iterable[Value],
    bend: Callable[[Case, Value], SignedMessage],
    reason: RefusalReason,
    status: int,
    host: str | None = None,
) -> Iterator[Row]:
    """A row for each value; `name` says where the value stands in its name."""

    def row(value: Value) -> Row:
        shown = value if isinstance(value, str) else repr(value)
        return Row(name.format(shown), lambda case: bend(case, value), reason, status, host)

    return map(row, values)


def without(case: Case, component: str) -> SignedMessage:
    return case.again(case.good(), *(name for name in COVERED if name != component))


def dated(case: Case, date: str) -> SignedMessage:
    return case.again(case.good().with_headers(date=date))


def digested(case: Case, digest: str) -> SignedMessage:
    return case.again(case.good().with_headers(digest=digest))


def unwrapped(case: Case, components: tuple[str, ...], **parameters: str | int) -> SignedMessage:
    message = case.good(scheme=SignatureScheme.rfc9421)
    return message_signed(message, case.node, case.sender.key, components, **parameters)


def moment() -> int:
    return int(now().timestamp())


def key_of(case: Case, key_id: str) -> SignedMessage:
    """Signed with the sender's key under another name."""
    return case.good(key=PrivateKey(key_id, case.sender.key.pem))


def key_document(case: Case, owner: str) -> SignedMessage:
    """Signed with a key that has a document of its own, which names `owner`."""
    uri = case.peer.new_id("keys")
    actor = case.peer.documents[case.sender.uri.removeprefix(f"https://{case.peer.host}")][1]
    case.peer.serve(uri, actor["publicKey"] | {"id": uri, "owner": owner})
    return key_of(case, uri)


def serving(case: Case, status: int = 200, **changes: Any) -> SignedMessage:
    """The sender's own document is changed before anybody read it."""
    path = case.sender.uri.removeprefix(f"https://{case.peer.host}")
    case.peer.serve(case.sender.uri, case.peer.documents[path][1] | changes, status)
    return case.good()


def listing(case: Case, **changes: str) -> SignedMessage:
    path = case.sender.uri.removeprefix(f"https://{case.peer.host}")
    return serving(case, publicKey=case.peer.documents[path][1]["publicKey"] | changes)


def text(case: Case, **replaced: str) -> bytes:
    """A good body with pieces of its JSON text replaced."""
    written = json.dumps(case.like(name="_name_", content={"a": "_inner_"}))
    for name, value in replaced.items():
        written = written.replace(f'"_{name}_"', value)
    return written.encode()
