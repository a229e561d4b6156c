"""What is refused of signatures, keys and origins, row by row: musts 10 to 18.

Each row is named by its must's number and what is wrong, and is about an actor that nobody saw
before, so that no row knows another's key.
"""

from dataclasses import replace
from datetime import timedelta

from federation.errors import RefusalReason
from federation.signatures import PrivateKey, SignatureScheme
from node.database.tables import now
from node.testing.fake_peer import private_key_pem
from tests.refusals.bending import COVERED, digest_of, keyed_with_the_public_key, with_body
from tests.refusals.cases import (
    PARTS,
    Row,
    dated,
    digested,
    each,
    key_document,
    key_of,
    listing,
    moment,
    serving,
    unwrapped,
    without,
)

AHEAD, OLD = timedelta(hours=1, minutes=2), timedelta(hours=12, minutes=2)
# RSA of 1024 bits.
SMALL_KEY = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDJVY2O2e0KywOgSdoym+qHIzlx
D00oiXf2Q53WxY1CizB/9JNySWZSlV9+Ufa3buNFAvd5aeEqWqMz8sdfsBPWV+E5
S85mhO7qG/pxNW5resmrOyIt6v7DPduwyvFoO16I4IhuTz/haKn6oH9pkY8xX8Gy
FcqZV9dNMvvMoVUErwIDAQAB
-----END PUBLIC KEY-----
"""
UNREADABLE_KEY = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"

ROWS = [
    Row(
        "10 an algorithm that is HMAC by its name",
        lambda c: c.again(
            c.good(), algorithm="hmac-sha256", signer=keyed_with_the_public_key(c.sender)
        ),
        RefusalReason.signature_algorithm,
        401,
    ),
    *each(
        "10 an HMAC with the public key, called {}",
        ("rsa-sha256", "hs2019", None),
        lambda c, name: c.again(
            c.good(), algorithm=name, signer=keyed_with_the_public_key(c.sender)
        ),
        RefusalReason.signature_wrong,
        401,
    ),
    *each(
        "10 the algorithm {}",
        ("rsa-sha1", "rsa-sha512", "none", "", "ed25519"),
        lambda c, name: c.again(c.good(), algorithm=name),
        RefusalReason.signature_algorithm,
        401,
    ),
    Row(
        "10 an HMAC under RFC 9421",
        lambda c: unwrapped(c, PARTS, created=moment(), alg="hmac-sha256"),
        RefusalReason.signature_algorithm,
        401,
    ),
    Row(
        "11 unsigned",
        lambda c: c.good().with_headers(signature=None),
        RefusalReason.signature_missing,
        401,
        host="",
    ),
    Row(
        "11 the body altered",
        lambda c: with_body(message := c.good(), message.body + b" "),
        RefusalReason.digest_wrong,
        401,
    ),
    Row(
        "11 the digest of another body, signed",
        lambda c: digested(c, c.signed(c.like()).headers["digest"]),
        RefusalReason.digest_wrong,
        401,
    ),
    Row(
        "11 no digest",
        lambda c: c.again(c.good().with_headers(digest=None), "(request-target)", "host", "date"),
        RefusalReason.digest_missing,
        401,
    ),
    Row(
        "11 a digest that is not signed",
        lambda c: without(c, "digest"),
        RefusalReason.signature_incomplete,
        401,
    ),
    *each(
        "11 a digest that is {}",
        ("sha512", "sha1", "md5"),
        lambda c, algorithm: c.again(
            (message := c.good()).with_headers(digest=digest_of(message.body, algorithm))
        ),
        RefusalReason.digest_wrong,
        401,
    ),
    Row(
        "11 two SHA-256 digests that differ",
        lambda c: digested(c, f"{c.good().headers['digest']},{c.good().headers['digest']}"),
        RefusalReason.digest_wrong,
        401,
    ),
    *each(
        "11 a digest that reads {}",
        ("SHA-256", "SHA-256=%%%", "SHA-256=" + "A" * 9000),
        digested,
        RefusalReason.digest_wrong,
        401,
    ),
    Row(
        "12 a date that is not signed",
        lambda c: without(c, "date"),
        RefusalReason.signature_incomplete,
        401,
    ),
    Row(
        "12 no date",
        lambda c: c.again(c.good().with_headers(date=None), "(request-target)", "host", "digest"),
        RefusalReason.date_missing,
        401,
    ),
    *each(
        "12 a date that reads {}",
        (
            "yesterday",
            "0",
            "Mon, 99 Foo 2026 99:99:99 GMT",
            "Mon, 01 Jan 0000 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "9" * 400,
        ),
        dated,
        RefusalReason.date_outside_window,
        401,
    ),
    Row("12 too old", lambda c: c.good(at=now() - OLD), RefusalReason.date_outside_window, 401),
    Row(
        "12 ahead of time",
        lambda c: c.good(at=now() + AHEAD),
        RefusalReason.date_outside_window,
        401,
    ),
    Row(
        "12 created too long ago",
        lambda c: c.good(at=now() - OLD, scheme=SignatureScheme.rfc9421),
        RefusalReason.date_outside_window,
        401,
    ),
    Row(
        "12 created ahead of time",
        lambda c: c.good(at=now() + AHEAD, scheme=SignatureScheme.rfc9421),
        RefusalReason.date_outside_window,
        401,
    ),
    Row(
        "12 a (created) that is no time",
        lambda c: c.again(c.good(), "(created)", *COVERED, algorithm="hs2019", created="9" * 15),
        RefusalReason.signature_malformed,
        401,
    ),
    Row(
        "13 signed for another path",
        lambda c: replace(c.good(target="/actor/inbox"), target="/inbox"),
        RefusalReason.signature_wrong,
        401,
    ),
    Row(
        "13 signed with another query",
        lambda c: replace(c.good(target="/inbox?a=1"), target="/inbox?a=2"),
        RefusalReason.signature_wrong,
        401,
    ),
    Row(
        "13 signed for another host, sent with ours",
        lambda c: c.good(host=c.other.host).with_headers(host=c.node.host),
        RefusalReason.signature_wrong,
        401,
    ),
    Row(
        "13 signed for another host, sent with it",
        lambda c: c.good(host=c.other.host).with_headers(host=c.other.host),
        RefusalReason.wrong_host,
        401,
    ),
    Row(
        "13 a host that is not signed",
        lambda c: without(c, "host"),
        RefusalReason.signature_incomplete,
        401,
    ),
    Row(
        "13 a path that is not signed",
        lambda c: without(c, "(request-target)"),
        RefusalReason.signature_incomplete,
        401,
    ),
    Row(
        "13 signed for another host, RFC 9421",
        lambda c: c.good(host=c.other.host, scheme=SignatureScheme.rfc9421),
        RefusalReason.signature_wrong,
        401,
    ),
    Row(
        "14 a key whose owner is from a different origin",
        lambda c: key_document(c, c.other.actor().uri),
        RefusalReason.key_not_owned,
        401,
    ),
    Row(
        "14 a key that its owner does not list",
        lambda c: key_document(c, c.sender.uri),
        RefusalReason.key_not_owned,
        401,
    ),
    Row(
        "14 a fragment that the owner does not list",
        lambda c: key_of(c, f"{c.sender.uri}#another-key"),
        RefusalReason.key_not_owned,
        401,
    ),
    Row(
        "14 listed as somebody else's",
        lambda c: listing(c, owner=f"{c.sender.uri}0"),
        RefusalReason.key_not_owned,
        401,
    ),
    Row(
        "14 an owner whose document has an id from a different origin",
        lambda c: serving(c, id=c.other.uri("/councils/x")),
        RefusalReason.key_not_found,
        401,
    ),
    Row("14 no such key", lambda c: key_of(c, c.peer.new_id("keys")), RefusalReason.key_gone, 401),
    Row("14 an owner that is gone", lambda c: serving(c, status=410), RefusalReason.key_gone, 401),
    Row(
        "14 an owner that may not be read",
        lambda c: serving(c, status=403),
        RefusalReason.key_not_found,
        401,
    ),
    Row(
        "14 an owner that is no actor",
        lambda c: serving(c, type="Note"),
        RefusalReason.key_not_found,
        401,
    ),
    Row(
        "14 a key that is too small",
        lambda c: listing(c, publicKeyPem=SMALL_KEY),
        RefusalReason.key_unusable,
        401,
    ),
    Row(
        "14 a key that is none",
        lambda c: listing(c, publicKeyPem=UNREADABLE_KEY),
        RefusalReason.key_unusable,
        401,
    ),
    Row(
        "14 signed with a key that is not the listed one",
        lambda c: c.good(key=PrivateKey(c.sender.key.key_id, private_key_pem(number=2))),
        RefusalReason.signature_wrong,
        401,
    ),
    Row(
        "14 a key id that is no address",
        lambda c: key_of(c, "main-key"),
        RefusalReason.key_not_found,
        401,
        host="",
    ),
    Row(
        "14 a key id of plain http",
        lambda c: key_of(c, c.sender.key.key_id.replace("https", "http")),
        RefusalReason.key_not_found,
        401,
    ),
    Row(
        "15 another actor of the same host",
        lambda c: c.signed(c.like(actor=c.peer.actor().uri)),
        RefusalReason.actor_not_key_owner,
        403,
    ),
    Row(
        "15 an actor of another host",
        lambda c: c.signed(c.like(actor=c.other.actor().uri, id=c.other.new_id())),
        RefusalReason.actor_not_key_owner,
        403,
    ),
    Row(
        "16 an activity from a different origin than its actor",
        lambda c: c.signed(c.like(id=c.other.new_id())),
        RefusalReason.origin_mismatch,
        403,
    ),
    *each(
        "17 {} of what is from a different origin",
        ("Update", "Delete"),
        lambda c, kind: c.signed(c.sender.build_activity(kind, c.other.uri("/projects/1"))),
        RefusalReason.origin_mismatch,
        403,
    ),
    Row(
        "17 Update of a document from a different origin",
        lambda c: c.signed(
            c.sender.build_activity("Update", {"id": c.other.uri("/projects/1"), "type": "Article"})
        ),
        RefusalReason.origin_mismatch,
        403,
    ),
    Row(
        "17 Update of nothing",
        lambda c: c.signed(c.sender.build_activity("Update", None)),
        RefusalReason.origin_mismatch,
        403,
    ),
    *each(
        "18 RFC 9421 without {}",
        PARTS,
        lambda c, part: unwrapped(
            c, tuple(name for name in PARTS if name != part), created=moment()
        ),
        RefusalReason.signature_incomplete,
        401,
    ),
    Row(
        "18 RFC 9421 without created",
        lambda c: unwrapped(c, PARTS),
        RefusalReason.date_missing,
        401,
    ),
    Row(
        "18 RFC 9421 without the digest that is signed",
        lambda c: c.good(scheme=SignatureScheme.rfc9421).with_headers(content_digest=None),
        RefusalReason.digest_missing,
        401,
    ),
    Row(
        "18 RFC 9421 that has expired",
        lambda c: unwrapped(c, PARTS, created=moment() - 60, expires=moment() - 30),
        RefusalReason.date_outside_window,
        401,
    ),
    Row(
        "18 RFC 9421, the body altered",
        lambda c: with_body(message := c.good(scheme=SignatureScheme.rfc9421), message.body + b" "),
        RefusalReason.digest_wrong,
        401,
    ),
    Row(
        "18 RFC 9421 without Signature",
        lambda c: c.good(scheme=SignatureScheme.rfc9421).with_headers(signature=None),
        RefusalReason.signature_malformed,
        401,
    ),
]
