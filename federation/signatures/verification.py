"""Signing and verifying requests in either scheme."""

import re
from collections.abc import Mapping
from datetime import datetime

from federation.errors import AddressError, Refusal, RefusalReason
from federation.origin import host_of, same_authority
from federation.signatures import cavage, rfc9421
from federation.signatures.body_digests import check_content_digest, check_digest
from federation.signatures.keys import PrivateKey, PublicKey
from federation.signatures.request import SignedRequest
from federation.signatures.signature import Signature, SignatureScheme

SIGN_FUNCTIONS = {SignatureScheme.cavage: cavage.sign, SignatureScheme.rfc9421: rfc9421.sign}
# The key id, in the spelling of either scheme.
KEY_ID_PATTERN = re.compile(r'\bkey[iI]d="([^"]+)"')
CHECK_DIGEST_FUNCTIONS = {
    SignatureScheme.cavage: check_digest,
    SignatureScheme.rfc9421: check_content_digest,
}


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    key: PrivateKey,
    now: datetime,
    scheme: SignatureScheme = SignatureScheme.cavage,
) -> dict[str, str]:
    """Return the headers that sign a request at the time `now`.

    `url` is percent-encoded, as it is sent. `body` is None for a request without one. A Host in
    `headers` is signed instead of the URL's. Raises `AddressError` if `url` is not a web address.
    """
    return SIGN_FUNCTIONS[scheme](method, url, headers, body, key, now)


def parse_signature(request: SignedRequest) -> Signature:
    """Read a request's signature, without verifying it. Raises `Refusal`."""
    if "signature-input" in request.headers:
        return rfc9421.parse(request)
    header = request.headers.get("signature")
    if header is None:
        if "authorization" in request.headers:
            raise Refusal(RefusalReason.signature_scheme_unknown, "an Authorization header")
        raise Refusal(RefusalReason.signature_missing)
    if "keyid=" not in header.lower():
        raise Refusal(RefusalReason.signature_scheme_unknown, header[:100])
    return cavage.parse(request)


def claimed_key_id(request: SignedRequest) -> str:
    """The key id in the request's signature, unverified; empty if it cannot be read."""
    header = request.headers.get("signature-input") or request.headers.get("signature") or ""
    key_id = KEY_ID_PATTERN.search(header)
    return key_id[1] if key_id else ""


def claimed_host(request: SignedRequest) -> str:
    """The host (`host[:port]`) of `claimed_key_id`, unverified; empty if it cannot be read."""
    try:
        return host_of(claimed_key_id(request))
    except AddressError:
        return ""


def check_body_and_date(request: SignedRequest, signature: Signature, now: datetime) -> None:
    """Check everything that needs no key: our host, the digest, the date. Raises `Refusal`."""
    host = request.headers.get("host")
    if host is not None and not same_authority(request.scheme, host, request.authority):
        raise Refusal(RefusalReason.wrong_host, host[:100])
    if request.has_content:
        CHECK_DIGEST_FUNCTIONS[signature.scheme](request)
    if not any(candidate.is_current(now) for candidate in signature.candidates):
        raise Refusal(RefusalReason.date_outside_window)


def check_signature(signature: Signature, key: PublicKey, now: datetime) -> None:
    """Check that `key` made the signature. Raises `Refusal`."""
    if key.key_id != signature.key_id:
        raise Refusal(RefusalReason.signature_wrong, "signed with another key")
    current = [candidate for candidate in signature.candidates if candidate.is_current(now)]
    matching = [candidate for candidate in current if key.algorithm in candidate.algorithms]
    if current and not matching:
        raise Refusal(RefusalReason.signature_algorithm, f"the key is for {key.algorithm}")
    for candidate in matching:
        if any(key.verifies(text, candidate.value) for text in candidate.texts):
            return
    raise Refusal(RefusalReason.signature_wrong)


def verify(request: SignedRequest, signature: Signature, key: PublicKey, now: datetime) -> None:
    """Check the host, digest, date and signature of a request. Raises `Refusal`."""
    check_body_and_date(request, signature, now)
    check_signature(signature, key, now)
