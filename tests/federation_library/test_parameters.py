"""Parameters of a header, quoted or numbers."""

import pytest

from federation.signatures.parameters import MAX_LEN_HEADER, parse_parameters
from federation.signatures.structured_fields import HeaderFieldError


def test_parameters_are_quoted_or_numbers() -> None:
    assert parse_parameters('keyId="https://x.example/1#k",created=5 ,\talgorithm=""') == {
        "keyId": "https://x.example/1#k",
        "created": "5",
        "algorithm": "",
    }
    assert parse_parameters("") == {}


@pytest.mark.parametrize("header", ["a", "a=", "a=b", 'a="b', "a=1 b=2", "a=1,a=2", "1=1"])
def test_what_is_no_parameter(header: str) -> None:
    with pytest.raises(HeaderFieldError):
        parse_parameters(header)


def test_a_header_has_a_limit() -> None:
    longest = f'a="{"x" * (MAX_LEN_HEADER - 4)}"'
    assert len(parse_parameters(longest)["a"]) == MAX_LEN_HEADER - 4
    with pytest.raises(HeaderFieldError):
        parse_parameters(f"{longest} ")
