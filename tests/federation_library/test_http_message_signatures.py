"""`http-message-signatures` as another implementation of RFC 9421, both ways."""

from dataclasses import dataclass
from typing import Any

import pytest
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)

from federation.signatures import Headers, SignatureScheme, SignedRequest, parse_signature, verify
from tests.federation_library.peer import BODY, KEY_ID, NOW, US, post, private_key, public_key

URL = f"https://{US}/inbox?page=1"
ALGORITHMS = {"rsa": algorithms.RSA_V1_5_SHA256, "ed25519": algorithms.ED25519}


@dataclass
class Message:
    """A request as the other library wants it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = BODY


def resolver(kind: str) -> MappingKeyResolver:
    key = private_key(kind)
    public = public_key(key).pem.encode()
    return MappingKeyResolver(public_keys={KEY_ID: public}, private_keys={KEY_ID: key.pem.encode()})


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"include_alg": False},
        {"label": "sig-1", "tag": "activitypub", "nonce": 'quote " and \\ backslash'},
        {"expires": NOW.replace(hour=13)},
    ],
)
def test_what_the_other_signs_verifies(kind: str, options: dict[str, Any]) -> None:
    message = Message("POST", URL, {"Host": US, "Content-Type": "application/activity+json"})
    signer = HTTPMessageSigner(signature_algorithm=ALGORITHMS[kind], key_resolver=resolver(kind))
    covered = ("@method", "@target-uri", "@authority", "@path", "@query", "content-type")
    signer.sign(
        message, key_id=KEY_ID, created=NOW, body=BODY, covered_component_ids=covered, **options
    )
    request = SignedRequest("POST", "https", US, "/inbox?page=1", Headers(message.headers), BODY)
    verify(request, parse_signature(request), public_key(private_key(kind)), NOW)


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_the_other_verifies_what_we_sign(kind: str) -> None:
    request = post(scheme=SignatureScheme.rfc9421, target="/inbox?page=1", key=private_key(kind))
    message = Message("POST", URL, dict(request.headers.items()))
    verifier = HTTPMessageVerifier(
        signature_algorithm=ALGORITHMS[kind], key_resolver=resolver(kind)
    )
    required = ("@method", "@target-uri", "content-digest")
    results = verifier.verify(message, max_age=None, require_components=required, body=BODY)
    assert [result.parameters["keyid"] for result in results] == [KEY_ID]
    message.url = f"https://{US}/inbox?page=2"
    with pytest.raises(InvalidSignature):
        verifier.verify(message, max_age=None, body=BODY)
