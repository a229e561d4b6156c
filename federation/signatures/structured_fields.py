"""A strict, bounded parser for the structured fields (RFC 8941) in signatures and digests.

Supports dictionaries of byte sequences, and of inner lists of strings with parameters.
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass

MAX_LEN_FIELD = 8192
MAX_MEMBERS = 16
MAX_ITEMS = 64

KEY = re.compile(r"[a-z*][a-z0-9_.*-]{0,63}")
STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*")
BYTES = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
BOOLEAN = re.compile(r"\?([01])")
SPACES = re.compile(r" *")
EQUALS = re.compile("=")
OPENING_PARENTHESIS, CLOSING_PARENTHESIS = re.compile(r"\("), re.compile(r"\)")
SEMICOLON = re.compile("; *")
COMMA = re.compile(r"[ \t]*,[ \t]*")

BareItem = str | int | bytes | bool
Parameters = dict[str, BareItem]


class HeaderFieldError(ValueError):
    """The field cannot be read, or exceeds a limit."""


@dataclass(frozen=True)
class ParameterisedItem:
    value: BareItem
    parameters: Parameters


@dataclass(frozen=True)
class DictionaryMember:
    """A member of a dictionary: an item or a list of items. `raw` is its text as received."""

    value: BareItem | tuple[ParameterisedItem, ...]
    parameters: Parameters
    raw: str


def parse_dictionary(text: str) -> dict[str, DictionaryMember]:
    """Return the members of a dictionary by key. Raises `HeaderFieldError`, also for a repeated
    key.
    """
    if len(text) > MAX_LEN_FIELD:
        raise HeaderFieldError("the field is too long")
    parser = _Parser(text.strip(" "))
    members: dict[str, DictionaryMember] = {}
    while True:
        key = parser.expect(KEY).group()
        if key in members or len(members) == MAX_MEMBERS:
            raise HeaderFieldError("a key comes twice, or there are too many")
        members[key] = parser.parse_member()
        if parser.at_end:
            return members
        parser.expect(COMMA)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position == len(self._text)

    def expect(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = self.match(pattern)
        if match is None:
            raise HeaderFieldError(f"cannot be read from character {self._position}")
        return match

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._position)
        if match is not None:
            self._position = match.end()
        return match

    def parse_member(self) -> DictionaryMember:
        if not self.match(EQUALS):
            return DictionaryMember(True, self._parse_parameters(), "")
        start = self._position
        value = (
            self._parse_inner_list()
            if self._text.startswith("(", self._position)
            else self._parse_bare_item()
        )
        parameters = self._parse_parameters()
        return DictionaryMember(value, parameters, self._text[start : self._position])

    def _parse_inner_list(self) -> tuple[ParameterisedItem, ...]:
        self.expect(OPENING_PARENTHESIS)
        items: list[ParameterisedItem] = []
        while True:
            spaces = self.expect(SPACES).group()
            if self.match(CLOSING_PARENTHESIS):
                return tuple(items)
            if (items and not spaces) or len(items) == MAX_ITEMS:
                raise HeaderFieldError("the list cannot be read, or is too long")
            items.append(ParameterisedItem(self._parse_bare_item(), self._parse_parameters()))

    def _parse_parameters(self) -> Parameters:
        parameters: Parameters = {}
        while self.match(SEMICOLON):
            key = self.expect(KEY).group()
            if key in parameters or len(parameters) == MAX_MEMBERS:
                raise HeaderFieldError("a parameter comes twice, or there are too many")
            parameters[key] = self._parse_bare_item() if self.match(EQUALS) else True
        return parameters

    def _parse_bare_item(self) -> BareItem:
        if match := self.match(STRING):
            return re.sub(r"\\(.)", r"\1", match[1])
        if match := self.match(BYTES):
            return decode_base64(match[1])
        if match := self.match(INTEGER):
            return int(match[0])
        if match := self.match(BOOLEAN):
            return match[1] == "1"
        return self.expect(TOKEN).group()


def decode_base64(text: str) -> bytes:
    """Decode standard, padded, canonical base64. Raises `HeaderFieldError` for other spellings."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise HeaderFieldError("not base64") from error
    if binascii.b2a_base64(data, newline=False).decode() != text:
        raise HeaderFieldError("not canonical base64")
    return data


def quote_string(text: str) -> str:
    """Quote a string. Raises `HeaderFieldError` unless it is printable ASCII."""
    if not re.fullmatch(r"[\x20-\x7e]*", text):
        raise HeaderFieldError("only printable ASCII can be written")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
