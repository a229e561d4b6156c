"""Must 24: what is read as JSON, and that nothing but a refusal comes of anything else."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import Refusal, RefusalReason
from federation.vocabulary import parse_json


def nested(levels: int, opening: str = '{"a":', closing: str = "}") -> bytes:
    return (opening * (levels - 1) + "{}" + closing * (levels - 1)).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"{}x",
        b'{"a":1,}',
        b"{'a':1}",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":1,"a":2}',
        b'{"b":{"a":1,"a":1}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":9223372036854775808}',
        b'{"a":' + b"9" * 21 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":["\\udfff"]}',
        b'{"a":"\x00"}',
        b'{"a":"\n"}',
        nested(33),
        nested(100_000),
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
        b"[" * 100_000,
    ],
)
def test_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse_json(body)
    assert (refused.value.reason, refused.value.status) == (RefusalReason.not_json, 400)


@pytest.mark.parametrize(
    "body, read",
    [
        (b"{}", {}),
        (b' {"a": [1, -2.5, true, null, "x"]} ', {"a": [1, -2.5, True, None, "x"]}),
        ('{"name":"Môn 👩‍💻"}'.encode(), {"name": "Môn 👩‍💻"}),
        (b'{"a":"\\ud83d\\udcbb"}', {"a": "💻"}),
        (b'{"a":-9223372036854775807}', {"a": -(2**63 - 1)}),
    ],
)
def test_read(body: bytes, read: dict[str, Any]) -> None:
    assert parse_json(body) == read


def test_32_levels_are_read() -> None:
    assert parse_json(nested(32)) == json.loads(nested(32))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abcde"), values))
@settings(deadline=None)
def test_what_json_writes_is_read_back(document: dict[str, Any]) -> None:
    body = json.dumps(document, ensure_ascii=False).encode()
    if "\\u0000" in body.decode():
        with pytest.raises(Refusal):
            parse_json(body)
    else:
        assert parse_json(body) == document


@given(st.binary(max_size=300) | st.text('{}[]":,\\u0dn1eE+-.tfals ', max_size=80).map(str.encode))
@settings(deadline=None, max_examples=500)
def test_nothing_but_refusals(body: bytes) -> None:
    with suppress(Refusal):
        assert isinstance(parse_json(body), dict)
