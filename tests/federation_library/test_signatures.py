"""What we sign verifies, whichever the scheme, the key and the address."""

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.errors import AddressError
from federation.signatures import SignatureScheme, SignedRequest, claimed_host, sign
from federation.signatures.request import Headers
from federation.signatures.signature import Signature, SignatureCandidate
from tests.federation_library.peer import (
    BODY,
    HOST,
    KEY_ID,
    NOW,
    US,
    cavage_signed,
    check,
    post,
    private_key,
    public_key,
    unsigned,
    with_headers,
)


@pytest.mark.parametrize("scheme", SignatureScheme)
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("key_id", [KEY_ID, f"https://{HOST}/keys/1"])
@pytest.mark.parametrize("target", ["/inbox", "/inbox?page=1&page=2", "/a%20b", "/", "/?"])
def test_what_we_sign_verifies(
    scheme: SignatureScheme, kind: str, key_id: str, target: str
) -> None:
    key = private_key(kind, key_id)
    check(post(scheme=scheme, key=key, target=target), public_key(key))


@pytest.mark.parametrize("scheme", SignatureScheme)
def test_a_signed_get_needs_no_digest(scheme: SignatureScheme) -> None:
    added = sign("GET", f"https://{US}/actor", {}, None, private_key(), NOW, scheme)
    assert not {"Digest", "Content-Digest"} & set(added)
    check(SignedRequest("GET", "https", US, "/actor", Headers({"Host": US, **added})))


def test_delivery_is_signed_over_what_mastodon_asks_for() -> None:
    added = sign("POST", f"https://{US}/inbox", {}, BODY, private_key(), NOW)
    assert list(added) == ["Host", "Date", "Digest", "Signature"]
    assert 'headers="(request-target) host date digest"' in added["Signature"]
    assert 'algorithm="rsa-sha256"' in added["Signature"]


def test_the_claimed_host_is_read_or_empty() -> None:
    assert claimed_host(post()) == HOST
    assert claimed_host(unsigned(post())) == ""
    assert claimed_host(cavage_signed(post(), keyId="not an address")) == ""
    assert claimed_host(with_headers(post(), signature=f'keyId="{KEY_ID}"')) == HOST


@pytest.mark.parametrize(
    "url, target",
    [
        (f"https://{US}", "/"),
        (f"https://{US}?x=1", "/?x=1"),
        (f"https://{US}/inbox?", "/inbox?"),
        (f"https://{US}/a/b?c=/d?e#f", "/a/b?c=/d?e"),
    ],
)
@pytest.mark.parametrize("scheme", SignatureScheme)
def test_the_target_is_signed_as_it_is_sent(url: str, target: str, scheme: SignatureScheme) -> None:
    added = sign("GET", url, {}, None, private_key(), NOW, scheme)
    request = SignedRequest("GET", "https", US, target, Headers({"Host": US, **added}))
    check(request)


@pytest.mark.parametrize("url", ["", "/inbox", "ftp://a.example/", "https://u@a.example/inbox"])
@pytest.mark.parametrize("scheme", SignatureScheme)
def test_only_web_addresses_are_signed_for(url: str, scheme: SignatureScheme) -> None:
    with pytest.raises(AddressError):
        sign("GET", url, {}, None, private_key(), NOW, scheme)


def test_a_signature_is_as_old_as_the_oldest_time_that_it_states() -> None:
    times = (None, NOW, NOW - timedelta(hours=1))
    candidates = [SignatureCandidate(b"", (), frozenset(), (time,)) for time in times]
    signature = Signature(SignatureScheme.cavage, KEY_ID, tuple(candidates))
    assert signature.is_older_than(NOW)
    assert signature.is_older_than(NOW - timedelta(hours=1) + timedelta(seconds=1))
    assert not signature.is_older_than(NOW - timedelta(hours=1))
    assert not replace(signature, candidates=(candidates[0],)).is_older_than(NOW)
