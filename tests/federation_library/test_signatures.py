"""What verifies and what does not: musts 9 to 13, 18 and 19 of the protocol."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha512

import pytest

from federation.errors import Reason, Refusal
from federation.signatures import (
    PublicKey,
    Scheme,
    SignedRequest,
    claimed_host,
    public_pem,
    read_signature,
    sign,
    verify,
)
from federation.signatures.dates import http_date
from federation.signatures.request import Headers
from federation.signatures.rfc9421 import signature_base
from tests.federation_library.peer import (
    BODY,
    HOST,
    KEY_ID,
    NOW,
    US,
    base64,
    cavage_signed,
    post,
    private_key,
    public_key,
    with_headers,
)

Tamper = Callable[[SignedRequest], SignedRequest]
NO_ALGORITHM: dict[str, None] = {"algorithm": None}
STAMP = int(NOW.timestamp())


def check(request: SignedRequest, key: PublicKey | None = None) -> None:
    verify(request, read_signature(request), key or public_key(), NOW)


def rfc9421_signed(
    request: SignedRequest,
    components: tuple[str, ...] = ("@method", "@target-uri", "content-digest"),
    parameters: str = f';created={STAMP};keyid="{KEY_ID}"',
) -> SignedRequest:
    covered = " ".join(f'"{name}"' for name in components)
    given = f"({covered}){parameters}"
    value = base64(private_key().sign(signature_base(components, given, request)))
    return with_headers(request, signature_input=f"sig1={given}", signature=f"sig1=:{value}:")


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("key_id", [KEY_ID, f"https://{HOST}/keys/1"])
@pytest.mark.parametrize("target", ["/inbox", "/inbox?page=1&page=2", "/a%20b", "/", "/?"])
def test_what_we_sign_verifies(scheme: Scheme, kind: str, key_id: str, target: str) -> None:
    key = private_key(kind, key_id)
    check(post(scheme=scheme, key=key, target=target), public_key(key))


@pytest.mark.parametrize("scheme", Scheme)
def test_a_signed_get_needs_no_digest(scheme: Scheme) -> None:
    added = sign("GET", f"https://{US}/actor", {}, None, private_key(), NOW, scheme)
    assert not {"Digest", "Content-Digest"} & set(added)
    check(SignedRequest("GET", "https", US, "/actor", Headers({"Host": US, **added})))


def test_delivery_is_signed_over_what_mastodon_asks_for() -> None:
    added = sign("POST", f"https://{US}/inbox", {}, BODY, private_key(), NOW)
    assert list(added) == ["Host", "Date", "Digest", "Signature"]
    assert 'headers="(request-target) host date digest"' in added["Signature"]
    assert 'algorithm="rsa-sha256"' in added["Signature"]


GOOD: dict[str, Tamper] = {
    "no algorithm": lambda r: cavage_signed(r, **NO_ALGORITHM),
    "hs2019": lambda r: cavage_signed(r, algorithm="hs2019"),
    "the algorithm in capitals": lambda r: cavage_signed(r, algorithm="RSA-SHA256"),
    "the path without its query": lambda r: cavage_signed(r, target="/inbox"),
    "host in capitals": lambda r: cavage_signed(with_headers(r, host=US.upper())),
    "host with its own port": lambda r: cavage_signed(with_headers(r, host=f"{US}:443")),
    "more covered than needed": lambda r: cavage_signed(
        r, ["content-type", "digest", "date", "host", "(request-target)"]
    ),
    "created and expires": lambda r: cavage_signed(
        r,
        ["(request-target)", "(created)", "(expires)", "host", "date", "digest"],
        algorithm="hs2019",
        created=str(STAMP - 10),
        expires=str(STAMP + 10),
    ),
    "a digest of another kind beside it": lambda r: cavage_signed(
        with_headers(r, digest=f"SHA-512={b64encode(sha512(BODY).digest()).decode()}, {r.headers.get('digest')}")
    ),
    "nearly 12 hours old": lambda r: cavage_signed(
        with_headers(r, date=http_date(NOW - timedelta(hours=11, minutes=59)))
    ),
    "nearly an hour ahead": lambda r: cavage_signed(
        with_headers(r, date=http_date(NOW + timedelta(minutes=59)))
    ),
    "spaces between parameters": lambda r: with_headers(
        r, signature=(r.headers.get("signature") or "").replace('",', '" , ')
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_cavage_variants_verify(case: str) -> None:
    check(GOOD[case](post(target="/inbox?page=1")))


def unsigned(request: SignedRequest) -> SignedRequest:
    return with_headers(request, signature=None)


BAD: dict[str, tuple[Tamper, Reason]] = {
    "unsigned": (unsigned, Reason.signature_missing),
    "a bearer token": (
        lambda r: with_headers(unsigned(r), authorization="Bearer x"),
        Reason.signature_scheme_unknown,
    ),
    "a signature of no scheme": (
        lambda r: with_headers(r, signature="sig1=:AAAA:"),
        Reason.signature_scheme_unknown,
    ),
    "an empty signature": (
        lambda r: with_headers(r, signature=""),
        Reason.signature_scheme_unknown,
    ),
    "no keyId": (lambda r: cavage_signed(r, keyId=""), Reason.signature_malformed),
    "no signature value": (lambda r: cavage_signed(r, signature=""), Reason.signature_malformed),
    "bad base64": (lambda r: cavage_signed(r, signature="a*b="), Reason.signature_malformed),
    "unpadded base64": (lambda r: cavage_signed(r, signature="YQ"), Reason.signature_malformed),
    "a parameter twice": (
        lambda r: with_headers(r, signature=f'keyId="{KEY_ID}",{r.headers.get("signature")}'),
        Reason.signature_malformed,
    ),
    "two signature headers": (
        lambda r: with_headers(r, signature=f"{r.headers.get('signature')}, {r.headers.get('signature')}"),
        Reason.signature_malformed,
    ),
    "an open quote": (
        lambda r: with_headers(r, signature='keyId="https://x'),
        Reason.signature_malformed,
    ),
    "a header of 9 kB": (
        lambda r: with_headers(r, signature=f'{r.headers.get("signature")},x="{"a" * 9000}"'),
        Reason.signature_malformed,
    ),
    "1,000 components": (
        lambda r: cavage_signed(r, headers=" ".join(f"x{n}" for n in range(1000))),
        Reason.signature_malformed,
    ),
    "a component twice": (
        lambda r: cavage_signed(r, headers="(request-target) host date digest date"),
        Reason.signature_malformed,
    ),
    "not ASCII": (
        lambda r: with_headers(
            r,
            x_name="Môn",
            signature=(r.headers.get("signature") or "").replace(" digest", " digest x-name"),
        ),
        Reason.signature_malformed,
    ),
    "a covered header that is not there": (
        lambda r: cavage_signed(r, headers="(request-target) host date digest x-absent"),
        Reason.signature_incomplete,
    ),
    "HMAC": (lambda r: cavage_signed(r, algorithm="hmac-sha256"), Reason.signature_algorithm),
    "HMAC in capitals": (
        lambda r: cavage_signed(r, algorithm="HMAC-SHA512"),
        Reason.signature_algorithm,
    ),
    "SHA-1": (lambda r: cavage_signed(r, algorithm="rsa-sha1"), Reason.signature_algorithm),
    "an unknown algorithm": (
        lambda r: cavage_signed(r, algorithm="none"),
        Reason.signature_algorithm,
    ),
    "an empty algorithm": (lambda r: cavage_signed(r, algorithm=""), Reason.signature_algorithm),
    "an algorithm that the key is not for": (
        lambda r: cavage_signed(r, algorithm="ed25519"),
        Reason.signature_algorithm,
    ),
    "(created) with rsa-sha256": (
        lambda r: cavage_signed(
            r,
            ["(request-target)", "(created)", "host", "date", "digest"],
            created=str(STAMP),
        ),
        Reason.signature_algorithm,
    ),
    "no digest": (
        lambda r: cavage_signed(with_headers(r, digest=None), ["(request-target)", "host", "date"]),
        Reason.digest_missing,
    ),
    "digest not covered": (
        lambda r: cavage_signed(r, ["(request-target)", "host", "date"]),
        Reason.signature_incomplete,
    ),
    "request target not covered": (
        lambda r: cavage_signed(r, ["host", "date", "digest"]),
        Reason.signature_incomplete,
    ),
    "host not covered": (
        lambda r: cavage_signed(r, ["(request-target)", "date", "digest"]),
        Reason.signature_incomplete,
    ),
    "date not covered": (
        lambda r: cavage_signed(r, ["(request-target)", "host", "digest"]),
        Reason.signature_incomplete,
    ),
    "no headers parameter": (
        lambda r: cavage_signed(r, ["date"], headers=None),
        Reason.signature_incomplete,
    ),
    "a wrong digest": (
        lambda r: cavage_signed(with_headers(r, digest=f"SHA-256={base64(b'x' * 32)}")),
        Reason.digest_wrong,
    ),
    "a changed body": (lambda r: replace(r, body=r.body + b" "), Reason.digest_wrong),
    "only a SHA-512 digest": (
        lambda r: cavage_signed(
            with_headers(r, digest=f"SHA-512={base64(sha512(BODY).digest())}")
        ),
        Reason.digest_wrong,
    ),
    "two digests that differ": (
        lambda r: cavage_signed(
            with_headers(r, digest=f"SHA-256={base64(b'x' * 32)}, {r.headers.get('digest')}")
        ),
        Reason.digest_wrong,
    ),
    "an unreadable digest": (
        lambda r: cavage_signed(with_headers(r, digest="SHA-256=???")),
        Reason.digest_wrong,
    ),
    "no date": (lambda r: with_headers(r, date=None), Reason.date_missing),
    "an unreadable date": (
        lambda r: cavage_signed(with_headers(r, date="yesterday")),
        Reason.date_outside_window,
    ),
    "a date that does not exist": (
        lambda r: cavage_signed(with_headers(r, date="Mon, 31 Feb 2026 12:00:00 GMT")),
        Reason.date_outside_window,
    ),
    "over 12 hours old": (
        lambda r: cavage_signed(with_headers(r, date=http_date(NOW - timedelta(hours=12, seconds=1)))),
        Reason.date_outside_window,
    ),
    "over an hour ahead": (
        lambda r: cavage_signed(with_headers(r, date=http_date(NOW + timedelta(hours=1, seconds=1)))),
        Reason.date_outside_window,
    ),
    "expired": (
        lambda r: cavage_signed(r, expires=str(STAMP - 1)),
        Reason.date_outside_window,
    ),
    "created too late": (
        lambda r: cavage_signed(r, created=str(STAMP + 3601)),
        Reason.date_outside_window,
    ),
    "created is no time": (
        lambda r: cavage_signed(r, created="999999999999999"),
        Reason.signature_malformed,
    ),
    "another path": (lambda r: replace(r, target="/councils/x/inbox"), Reason.signature_wrong),
    "another query": (lambda r: replace(r, target="/inbox?page=2"), Reason.signature_wrong),
    "another method": (lambda r: replace(r, method="PUT"), Reason.signature_wrong),
    "another host": (
        lambda r: cavage_signed(with_headers(r, host="other.example")),
        Reason.wrong_host,
    ),
    "another port": (lambda r: cavage_signed(with_headers(r, host=f"{US}:8443")), Reason.wrong_host),
    "a host that is none": (lambda r: cavage_signed(with_headers(r, host="a b")), Reason.wrong_host),
    "another key": (
        lambda r: cavage_signed(r, key=private_key("rsa", "https://other.example/#key")),
        Reason.signature_wrong,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_cavage_refusals(case: str) -> None:
    tamper, reason = BAD[case]
    request = post(target="/inbox?page=1")
    with pytest.raises(Refusal) as refused:
        check(tamper(request))
    assert (refused.value.reason, refused.value.status) == (reason, 401)


def test_a_key_of_somebody_else_does_not_verify() -> None:
    other = private_key("rsa", "https://other.example/#key")
    with pytest.raises(Refusal) as refused:
        check(post(), PublicKey(KEY_ID, "https://other.example/", public_pem(other.pem)))
    assert refused.value.reason is Reason.signature_wrong


RFC_GOOD: dict[str, Tamper] = {
    "the least": rfc9421_signed,
    "every derived component": lambda r: rfc9421_signed(
        r,
        (
            "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query",
            "content-digest", "content-type",
        ),
    ),  # fmt: skip
    "expires": lambda r: rfc9421_signed(
        r, parameters=f';created={STAMP};expires={STAMP + 1};keyid="{KEY_ID}"'
    ),
    "unknown parameters": lambda r: rfc9421_signed(
        r, parameters=f';created={STAMP};keyid="{KEY_ID}";tag="x";nonce="y";z;w=tok'
    ),
    "after a signature that is incomplete": lambda r: with_headers(
        rfc9421_signed(r),
        signature_input=f'proxy=("@method");keyid="k", {rfc9421_signed(r).headers.get("signature-input")}',
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
    check(RFC_GOOD[case](post(scheme=Scheme.rfc9421, target="/inbox?page=1")))


def rewritten(name: str, old: str, new: str) -> Tamper:
    """A header with a part of it changed."""

    def tamper(request: SignedRequest) -> SignedRequest:
        value = request.headers.get(name) or ""
        assert old in value
        return with_headers(request, **{name: value.replace(old, new)})

    return tamper


RFC_BAD: dict[str, tuple[Tamper, Reason]] = {
    **{
        f"{missing} not covered": (
            lambda r, missing=missing: rfc9421_signed(
                r,
                tuple(n for n in ("@method", "@target-uri", "content-digest") if n != missing),
            ),
            Reason.signature_incomplete,
        )
        for missing in ("@method", "@target-uri", "content-digest")
    },
    "nothing covered": (lambda r: rfc9421_signed(r, ()), Reason.signature_incomplete),
    "no content digest": (
        lambda r: rfc9421_signed(with_headers(r, content_digest=None), ("@method", "@target-uri")),
        Reason.digest_missing,
    ),
    "no created": (
        lambda r: rfc9421_signed(r, parameters=f';keyid="{KEY_ID}"'),
        Reason.date_missing,
    ),
    "no keyid": (
        lambda r: rfc9421_signed(r, parameters=f";created={STAMP}"),
        Reason.signature_malformed,
    ),
    "created as a string": (
        lambda r: rfc9421_signed(r, parameters=f';created="{STAMP}";keyid="{KEY_ID}"'),
        Reason.signature_malformed,
    ),
    "created out of all time": (
        lambda r: rfc9421_signed(r, parameters=f';created=999999999999999;keyid="{KEY_ID}"'),
        Reason.signature_malformed,
    ),
    "too old": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP - 43201};keyid="{KEY_ID}"'),
        Reason.date_outside_window,
    ),
    "too far ahead": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP + 3601};keyid="{KEY_ID}"'),
        Reason.date_outside_window,
    ),
    "expired": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP};expires={STAMP - 1};keyid="{KEY_ID}"'),
        Reason.date_outside_window,
    ),
    "HMAC": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP};keyid="{KEY_ID}";alg="hmac-sha256"'),
        Reason.signature_algorithm,
    ),
    "an algorithm that the key is not for": (
        lambda r: rfc9421_signed(r, parameters=f';created={STAMP};keyid="{KEY_ID}";alg="ed25519"'),
        Reason.signature_algorithm,
    ),
    "a component with parameters": (
        rewritten("signature-input", '"@method"', '"@method";req'),
        Reason.signature_malformed,
    ),
    "an unknown derived component": (
        rewritten("signature-input", '"@method"', '"@method" "@status"'),
        Reason.signature_malformed,
    ),
    "a component twice": (
        rewritten("signature-input", '"@method"', '"@method" "@method"'),
        Reason.signature_malformed,
    ),
    "a component in capitals": (
        rewritten("signature-input", '"content-digest"', '"Content-Digest"'),
        Reason.signature_malformed,
    ),
    "no list": (
        lambda r: with_headers(r, signature_input='sig1="@method"'),
        Reason.signature_malformed,
    ),
    "an unreadable input": (
        lambda r: with_headers(r, signature_input='sig1=("@method'),
        Reason.signature_malformed,
    ),
    "an empty input": (lambda r: with_headers(r, signature_input=""), Reason.signature_malformed),
    "1,000 components": (
        lambda r: with_headers(
            r, signature_input="sig1=(" + " ".join(f'"{n}"' for n in range(1000)) + ")"
        ),
        Reason.signature_malformed,
    ),
    "no signature of that label": (
        rewritten("signature", "sig1", "sig2"),
        Reason.signature_malformed,
    ),
    "a signature that is no bytes": (
        lambda r: with_headers(r, signature='sig1="text"'),
        Reason.signature_malformed,
    ),
    "no signature header": (unsigned, Reason.signature_malformed),
    "a wrong signature": (lambda r: with_headers(r, signature="sig1=:AAAA:"), Reason.signature_wrong),
    "a fourth signature, after three that do not count": (
        lambda r: with_headers(
            r,
            signature_input=", ".join(
                [f'p{n}=("@method");keyid="k"' for n in range(3)] + [r.headers.get("signature-input") or ""]
            ),
            signature=", ".join(
                [f"p{n}=:AAAA:" for n in range(3)] + [r.headers.get("signature") or ""]
            ),
        ),
        Reason.signature_incomplete,
    ),
    "a wrong digest": (
        lambda r: rfc9421_signed(with_headers(r, content_digest=f"sha-256=:{base64(b'x' * 32)}:")),
        Reason.digest_wrong,
    ),
    "only a SHA-512 digest": (
        lambda r: rfc9421_signed(
            with_headers(r, content_digest=f"sha-512=:{base64(sha512(BODY).digest())}:")
        ),
        Reason.digest_wrong,
    ),
    "an unreadable digest": (
        lambda r: rfc9421_signed(with_headers(r, content_digest="sha-256=abc=:")),
        Reason.digest_wrong,
    ),
    "a changed body": (lambda r: replace(r, body=r.body + b" "), Reason.digest_wrong),
    "another path": (lambda r: replace(r, target="/x"), Reason.signature_wrong),
    "another query": (lambda r: replace(r, target="/inbox?page=2"), Reason.signature_wrong),
    "another method": (lambda r: replace(r, method="PUT"), Reason.signature_wrong),
    "signed for another host": (
        lambda r: with_headers(
            post(scheme=Scheme.rfc9421, target=r.target, authority="other.example"), host=US
        ),
        Reason.signature_wrong,
    ),
    "sent to another host": (lambda r: with_headers(r, host="other.example"), Reason.wrong_host),
}


@pytest.mark.parametrize("case", RFC_BAD)
def test_rfc9421_refusals(case: str) -> None:
    tamper, reason = RFC_BAD[case]
    with pytest.raises(Refusal) as refused:
        check(tamper(post(scheme=Scheme.rfc9421, target="/inbox?page=1")))
    assert (refused.value.reason, refused.value.status) == (reason, 401)


def test_the_claimed_host_is_read_or_empty() -> None:
    assert claimed_host(post()) == HOST
    assert claimed_host(unsigned(post())) == ""
    assert claimed_host(cavage_signed(post(), keyId="not an address")) == ""
