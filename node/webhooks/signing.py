"""Signs messages after Standard Webhooks, so that receivers can verify their sender. Pure."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from node.webhooks.models import SECRET_PREFIX


def signed_headers(
    reference: str, at: datetime, body: bytes, secrets: Iterable[str]
) -> dict[str, str]:
    """The headers of a message, signed with each of `secrets`, as a receiver may not have the
    newest yet.
    """
    timestamp = str(int(at.timestamp()))
    signed_content = f"{reference}.{timestamp}.".encode() + body
    return {
        "webhook-id": reference,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(
            _compute_signature(secret, signed_content) for secret in secrets
        ),
    }


def _compute_signature(secret: str, signed_content: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + b64encode(hmac.new(key, signed_content, sha256).digest()).decode()
