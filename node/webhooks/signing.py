"""The headers of Standard Webhooks: who receives a message can tell that it is ours. Pure."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from node.webhooks.models import SECRET_PREFIX


def signed_headers(
    reference: str, at: datetime, body: bytes, keys: Iterable[str]
) -> dict[str, str]:
    """Signed with each of `keys`, so that whoever receives may still have the one before."""
    moment = str(int(at.timestamp()))
    signed = f"{reference}.{moment}.".encode() + body
    return {
        "webhook-id": reference,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def _signature(key: str, signed: bytes) -> str:
    secret = b64decode(key.removeprefix(SECRET_PREFIX))
    return "v1," + b64encode(hmac.new(secret, signed, sha256).digest()).decode()
