"""A strict JSON parser, which refuses everything that two parsers could read differently."""

import json
import math
import re
from typing import Any, NoReturn

from federation.errors import Refusal, RefusalReason

MAX_DEPTH = 32
# The largest signed 64-bit integer, which databases can store.
MAX_INTEGER = 2**63 - 1
# NUL, which databases refuse, and lone surrogates, which are not characters. JSON in UTF-8 can only
# contain them escaped, so texts are checked only if the body has such an escape.
FORBIDDEN_CHARACTERS = re.compile("[\x00\ud800-\udfff]")
# The Python types of JSON arrays and objects.
CONTAINERS = frozenset((dict, list))
ESCAPED_FORBIDDEN_CHARACTERS = re.compile(r"\\u(0000|[dD][89a-fA-F])")


def parse_json(body: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises `Refusal` (not_json) for anything but one UTF-8 JSON object at most 32 levels deep,
    and for repeated keys, huge numbers, NaN, infinities, NUL and lone surrogates.
    """
    try:
        text = body.decode("utf-8")
        document = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(RefusalReason.not_json, str(error)[:100]) from error
    if not isinstance(document, dict):
        raise Refusal(RefusalReason.not_json, "not an object")
    _check_depth(document)
    if ESCAPED_FORBIDDEN_CHARACTERS.search(text):
        _check_texts(document)
    return document


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key comes twice")
    return members


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _parse_int(text: str) -> int:
    if len(text) > 20 or abs(number := int(text)) > MAX_INTEGER:
        raise ValueError("a number is too large")
    return number


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_reject_duplicate_keys,
    parse_constant=_reject_constant,
    parse_float=_parse_float,
    parse_int=_parse_int,
)


def _check_depth(document: dict[str, Any]) -> None:
    """Raises `Refusal` if nested too deeply. Walks level by level to avoid recursion."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [
            member
            for value in level
            for member in (value.values() if type(value) is dict else value)
            if type(member) in CONTAINERS
        ]
        if not level:
            return
    raise Refusal(RefusalReason.not_json, "too deep")


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if FORBIDDEN_CHARACTERS.search(value):
            raise Refusal(RefusalReason.not_json, "a text holds NUL or a lone surrogate")
    elif isinstance(value, dict | list):
        for member in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_texts(member)
