"""A peer that signs what it sends to us, and ways to tamper with it on the way."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from federation.errors import Refusal, RefusalReason
from federation.signatures import (
    Headers,
    PrivateKey,
    PublicKey,
    SignatureScheme,
    SignedRequest,
    generate_ed25519,
    generate_rsa,
    parse_signature,
    public_pem,
    sign,
    verify,
)
from federation.signatures.cavage import signing_string

Tamper = Callable[[SignedRequest], SignedRequest]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
US = "moothall.aldermoor.example"
HOST = "barrowdale.example"
ACTOR = f"https://{HOST}/councils/barrowdale"
KEY_ID = f"{ACTOR}#main-key"
BODY = json.dumps(
    {
        "id": f"https://{HOST}/activities/1",
        "type": "Like",
        "actor": ACTOR,
        "object": "https://x.example/1",
    }
).encode()


@cache
def private_key(kind: str = "rsa", key_id: str = KEY_ID) -> PrivateKey:
    """The same key in every test; another `kind` or `key_id` is another key."""
    return PrivateKey(key_id, generate_ed25519() if kind == "ed25519" else generate_rsa())


def public_key(key: PrivateKey | None = None, owner: str = ACTOR) -> PublicKey:
    key = key or private_key()
    return PublicKey(key.key_id, owner, public_pem(key.pem))


def post(
    body: bytes = BODY,
    *,
    scheme: SignatureScheme = SignatureScheme.cavage,
    target: str = "/inbox",
    authority: str = US,
    key: PrivateKey | None = None,
    now: datetime = NOW,
) -> SignedRequest:
    """A signed POST as it arrives here."""
    url = f"https://{authority}{target}"
    added = sign("POST", url, {}, body, key or private_key(), now, scheme)
    sent = {"Host": authority, "Content-Type": "application/activity+json", **added}
    return SignedRequest("POST", "https", US, target, Headers(sent), body)


def with_headers(request: SignedRequest, **changes: str | None) -> SignedRequest:
    """`request` with headers changed, or left out where None; `_` in a name stands for `-`."""
    headers: dict[str, str | None] = dict(request.headers.items())
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    kept = {name: value for name, value in headers.items() if value is not None}
    return replace(request, headers=Headers(kept))


def cavage_signed(
    request: SignedRequest,
    components: Sequence[str] = ("(request-target)", "host", "date", "digest"),
    *,
    target: str | None = None,
    key: PrivateKey | None = None,
    **parameters: str | None,
) -> SignedRequest:
    """`request` signed anew over `components`; `parameters` are added or, where None, left out."""
    key = key or private_key()
    stated = {name: value for name, value in parameters.items() if value is not None}
    text = signing_string(
        components, request.method, target or request.target, request.headers, stated
    )
    every = {
        "keyId": key.key_id,
        "algorithm": "rsa-sha256",
        "headers": " ".join(components),
        "signature": base64(key.sign(text)),
        **parameters,
    }
    written = ",".join(f'{name}="{value}"' for name, value in every.items() if value is not None)
    return with_headers(request, signature=written)


def check(request: SignedRequest, key: PublicKey | None = None) -> None:
    """Verify `request` as it would be on arrival."""
    verify(request, parse_signature(request), key or public_key(), NOW)


def unsigned(request: SignedRequest) -> SignedRequest:
    """`request` without its signature."""
    return with_headers(request, signature=None)


def base64(data: bytes) -> str:
    return b64encode(data).decode()


def activity(**changes: Any) -> bytes:
    """The body of an activity of the peer; properties that are None are left out."""
    document = json.loads(BODY) | changes
    return json.dumps(
        {name: value for name, value in document.items() if value is not None}
    ).encode()


@dataclass
class Keys:
    """A key store in memory that notes what was fetched."""

    stored: dict[str, PublicKey] = field(default_factory=dict)
    served: dict[str, PublicKey | RefusalReason] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def get_stored(self, key_id: str) -> PublicKey | None:
        return self.stored.get(key_id)

    def fetch(self, key_id: str) -> PublicKey:
        self.fetched.append(key_id)
        answer = self.served.get(key_id, RefusalReason.key_not_found)
        if isinstance(answer, RefusalReason):
            raise Refusal(answer)
        return answer
