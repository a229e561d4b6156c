"""What verifies of draft-cavage and what does not: musts 9 to 13 and 19 of the protocol."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha512

import pytest

from federation.errors import Refusal, RefusalReason
from federation.signatures import PublicKey, public_pem
from federation.signatures.dates import format_http_date
from tests.federation_library.peer import (
    BODY,
    KEY_ID,
    NOW,
    US,
    Tamper,
    base64,
    cavage_signed,
    check,
    post,
    private_key,
    public_key,
    unsigned,
    with_headers,
)

STAMP = int(NOW.timestamp())

SHA512 = base64(sha512(BODY).digest())

GOOD: dict[str, Tamper] = {
    "no algorithm": lambda r: cavage_signed(r, algorithm=None),
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
        with_headers(
            r,
            digest=f"SHA-512={SHA512}, {r.headers.get('digest')}",
        )
    ),
    "nearly 12 hours old": lambda r: cavage_signed(
        with_headers(r, date=format_http_date(NOW - timedelta(hours=11, minutes=59)))
    ),
    "nearly an hour ahead": lambda r: cavage_signed(
        with_headers(r, date=format_http_date(NOW + timedelta(minutes=59)))
    ),
    "spaces between parameters": lambda r: with_headers(
        r, signature=(r.headers.get("signature") or "").replace('",', '" , ')
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_cavage_variants_verify(case: str) -> None:
    check(GOOD[case](post(target="/inbox?page=1")))


BAD: dict[str, tuple[Tamper, RefusalReason]] = {
    "unsigned": (unsigned, RefusalReason.signature_missing),
    "a bearer token": (
        lambda r: with_headers(unsigned(r), authorization="Bearer x"),
        RefusalReason.signature_scheme_unknown,
    ),
    "a signature of no scheme": (
        lambda r: with_headers(r, signature="sig1=:AAAA:"),
        RefusalReason.signature_scheme_unknown,
    ),
    "an empty signature": (
        lambda r: with_headers(r, signature=""),
        RefusalReason.signature_scheme_unknown,
    ),
    "no keyId": (lambda r: cavage_signed(r, keyId=""), RefusalReason.signature_malformed),
    "no signature value": (
        lambda r: cavage_signed(r, signature=""),
        RefusalReason.signature_malformed,
    ),
    "bad base64": (lambda r: cavage_signed(r, signature="a*b="), RefusalReason.signature_malformed),
    "unpadded base64": (
        lambda r: cavage_signed(r, signature="YQ"),
        RefusalReason.signature_malformed,
    ),
    "a parameter twice": (
        lambda r: with_headers(r, signature=f'keyId="{KEY_ID}",{r.headers.get("signature")}'),
        RefusalReason.signature_malformed,
    ),
    "two signature headers": (
        lambda r: with_headers(
            r, signature=f"{r.headers.get('signature')}, {r.headers.get('signature')}"
        ),
        RefusalReason.signature_malformed,
    ),
    "an open quote": (
        lambda r: with_headers(r, signature='keyId="https://x'),
        RefusalReason.signature_malformed,
    ),
    "a header of 9 kB": (
        lambda r: with_headers(r, signature=f'{r.headers.get("signature")},x="{"a" * 9000}"'),
        RefusalReason.signature_malformed,
    ),
    "1,000 components": (
        lambda r: cavage_signed(r, headers=" ".join(f"x{n}" for n in range(1000))),
        RefusalReason.signature_malformed,
    ),
    "a component twice": (
        lambda r: cavage_signed(r, headers="(request-target) host date digest date"),
        RefusalReason.signature_malformed,
    ),
    "not ASCII": (
        lambda r: with_headers(
            r,
            x_name="Môn",
            signature=(r.headers.get("signature") or "").replace(" digest", " digest x-name"),
        ),
        RefusalReason.signature_malformed,
    ),
    "a covered header of two lines": (
        lambda r: with_headers(
            r,
            x_name="a\nhost: evil.example",
            signature=(r.headers.get("signature") or "").replace(" digest", " digest x-name"),
        ),
        RefusalReason.signature_malformed,
    ),
    "a covered header that is not there": (
        lambda r: cavage_signed(r, headers="(request-target) host date digest x-absent"),
        RefusalReason.signature_incomplete,
    ),
    "HMAC": (
        lambda r: cavage_signed(r, algorithm="hmac-sha256"),
        RefusalReason.signature_algorithm,
    ),
    "HMAC in capitals": (
        lambda r: cavage_signed(r, algorithm="HMAC-SHA512"),
        RefusalReason.signature_algorithm,
    ),
    "SHA-1": (lambda r: cavage_signed(r, algorithm="rsa-sha1"), RefusalReason.signature_algorithm),
    "an unknown algorithm": (
        lambda r: cavage_signed(r, algorithm="none"),
        RefusalReason.signature_algorithm,
    ),
    "an empty algorithm": (
        lambda r: cavage_signed(r, algorithm=""),
        RefusalReason.signature_algorithm,
    ),
    "an algorithm that the key is not for": (
        lambda r: cavage_signed(r, algorithm="ed25519"),
        RefusalReason.signature_algorithm,
    ),
    "(created) with rsa-sha256": (
        lambda r: cavage_signed(
            r,
            ["(request-target)", "(created)", "host", "date", "digest"],
            created=str(STAMP),
        ),
        RefusalReason.signature_algorithm,
    ),
    "no digest": (
        lambda r: cavage_signed(with_headers(r, digest=None), ["(request-target)", "host", "date"]),
        RefusalReason.digest_missing,
    ),
    "digest not covered": (
        lambda r: cavage_signed(r, ["(request-target)", "host", "date"]),
        RefusalReason.signature_incomplete,
    ),
    "request target not covered": (
        lambda r: cavage_signed(r, ["host", "date", "digest"]),
        RefusalReason.signature_incomplete,
    ),
    "host not covered": (
        lambda r: cavage_signed(r, ["(request-target)", "date", "digest"]),
        RefusalReason.signature_incomplete,
    ),
    "date not covered": (
        lambda r: cavage_signed(r, ["(request-target)", "host", "digest"]),
        RefusalReason.signature_incomplete,
    ),
    "no headers parameter": (
        lambda r: cavage_signed(r, ["date"], headers=None),
        RefusalReason.signature_incomplete,
    ),
    "a wrong digest": (
        lambda r: cavage_signed(with_headers(r, digest=f"SHA-256={base64(b'x' * 32)}")),
        RefusalReason.digest_wrong,
    ),
    "a changed body": (lambda r: replace(r, body=r.body + b" "), RefusalReason.digest_wrong),
    "only a SHA-512 digest": (
        lambda r: cavage_signed(with_headers(r, digest=f"SHA-512={base64(sha512(BODY).digest())}")),
        RefusalReason.digest_wrong,
    ),
    "two digests that differ": (
        lambda r: cavage_signed(
            with_headers(r, digest=f"SHA-256={base64(b'x' * 32)}, {r.headers.get('digest')}")
        ),
        RefusalReason.digest_wrong,
    ),
    "two digests that differ, the right one first": (
        lambda r: cavage_signed(
            with_headers(r, digest=f"{r.headers.get('digest')}, SHA-256={base64(b'x' * 32)}")
        ),
        RefusalReason.digest_wrong,
    ),
    "an unreadable digest": (
        lambda r: cavage_signed(with_headers(r, digest="SHA-256=???")),
        RefusalReason.digest_wrong,
    ),
    "no date": (lambda r: with_headers(r, date=None), RefusalReason.date_missing),
    "an unreadable date": (
        lambda r: cavage_signed(with_headers(r, date="yesterday")),
        RefusalReason.date_outside_window,
    ),
    "a date that does not exist": (
        lambda r: cavage_signed(with_headers(r, date="Mon, 31 Feb 2026 12:00:00 GMT")),
        RefusalReason.date_outside_window,
    ),
    "over 12 hours old": (
        lambda r: cavage_signed(
            with_headers(r, date=format_http_date(NOW - timedelta(hours=12, seconds=1)))
        ),
        RefusalReason.date_outside_window,
    ),
    "over an hour ahead": (
        lambda r: cavage_signed(
            with_headers(r, date=format_http_date(NOW + timedelta(hours=1, seconds=1)))
        ),
        RefusalReason.date_outside_window,
    ),
    "expired": (
        lambda r: cavage_signed(r, expires=str(STAMP - 1)),
        RefusalReason.date_outside_window,
    ),
    "created too late": (
        lambda r: cavage_signed(r, created=str(STAMP + 3601)),
        RefusalReason.date_outside_window,
    ),
    "created is no time": (
        lambda r: cavage_signed(r, created="999999999999999"),
        RefusalReason.signature_malformed,
    ),
    "another path": (
        lambda r: replace(r, target="/councils/x/inbox"),
        RefusalReason.signature_wrong,
    ),
    "another query": (lambda r: replace(r, target="/inbox?page=2"), RefusalReason.signature_wrong),
    "another method": (lambda r: replace(r, method="PUT"), RefusalReason.signature_wrong),
    "another host": (
        lambda r: cavage_signed(with_headers(r, host="other.example")),
        RefusalReason.wrong_host,
    ),
    "another port": (
        lambda r: cavage_signed(with_headers(r, host=f"{US}:8443")),
        RefusalReason.wrong_host,
    ),
    "a host that is none": (
        lambda r: cavage_signed(with_headers(r, host="a b")),
        RefusalReason.wrong_host,
    ),
    "another key": (
        lambda r: cavage_signed(r, key=private_key("rsa", "https://other.example/#key")),
        RefusalReason.signature_wrong,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_cavage_refusals(case: str) -> None:
    tamper, reason = BAD[case]
    request = post(target="/inbox?page=1")
    with pytest.raises(Refusal) as refused:
        check(tamper(request))
    assert (refused.value.reason, refused.value.status) == (reason, 401)


def test_a_key_of_another_name_does_not_verify() -> None:
    with pytest.raises(Refusal) as refused:
        check(post(), PublicKey(f"{KEY_ID}-2", public_key().owner, public_key().pem))
    assert refused.value.reason is RefusalReason.signature_wrong


def test_a_key_of_somebody_else_does_not_verify() -> None:
    other = private_key("rsa", "https://other.example/#key")
    with pytest.raises(Refusal) as refused:
        check(post(), PublicKey(KEY_ID, "https://other.example/", public_pem(other.pem)))
    assert refused.value.reason is RefusalReason.signature_wrong
