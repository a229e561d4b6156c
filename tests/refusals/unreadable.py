"""Rows about headers and bodies that cannot be read: musts 19 and 24, size and type."""

from federation.errors import RefusalReason
from tests.refusals.cases import Row, each, text

NOT_JSON = {
    "nothing": b"",
    "not JSON": b"{",
    "an array": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "a number": b"1",
    "two documents": b"{}{}",
    "over-deep objects": b'{"a":' * 100 + b"1" + b"}" * 100,
    "over-deep arrays": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a key twice": b'{"id": "https://brackwell.test/1", "id": "https://brackwell.test/2"}',
    "NaN": b'{"a": NaN}',
    "an infinite number": b'{"a": 1e999}',
    "a number without end": b'{"a": ' + b"9" * 5000 + b"}",
    "bytes that are no UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
}
TYPES = ("text/plain", "application/json", "text/html", "multipart/form-data; boundary=x", "", None)
SCHEMES = {
    "Basic": {"authorization": "Basic dXNlcjpwYXNz"},
    "Bearer": {"authorization": "Bearer a"},
    "draft-cavage in the wrong header": {
        "authorization": 'Signature keyId="https://brackwell.test/x"'
    },
    "a word": {"signature": "trust-me"},
    "an empty signature": {"signature": ""},
}
UNREADABLE_SIGNATURES = (
    'keyId="https://brackwell.test/x"',
    'keyId="https://brackwell.test/x",signature="%%%",headers="(request-target) host date digest"',
    'keyId="https://brackwell.test/x",signature="AAAA',
    'keyId="https://brackwell.test/x",keyId="https://brackwell.test/y",signature="AAAA"',
    'keyId="https://brackwell.test/x",signature="AAAA",headers="' + "date " * 5000 + '"',
    'keyId="https://brackwell.test/x",signature="\xe9",headers="(request-target) host date digest"',
)
NO_TEXT = {"NUL": r'"\u0000"', "half a pair": r'"\ud800"'}

ROWS = [
    *each(
        "19 {}",
        SCHEMES,
        lambda c, name: c.good().with_headers(**{"signature": None, **SCHEMES[name]}),
        RefusalReason.signature_scheme_unknown,
        401,
        host="",
    ),
    *each(
        "19 a signature that reads {}",
        UNREADABLE_SIGNATURES,
        lambda c, value: c.good().with_headers(signature=value),
        RefusalReason.signature_malformed,
        401,
    ),
    *each(
        "19 a Signature-Input that reads {}",
        ("trust-me", "sig1=()", "sig1=(((", "sig1=" + "(" * 5000),
        lambda c, value: c.good().with_headers(signature_input=value),
        RefusalReason.signature_malformed,
        401,
        host="",
    ),
    *each(
        "24 {}",
        NOT_JSON,
        lambda c, name: c.signed(NOT_JSON[name]),
        RefusalReason.not_json,
        400,
    ),
    *each(
        "24 {} in a text",
        NO_TEXT,
        lambda c, name: c.signed(text(c, inner=NO_TEXT[name])),
        RefusalReason.not_json,
        400,
    ),
    *each(
        "24 no {}",
        ("id", "type", "actor"),
        lambda c, name: c.signed({k: v for k, v in c.like().items() if k != name}),
        RefusalReason.not_activity,
        400,
    ),
    *each(
        "24 a property of {}",
        (
            ("id", 7),
            ("id", "urn:uuid:1"),
            ("id", "http://brackwell.test/1"),
            ("id", f"https://brackwell.test/{'a' * 3000}"),
            ("id", "https://brackwell.test/a b"),
            ("type", {}),
            ("type", "T" * 500),
            ("actor", ["https://brackwell.test/1", "https://brackwell.test/2"]),
            ("actor", {}),
        ),
        lambda c, change: c.signed(c.like(**{change[0]: change[1]})),
        RefusalReason.not_activity,
        400,
    ),
    *each(
        "the content type {}",
        TYPES,
        lambda c, kind: c.good().with_headers(content_type=kind),
        RefusalReason.wrong_type,
        415,
    ),
    Row(
        "24 over 1 MiB",
        lambda c: c.signed(c.like(content="a" * 1_048_576)),
        RefusalReason.too_large,
        413,
    ),
]
