"""Whatever is changed on the way does not verify; whatever is sent, only refusals are raised."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from federation.errors import Refusal
from federation.signatures import (
    Headers,
    Signature,
    SignatureScheme,
    SignedRequest,
    parse_signature,
    verify,
)
from tests.federation_library.peer import NOW, US, post, public_key

COVERED = {
    SignatureScheme.cavage: ["host", "date", "digest", "signature"],
    SignatureScheme.rfc9421: ["content-digest", "signature-input", "signature"],
}
header_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=200)
PIECES = [
    'keyId="k"',
    "sig1=",
    "(",
    ")",
    '"@method"',
    '"',
    ";",
    ",",
    "=",
    ":",
    "created=",
    "1",
    "99999999999999999999",
    'signature="AAAA"',
    "\\",
    "é",
    'headers="(request-target)',
    'algorithm="',
]
signature_like = st.lists(st.sampled_from([*PIECES, " ", " host date digest"]), max_size=30).map(
    "".join
)


def check(request: SignedRequest) -> None:
    verify(request, parse_signature(request), public_key(), NOW)


def changed(text: str, at: int, character: str) -> str:
    at %= len(text)
    return text[:at] + character + text[at + 1 :]


@pytest.mark.parametrize("scheme", SignatureScheme)
@given(
    body=st.binary(max_size=2000), path=st.text("abc/%20-._~", max_size=40), query=st.text("a=&1")
)
@settings(deadline=None, max_examples=50)
def test_anything_signed_verifies(
    scheme: SignatureScheme, body: bytes, path: str, query: str
) -> None:
    check(post(body, scheme=scheme, target=f"/{path}?{query}" if query else f"/{path}"))


@pytest.mark.parametrize("scheme", SignatureScheme)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=100)
def test_no_changed_body_verifies(scheme: SignatureScheme, at: int, bit: int) -> None:
    request = post(scheme=scheme)
    body = bytearray(request.body)
    body[at % len(body)] ^= 1 << bit
    with pytest.raises(Refusal):
        check(replace(request, body=bytes(body)))


@pytest.mark.parametrize("scheme", SignatureScheme)
@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_no_changed_header_verifies(scheme: SignatureScheme, data: st.DataObject) -> None:
    request = post(scheme=scheme)
    name = data.draw(st.sampled_from(COVERED[scheme]))
    headers = dict(request.headers.items())
    at, character = data.draw(st.integers(0, 2000)), data.draw(st.characters(max_codepoint=0xFF))
    value = changed(headers[name], at, character)
    assume(value.strip(" \t") != headers[name])
    # The host is the same in any case; what is not signed of the signature itself may be respelt.
    assume(name != "host" or value.lower() != headers[name])
    assume(
        name != "signature"
        or scheme is not SignatureScheme.cavage
        or not _same_claim(value, request)
    )
    headers[name] = value
    with pytest.raises(Refusal):
        check(replace(request, headers=Headers(headers)))


def _same_claim(value: str, request: SignedRequest) -> bool:
    """Whether a changed Signature header still states the same, or no algorithm at all."""
    headers = Headers(dict(request.headers.items()) | {"signature": value})
    with suppress(Refusal):
        changed_to = parse_signature(replace(request, headers=headers))
        return _without_algorithm(changed_to) == _without_algorithm(parse_signature(request))
    return False


def _without_algorithm(signature: Signature) -> object:
    return signature.key_id, [
        (one.value, one.texts, one.created_times) for one in signature.candidates
    ]


@given(
    signature=st.one_of(header_text, signature_like),
    signature_input=st.one_of(st.none(), header_text, signature_like),
    date=header_text,
    digest=header_text,
    host=header_text,
    method=st.sampled_from(["GET", "POST"]),
)
@settings(deadline=None, max_examples=500)
def test_nothing_but_refusals(
    signature: str, signature_input: str | None, date: str, digest: str, host: str, method: str
) -> None:
    fields = {"Signature": signature, "Date": date, "Digest": digest, "Content-Digest": digest}
    if signature_input is not None:
        fields["Signature-Input"] = signature_input
    request = SignedRequest(method, "https", US, "/inbox", Headers({**fields, "Host": host}), b"")
    with pytest.raises(Refusal):
        check(request)
