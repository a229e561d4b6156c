"""What verifies of RFC 9421 and what does not: musts 11 to 13 and 18 of the protocol."""

from dataclasses import replace
from hashlib import sha512
from itertools import combinations

import pytest

from federation.errors import Refusal, RefusalReason
from federation.signatures import SignatureScheme, SignedRequest
from federation.signatures.rfc9421 import signature_base
from tests.federation_library.peer import (
    BODY,
    KEY_ID,
    NOW,
    US,
    Tamper,
    base64,
    check,
    post,
    private_key,
    unsigned,
    with_headers,
)

STAMP = int(NOW.timestamp())


def rfc9421_signed(
    request: SignedRequest,
    components: tuple[str, ...] = ("@method", "@target-uri", "content-digest"),
    parameters: str = f';created={STAMP};keyid="{KEY_ID}"',
) -> SignedRequest:
    covered = " ".join(f'"{name}"' for name in components)
    given = f"({covered}){parameters}"
    value = base64(private_key().sign(signature_base(components, given, request)))
    return with_headers(request, signature_input=f"sig1={given}", signature=f"sig1=:{value}:")


def of(request: SignedRequest, name: str) -> str:
    return request.headers.get(name) or ""


def signed_over(components: tuple[str, ...]) -> Tamper:
    return lambda request: rfc9421_signed(request, components)


RFC_GOOD: dict[str, Tamper] = {
    "the least": rfc9421_signed,
    "every derived component": lambda r: rfc9421_signed(
        r,
        (
            "@method",
            "@target-uri",
            "@authority",
            "@scheme",
            "@request-target",
            "@path",
            "@query",
            "content-digest",
            "content-type",
        ),
    ),
    "expires": lambda r: rfc9421_signed(
        r, parameters=f';created={STAMP};expires={STAMP + 1};keyid="{KEY_ID}"'
    ),
    "unknown parameters": lambda r: rfc9421_signed(
        r, parameters=f';created={STAMP};keyid="{KEY_ID}";tag="x";nonce="y";z;w=tok'
    ),
    "after a signature that is incomplete": lambda r: with_headers(
        rfc9421_signed(r),
        signature_input=f'proxy=("@method");keyid="k", {of(rfc9421_signed(r), "signature-input")}',
        signature=f"proxy=:AAAA:, {rfc9421_signed(r).headers.get('signature')}",
    ),
    "after a wrong one by the same key": lambda r: with_headers(
        rfc9421_signed(r),
        signature_input=f"first={(rfc9421_signed(r).headers.get('signature-input') or '')[5:]}, "
        f"{rfc9421_signed(r).headers.get('signature-input')}",
        signature=f"first=:AAAA:, {rfc9421_signed(r).headers.get('signature')}",
    ),
    "a digest of another kind beside it": lambda r: rfc9421_signed(
        with_headers(r, content_digest=f"sha-512=:AAAA:, {r.headers.get('content-digest')}")
    ),
}


@pytest.mark.parametrize("case", RFC_GOOD)
def test_rfc9421_variants_verify(case: str) -> None:
    check(RFC_GOOD[case](post(scheme=SignatureScheme.rfc9421, target="/inbox?page=1")))


def rewritten(name: str, old: str, new: str) -> Tamper:
    """A header with a part of it changed."""

    def tamper(request: SignedRequest) -> SignedRequest:
        value = request.headers.get(name) or ""
        assert old in value
        return with_headers(request, **{name: value.replace(old, new)})

    return tamper


def too_old(request: SignedRequest) -> SignedRequest:
    return rfc9421_signed(request, parameters=f';created={STAMP - 43201};keyid="{KEY_ID}"')


RFC_BAD: dict[str, tuple[Tamper, RefusalReason]] = {
    **{
        f"{' and '.join(covered)} alone": (signed_over(covered), RefusalReason.signature_incomplete)
        for covered in combinations(("@method", "@target-uri", "content-digest"), 2)
    },
    "nothing covered": (lambda r: rfc9421_signed(r, ()), RefusalReason.signature_incomplete),
    "no content digest": (
        lambda r: rfc9421_signed(with_headers(r, content_digest=None), ("@method", "@target-uri")),
        RefusalReason.digest_missing,
    ),
    "no created": (
        lambda r: rfc9421_signed(r, parameters=f';keyid="{KEY_ID}"'),
        RefusalReason.date_missing,
    ),
    "no keyid": (
        lambda r: rfc9421_signed(r, parameters=f";created={STAMP}"),
        RefusalReason.signature_malformed,
    ),
    "created as a string": (
        lambda r: rfc9421_signed(r, parameters=f';created="{STAMP}";keyid="{KEY_ID}"'),
        RefusalReason.signature_malformed,
    ),
    "created out of all time": (
        lambda r: rfc9421_signed(r, parameters=f';created=999999999999999;keyid="{KEY_ID}"'),
        RefusalReason.signature_malformed,
    ),
    "too old": (
        too_old,
        RefusalReason.date_outside_window,
    ),
    "too far ahead": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP + 3601};keyid="{KEY_ID}"'),
        RefusalReason.date_outside_window,
    ),
    "expired": (
        lambda r: rfc9421_signed(
            r, parameters=f';created={STAMP};expires={STAMP - 1};keyid="{KEY_ID}"'
        ),
        RefusalReason.date_outside_window,
    ),
    "HMAC": (
        lambda r: rfc9421_signed(
            r, parameters=f';created={STAMP};keyid="{KEY_ID}";alg="hmac-sha256"'
        ),
        RefusalReason.signature_algorithm,
    ),
    "an algorithm that the key is not for": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP};keyid="{KEY_ID}";alg="ed25519"'),
        RefusalReason.signature_algorithm,
    ),
    "a component with parameters": (
        rewritten("signature-input", '"@method"', '"@method";req'),
        RefusalReason.signature_malformed,
    ),
    "an unknown derived component": (
        rewritten("signature-input", '"@method"', '"@method" "@status"'),
        RefusalReason.signature_malformed,
    ),
    "a component twice": (
        rewritten("signature-input", '"@method"', '"@method" "@method"'),
        RefusalReason.signature_malformed,
    ),
    "a component in capitals": (
        rewritten("signature-input", '"content-digest"', '"Content-Digest"'),
        RefusalReason.signature_malformed,
    ),
    "no list": (
        lambda r: with_headers(r, signature_input='sig1="@method"'),
        RefusalReason.signature_malformed,
    ),
    "an unreadable input": (
        lambda r: with_headers(r, signature_input='sig1=("@method'),
        RefusalReason.signature_malformed,
    ),
    "an empty input": (
        lambda r: with_headers(r, signature_input=""),
        RefusalReason.signature_malformed,
    ),
    "1,000 components": (
        lambda r: with_headers(
            r, signature_input="sig1=(" + " ".join(f'"{n}"' for n in range(1000)) + ")"
        ),
        RefusalReason.signature_malformed,
    ),
    "no signature of that label": (
        rewritten("signature", "sig1", "sig2"),
        RefusalReason.signature_malformed,
    ),
    "a signature that is no bytes": (
        lambda r: with_headers(r, signature='sig1="text"'),
        RefusalReason.signature_malformed,
    ),
    "no signature header": (unsigned, RefusalReason.signature_malformed),
    "a wrong signature": (
        lambda r: with_headers(r, signature="sig1=:AAAA:"),
        RefusalReason.signature_wrong,
    ),
    "a fourth signature, after three that do not count": (
        lambda r: with_headers(
            r,
            signature_input=", ".join(
                [f'p{n}=("@method");keyid="k"' for n in range(3)]
                + [r.headers.get("signature-input") or ""]
            ),
            signature=", ".join(
                [f"p{n}=:AAAA:" for n in range(3)] + [r.headers.get("signature") or ""]
            ),
        ),
        RefusalReason.signature_incomplete,
    ),
    "an old one that is right beside a new one that is wrong": (
        lambda r: with_headers(
            r,
            signature_input=f"{of(too_old(r), 'signature-input')}, b{of(r, 'signature-input')[4:]}",
            signature=f"{of(too_old(r), 'signature')}, b=:AAAA:",
        ),
        RefusalReason.signature_wrong,
    ),
    "a wrong digest": (
        lambda r: rfc9421_signed(with_headers(r, content_digest=f"sha-256=:{base64(b'x' * 32)}:")),
        RefusalReason.digest_wrong,
    ),
    "only a SHA-512 digest": (
        lambda r: rfc9421_signed(
            with_headers(r, content_digest=f"sha-512=:{base64(sha512(BODY).digest())}:")
        ),
        RefusalReason.digest_wrong,
    ),
    "an unreadable digest": (
        lambda r: rfc9421_signed(with_headers(r, content_digest="sha-256=abc=:")),
        RefusalReason.digest_wrong,
    ),
    "a changed body": (lambda r: replace(r, body=r.body + b" "), RefusalReason.digest_wrong),
    "another path": (lambda r: replace(r, target="/x"), RefusalReason.signature_wrong),
    "another query": (lambda r: replace(r, target="/inbox?page=2"), RefusalReason.signature_wrong),
    "another method": (lambda r: replace(r, method="PUT"), RefusalReason.signature_wrong),
    "signed for another host": (
        lambda r: with_headers(
            post(scheme=SignatureScheme.rfc9421, target=r.target, authority="other.example"),
            host=US,
        ),
        RefusalReason.signature_wrong,
    ),
    "sent to another host": (
        lambda r: with_headers(r, host="other.example"),
        RefusalReason.wrong_host,
    ),
}


@pytest.mark.parametrize("case", RFC_BAD)
def test_rfc9421_refusals(case: str) -> None:
    tamper, reason = RFC_BAD[case]
    with pytest.raises(Refusal) as refused:
        check(tamper(post(scheme=SignatureScheme.rfc9421, target="/inbox?page=1")))
    assert (refused.value.reason, refused.value.status) == (reason, 401)
