"""FEP-8fcf: the digest of followers, and the header that states it."""

import pytest

from federation.acceptance import Accepted, InboxPolicy, accept
from federation.errors import DocumentError
from federation.followers import HEADER_NAME, CollectionSynchronization, partial_followers_digest
from federation.signatures import Headers, SignatureScheme, SignedRequest, parse_signature, sign
from tests.federation_library.peer import (
    BODY,
    KEY_ID,
    NOW,
    US,
    Keys,
    check,
    post,
    private_key,
    public_key,
    with_headers,
)

# The example of the FEP.
EXAMPLE = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
FOLLOWERS = "https://example.org/users/1/followers"
TEXT = (
    'collectionId="https://example.org/users/1/followers", '
    'url="https://example.org/users/1/followers_synchronization", '
    f'digest="{EXAMPLE}"'
)
STATED = CollectionSynchronization(FOLLOWERS, f"{FOLLOWERS}_synchronization", EXAMPLE)


def test_must_32_the_digest_is_that_of_the_fep() -> None:
    followers = ["https://testing.example.org/users/1", "https://testing.example.org/users/2"]
    assert partial_followers_digest(followers) == EXAMPLE
    assert partial_followers_digest(reversed(followers)) == EXAMPLE
    assert partial_followers_digest(followers * 2) == EXAMPLE
    assert partial_followers_digest([]) == "0" * 64


def test_the_header_comes_back_as_it_was() -> None:
    assert CollectionSynchronization.parse(TEXT, FOLLOWERS) == STATED
    assert STATED.dump() == TEXT


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        TEXT.replace(EXAMPLE, EXAMPLE[1:]),
        TEXT.replace(EXAMPLE, EXAMPLE.upper()),
        TEXT.replace("digest", "other"),
        TEXT.replace('url="https://example.org', 'url="https://victim.example'),
        TEXT.replace('url="https://example.org', 'url="http://example.org'),
        TEXT.replace('users/1/followers"', 'users/2/followers"'),
        TEXT + f', url="{FOLLOWERS}"',
        TEXT + " " * 9000,
    ],
)
def test_a_header_that_is_not_the_senders_own(header: str) -> None:
    with pytest.raises(DocumentError):
        CollectionSynchronization.parse(header, FOLLOWERS)


def test_a_sender_without_followers_has_no_such_header() -> None:
    with pytest.raises(DocumentError):
        CollectionSynchronization.parse(TEXT, None)


@pytest.mark.parametrize("scheme", SignatureScheme)
def test_a_header_that_is_sent_is_covered_and_cannot_be_changed(scheme: SignatureScheme) -> None:
    headers = {HEADER_NAME: TEXT}
    added = sign("POST", f"https://{US}/inbox", headers, BODY, private_key(), NOW, scheme)
    sent = {"Host": US, "Content-Type": "application/activity+json", **headers, **added}
    request = SignedRequest("POST", "https", US, "/inbox", Headers(sent), BODY)
    check(request)
    assert HEADER_NAME.lower() in parse_signature(request).covered_components
    keys = Keys(stored={KEY_ID: public_key()})
    verdict = accept(request, InboxPolicy(lambda _: True), keys, NOW)
    assert isinstance(verdict, Accepted)
    assert HEADER_NAME.lower() in verdict.covered_components
    with pytest.raises(Exception, match="signature_wrong"):
        check(with_headers(request, collection_synchronization=TEXT.replace("c33f", "0000")))


def test_a_header_that_is_not_covered_is_nobodys() -> None:
    request = with_headers(post(), collection_synchronization=TEXT)
    check(request)
    assert HEADER_NAME.lower() not in parse_signature(request).covered_components
