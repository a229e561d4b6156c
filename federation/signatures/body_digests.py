"""Digests of the body: `Digest` (RFC 3230) for draft-cavage; `Content-Digest` (RFC 9530).

Only SHA-256 counts. Digests by other algorithms are ignored.
"""

import hashlib
from base64 import b64encode
from hmac import compare_digest

from federation.errors import Refusal, RefusalReason
from federation.signatures.request import SignedRequest
from federation.signatures.structured_fields import (
    MAX_LEN_FIELD,
    HeaderFieldError,
    decode_base64,
    parse_dictionary,
)


def format_digest(body: bytes) -> str:
    """The value of a Digest header for `body`."""
    return f"SHA-256={_sha256_base64(body)}"


def format_content_digest(body: bytes) -> str:
    """The value of a Content-Digest header for `body`."""
    return f"sha-256=:{_sha256_base64(body)}:"


def check_digest(request: SignedRequest) -> None:
    """Check the Digest header. Raises `Refusal` (digest_missing, digest_wrong)."""
    text = _require_header(request, "digest")
    pairs = [part.strip().partition("=") for part in text.split(",")]
    values = [value for name, _, value in pairs if name.lower() == "sha-256"]
    # Two SHA-256 digests that differ cannot both be right.
    if len(text) > MAX_LEN_FIELD or len(set(values)) != 1:
        raise Refusal(RefusalReason.digest_wrong, "not one SHA-256 digest")
    try:
        _compare(request.body, decode_base64(values[0]))
    except HeaderFieldError as error:
        raise Refusal(RefusalReason.digest_wrong, str(error)) from error


def check_content_digest(request: SignedRequest) -> None:
    """Check the Content-Digest header. Raises `Refusal` (digest_missing, digest_wrong)."""
    try:
        members = parse_dictionary(_require_header(request, "content-digest"))
    except HeaderFieldError as error:
        raise Refusal(RefusalReason.digest_wrong, str(error)) from error
    member = members.get("sha-256")
    if member is None or not isinstance(member.value, bytes):
        raise Refusal(RefusalReason.digest_wrong, "not a SHA-256 digest")
    _compare(request.body, member.value)


def _require_header(request: SignedRequest, name: str) -> str:
    text = request.headers.get(name)
    if text is None:
        raise Refusal(RefusalReason.digest_missing, name)
    return text


def _compare(body: bytes, expected: bytes) -> None:
    if not compare_digest(hashlib.sha256(body).digest(), expected):
        raise Refusal(RefusalReason.digest_wrong, "the body has another SHA-256")


def _sha256_base64(body: bytes) -> str:
    return b64encode(hashlib.sha256(body).digest()).decode("ascii")
