"""Bytes to a JSON object, strictly: what two readers could understand differently is refused."""

import json
import math
import re
from typing import Any, NoReturn

from federation.errors import Reason, Refusal

DEEPEST = 32
# The integers that databases hold: 64 bits with a sign.
LARGEST = 2**63 - 1
# NUL, which databases refuse, and halves of surrogate pairs, which are no characters. JSON in UTF-8
# can have them only escaped: where there is no such escape, no text needs a look.
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
# What json makes of what holds something.
CONTAINERS = frozenset((dict, list))
ESCAPED = re.compile(r"\\u(0000|[dD][89a-fA-F])")


def parse_json(body: bytes) -> dict[str, Any]:
    """The object that `body` holds.

    Raises `Refusal` (not_json) for anything but one UTF-8 JSON object at most 32 levels deep,
    without a key that comes twice, without huge numbers, NaN and infinities, and without NUL or
    lone surrogates in its texts.
    """
    try:
        text = body.decode("utf-8")
        document = _strict.decode(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(Reason.not_json, str(error)[:100]) from error
    if not isinstance(document, dict):
        raise Refusal(Reason.not_json, "not an object")
    _check_depth(document)
    if ESCAPED.search(text):
        _check_texts(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _int(text: str) -> int:
    if len(text) > 20 or abs(number := int(text)) > LARGEST:
        raise ValueError("a number is too large")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


_strict = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_float, parse_int=_int
)


def _check_depth(document: dict[str, Any]) -> None:
    """Level by level, so that depth costs no stack."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [
            member
            for value in level
            for member in (value.values() if type(value) is dict else value)
            if type(member) in CONTAINERS
        ]
        if not level:
            return
    raise Refusal(Reason.not_json, "too deep")


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if FORBIDDEN.search(value):
            raise Refusal(Reason.not_json, "a text holds NUL or a lone surrogate")
    elif isinstance(value, dict | list):
        for member in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_texts(member)
