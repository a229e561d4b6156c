"""The published examples: draft-cavage-12 appendix C, RFC 9421 B.2, RFC 9530."""

from base64 import b64decode

import pytest

from federation.errors import Refusal, RefusalReason
from federation.signatures import Headers, PrivateKey, PublicKey, SignedRequest, public_pem
from federation.signatures.body_digests import (
    check_content_digest,
    format_content_digest,
    format_digest,
)
from federation.signatures.cavage import signing_string
from federation.signatures.keys import multikey_to_pem, pem_to_multikey
from federation.signatures.rfc9421 import parse as read_rfc9421
from federation.signatures.rfc9421 import signature_base

CAVAGE_KEY = """-----BEGIN RSA PRIVATE KEY-----
MIICXgIBAAKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF
NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+F
UR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB
AoGBAJR8ZkCUvx5kzv+utdl7T5MnordT1TvoXXJGXK7ZZ+UuvMNUCdN2QPc4sBiA
QWvLw1cSKt5DsKZ8UETpYPy8pPYnnDEz2dDYiaew9+xEpubyeW2oH4Zx71wqBtOK
kqwrXa/pzdpiucRRjk6vE6YY7EBBs/g7uanVpGibOVAEsqH1AkEA7DkjVH28WDUg
f1nqvfn2Kj6CT7nIcE3jGJsZZ7zlZmBmHFDONMLUrXR/Zm3pR5m0tCmBqa5RK95u
412jt1dPIwJBANJT3v8pnkth48bQo/fKel6uEYyboRtA5/uHuHkZ6FQF7OUkGogc
mSJluOdc5t6hI1VsLn0QZEjQZMEOWr+wKSMCQQCC4kXJEsHAve77oP6HtG/IiEn7
kpyUXRNvFsDE0czpJJBvL/aRFUJxuRK91jhjC68sA7NsKMGg5OXb5I5Jj36xAkEA
gIT7aFOYBFwGgQAQkWNKLvySgKbAZRTeLBacpHMuQdl1DfdntvAyqpAZ0lY0RKmW
G6aFKaqQfOXKCyWoUiVknQJAXrlgySFci/2ueKlIE1QqIiLSZ8V8OlpFLRnb1pzI
7U1yQXnTAEFYM560yJlzUpOb1V4cScGd365tiSMvxLOvTA==
-----END RSA PRIVATE KEY-----
"""
CAVAGE_BODY = b'{"hello": "world"}'
CAVAGE_HEADERS = Headers(
    {
        "Host": "example.com",
        "Date": "Sun, 05 Jan 2014 21:31:40 GMT",
        "Content-Type": "application/json",
        "Digest": "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
        "Content-Length": "18",
    }
)
CAVAGE_EXAMPLES = {
    "C.1 default": (
        ["date"],
        (
            "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV"
            "5lp7q25WqS+lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM="
        ),
    ),
    "C.2 basic": (
        ["(request-target)", "host", "date"],
        (
            "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3"
            "HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="
        ),
    ),
    "C.3 all headers": (
        ["(request-target)", "host", "date", "content-type", "digest", "content-length"],
        (
            "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52"
            "LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="
        ),
    ),
}


@pytest.mark.parametrize("example", CAVAGE_EXAMPLES)
def test_cavage_examples_are_signed_as_published(example: str) -> None:
    components, published = CAVAGE_EXAMPLES[example]
    text = signing_string(components, "POST", "/foo?param=value&pet=dog", CAVAGE_HEADERS)
    assert PrivateKey("Test", CAVAGE_KEY).sign(text) == b64decode(published)


def test_cavage_digest_is_as_published() -> None:
    assert format_digest(CAVAGE_BODY) == CAVAGE_HEADERS.get("digest")


def test_the_1024_bit_key_of_the_examples_is_too_small_to_verify_with() -> None:
    key = PublicKey("Test", "https://example.com/actor", public_pem(CAVAGE_KEY))
    with pytest.raises(Refusal) as refused:
        key.verifies(b"", b"")
    assert refused.value.reason is RefusalReason.key_unusable


ED25519_PRIVATE = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""
ED25519_PUBLIC = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""
SHA512 = (
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm"
    "+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
)
RFC_REQUEST = SignedRequest(
    "POST",
    "https",
    "example.com",
    "/foo?param=Value&Pet=dog",
    Headers(
        {
            "Host": "example.com",
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Digest": SHA512,
            "Content-Length": "18",
        }
    ),
    b'{"hello": "world"}',
)
B26_COMPONENTS = ("date", "@method", "@path", "@authority", "content-type", "content-length")
B26_PARAMETERS = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
B26_SIGNATURE = (
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
)


def test_rfc9421_b21_base_of_a_minimal_signature() -> None:
    parameters = '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"'
    assert (
        signature_base((), parameters, RFC_REQUEST).decode() == f'"@signature-params": {parameters}'
    )


def test_rfc9421_b23_base_of_full_coverage() -> None:
    components = (
        "date",
        "@method",
        "@path",
        "@query",
        "@authority",
        "content-type",
        "content-digest",
        "content-length",
    )
    covered = " ".join(f'"{name}"' for name in components)
    parameters = f'({covered});created=1618884473;keyid="test-key-rsa-pss"'
    assert signature_base(components, parameters, RFC_REQUEST).decode() == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@method": POST\n'
        '"@path": /foo\n'
        '"@query": ?param=Value&Pet=dog\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        f'"content-digest": {SHA512}\n'
        '"content-length": 18\n'
        f'"@signature-params": {parameters}'
    )


def test_rfc9421_b26_signed_as_published() -> None:
    base = signature_base(B26_COMPONENTS, B26_PARAMETERS, RFC_REQUEST)
    assert PrivateKey("test-key-ed25519", ED25519_PRIVATE).sign(base) == b64decode(B26_SIGNATURE)


def test_rfc9421_b26_verifies() -> None:
    key = PublicKey("test-key-ed25519", "https://example.com/actor", ED25519_PUBLIC)
    base = signature_base(B26_COMPONENTS, B26_PARAMETERS, RFC_REQUEST)
    assert key.verifies(base, b64decode(B26_SIGNATURE))
    assert not key.verifies(base + b" ", b64decode(B26_SIGNATURE))


@pytest.mark.parametrize(
    "signature_input, signature, reason",
    [
        # B.2.6 is a valid signature, and yet does not cover what a delivery must.
        (
            f"sig-b26={B26_PARAMETERS}",
            f"sig-b26=:{B26_SIGNATURE}:",
            RefusalReason.signature_incomplete,
        ),
        # B.2.5 is an HMAC.
        (
            (
                'sig-b25=("date" "@authority" "content-type")'
                ';created=1618884473;keyid="test-shared-secret"'
            ),
            "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
            RefusalReason.signature_incomplete,
        ),
    ],
)
def test_rfc9421_examples_cover_too_little_for_an_inbox(
    signature_input: str, signature: str, reason: RefusalReason
) -> None:
    headers = dict(RFC_REQUEST.headers.items())
    headers |= {"signature-input": signature_input, "signature": signature}
    request = SignedRequest(
        "POST", "https", "example.com", RFC_REQUEST.target, Headers(headers), b"{}"
    )
    with pytest.raises(Refusal) as refused:
        read_rfc9421(request)
    assert refused.value.reason is reason


def test_rfc9530_content_digest() -> None:
    body = b'{"hello": "world"}\n'
    published = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert format_content_digest(body) == published
    both = Headers({"Content-Digest": f"sha-512=:AAAA:, {published}"})
    check_content_digest(SignedRequest("POST", "https", "example.com", "/", both, body))


def test_multikey_of_the_eddsa_cryptosuites() -> None:
    """The key pair of Data Integrity EdDSA Cryptosuites 1.0, appendix B; also used in FEP-521a."""
    published = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    assert pem_to_multikey(multikey_to_pem(published)) == published
    assert pem_to_multikey(ED25519_PUBLIC).startswith("z6Mk")
    assert multikey_to_pem(pem_to_multikey(ED25519_PUBLIC)) == ED25519_PUBLIC
