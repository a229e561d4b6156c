"""Validates and cleans plain text, in one line or several.

The same rules apply to pages, the API, imports, settings and plugins. Text typed here is rejected
with a reason (`find_text_error`); text from other servers and files is cleaned (`one_line`,
`several_lines`). Control characters, surrogates, noncharacters and characters that override the
direction of text (Unicode Technical Report 36, section 2.3) are not allowed, nor are line ends in
a line. Joiners and directional marks are: ZWJ, ZWNJ, LRM, RLM and the tags in flags.
"""

import re
import unicodedata

from node.messages import Message, msg

_PLANES = range(0, 0x110000, 0x10000)
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + last) for plane in _PLANES for last in (0xFFFE, 0xFFFF)
)
_BIDI_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
# Except tab and line feed, which are allowed in several lines.
_CONTROL_CHARACTERS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ufff9-\ufffb\ud800-\udfff"
_FORBIDDEN_IN_TEXT = re.compile(
    f"[{_CONTROL_CHARACTERS}\u2028\u2029{_BIDI_OVERRIDES}{_NONCHARACTERS}]"
)
_FORBIDDEN_IN_LINE = re.compile(f"[\t\n{_FORBIDDEN_IN_TEXT.pattern[1:-1]}]")
# Zero-width spaces, byte order marks and invisible operators, which are removed silently.
_INVISIBLE_CHARACTERS = re.compile("[\u200b\u2060-\u2065\u206a-\u206f\ufeff]")
_LINE_ENDS = re.compile("\r\n|[\n\v\f\r\x85\u2028\u2029]")
# Letters and symbols that look like a space: Hangul fillers and the blank Braille cell.
_BLANK_CHARACTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def trim(text: str) -> str:
    """Strip what a person typed, with line feeds as line ends, since browsers count those. Returns
    an empty string if nothing is visible. Forbidden characters stay, for `find_text_error` to
    reject.
    """
    trimmed = _INVISIBLE_CHARACTERS.sub("", text.replace("\r\n", "\n")).strip()
    return trimmed if _is_visible(trimmed) or _FORBIDDEN_IN_TEXT.search(trimmed) else ""


def find_text_error(text: str, max_length: int, *, lines: bool = False) -> Message | None:
    """Why text that a person typed is rejected: too long, or forbidden characters. None if it is
    valid. `lines` allows line feeds and tabs.
    """
    if len(text) > max_length:
        return msg(
            "You have used %(length)s characters. Use %(most)s or fewer.",
            most=f"{max_length:,}",
            length=f"{len(text):,}",
        )
    if (_FORBIDDEN_IN_TEXT if lines else _FORBIDDEN_IN_LINE).search(text):
        return msg("Remove the characters that cannot be shown")
    return None


def is_storable(text: str) -> bool:
    """Whether text has neither NUL nor surrogates, which databases and UTF-8 cannot store. A file
    with such text is rejected; other forbidden characters are cleaned.
    """
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def one_line(text: str | None, max_length: int) -> str:
    """Clean received text as one line: cut to `max_length`, with single spaces for white space and
    without forbidden characters. Empty if nothing is visible.
    """
    line = " ".join((text or "")[:max_length].split())
    if not line.isprintable():
        line = _INVISIBLE_CHARACTERS.sub("", _FORBIDDEN_IN_LINE.sub("", line)).strip()
    return line if _is_visible(line) else ""


def several_lines(text: str | None, max_length: int) -> str:
    """Clean received text of several lines: cut to `max_length`, with line feeds for all line ends
    and without forbidden characters. Empty if nothing is visible.
    """
    lines = _FORBIDDEN_IN_TEXT.sub("", _LINE_ENDS.sub("\n", (text or "")[:max_length]))
    return trim(lines)


def _is_visible(text: str) -> bool:
    return any(char > " " if char < "\x7f" else _is_printing_character(char) for char in text)


def _is_printing_character(char: str) -> bool:
    return char not in _BLANK_CHARACTERS and unicodedata.category(char)[0] in "LNPS"
