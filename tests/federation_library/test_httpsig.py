"""`httpsig` as another implementation of draft-cavage, both ways."""

import warnings
from typing import Any

import pytest

from federation.errors import Refusal, RefusalReason
from federation.signatures import (
    Headers,
    SignedRequest,
    parse_signature,
    public_pem,
    verify,
)
from federation.signatures.body_digests import format_digest
from federation.signatures.dates import format_http_date
from tests.federation_library.peer import BODY, KEY_ID, NOW, US, post, private_key, public_key

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import httpsig

COVERED = ["(request-target)", "host", "date", "digest"]


def signed_by_httpsig(**signer: Any) -> SignedRequest:
    given = {"key_id": KEY_ID, "secret": private_key().pem, "algorithm": "rsa-sha256", **signer}
    other = httpsig.HeaderSigner(headers=COVERED, sign_header="signature", **given)
    headers = {"Host": US, "Date": format_http_date(NOW), "Digest": format_digest(BODY)}
    signed = other.sign(headers, method="POST", path="/inbox?page=1")
    return SignedRequest("POST", "https", US, "/inbox?page=1", Headers(dict(signed)), BODY)


def test_what_httpsig_signs_verifies() -> None:
    request = signed_by_httpsig()
    verify(request, parse_signature(request), public_key(), NOW)


def test_what_httpsig_signs_with_another_hash_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        parse_signature(signed_by_httpsig(algorithm="rsa-sha512"))
    assert refused.value.reason is RefusalReason.signature_algorithm


def test_an_hmac_keyed_with_the_public_key_is_refused() -> None:
    """httpsig itself would verify this: the header chooses HMAC, and its key is no secret."""
    request = signed_by_httpsig(algorithm="hmac-sha256", secret=public_pem(private_key().pem))
    with pytest.raises(Refusal) as refused:
        verify(request, parse_signature(request), public_key(), NOW)
    assert refused.value.reason is RefusalReason.signature_algorithm


def test_httpsig_verifies_what_we_sign() -> None:
    request = post(target="/inbox?page=1")
    given = {"method": "POST", "path": request.target, "sign_header": "signature"}
    headers = dict(request.headers.items())
    secret = public_key().pem
    verifier = httpsig.HeaderVerifier(headers, secret, required_headers=COVERED, **given)
    assert verifier.verify()
    headers["date"] = format_http_date(NOW.replace(hour=13))
    assert not httpsig.HeaderVerifier(headers, secret, required_headers=COVERED, **given).verify()
