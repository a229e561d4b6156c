"""Structured fields: the part that is read, and that the rest is refused."""

import pytest

from federation.signatures.structured_fields import (
    DictionaryMember,
    HeaderFieldError,
    ParameterisedItem,
    decode_base64,
    parse_dictionary,
    quote_string,
)


def test_a_dictionary_is_read() -> None:
    text = 'a=("x" "y\\"z";p);n=-5;t=tok;b=?0 , c=:AQI=:, d, e="text"'
    assert parse_dictionary(text) == {
        "a": DictionaryMember(
            (ParameterisedItem("x", {}), ParameterisedItem('y"z', {"p": True})),
            {"n": -5, "t": "tok", "b": False},
            '("x" "y\\"z";p);n=-5;t=tok;b=?0',
        ),
        "c": DictionaryMember(b"\x01\x02", {}, ":AQI=:"),
        "d": DictionaryMember(True, {}, ""),
        "e": DictionaryMember("text", {}, '"text"'),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A=1",
        "a=1,",
        "a=1, a=2",
        "a=1 b=2",
        "a=",
        "a=1.5",
        "a=1234567890123456",
        'a="x',
        'a="\\x"',
        'a="é"',
        "a=(",
        'a=("x""y")',
        'a=("x");p=1;p=2',
        "a=1" + "".join(f";p{n}" for n in range(17)),
        ", ".join(f"a{n}=1" for n in range(17)),
        "a=(" + " ".join("1" for _ in range(65)) + ")",
        'a="' + "x" * 8192 + '"',
        "a=:AQ:",
        "a=:AR==:",
        "a=@1",
    ],
)
def test_the_rest_is_refused(text: str) -> None:
    with pytest.raises(HeaderFieldError):
        parse_dictionary(text)


@pytest.mark.parametrize("text", ["A", "AQ", "AQ=", "AR==", "A Q=", "AQ==\n", "-_==", "é"])
def test_only_canonical_base64_is_read(text: str) -> None:
    with pytest.raises(HeaderFieldError):
        decode_base64(text)


def test_strings_are_quoted() -> None:
    assert quote_string('a"b\\c') == '"a\\"b\\\\c"'
    with pytest.raises(HeaderFieldError):
        quote_string("a\nb")
