"""Plain text: which characters a line may have, and a text of several lines.

One rule for pages, the API, imports, settings and plugins. What people here write is refused with
a reason (`misfit`); what other servers and files contain is cleaned (`one_line`, `several_lines`).
Control characters, surrogates, noncharacters and the characters that override the direction of
text (Unicode Technical Report 36, section 2.3) go, and a line has no line ends. What joins letters
and marks their direction stays: ZWJ, ZWNJ, LRM, RLM and the tags in flags.
"""

import re
import unicodedata

from node.messages import Message, msg

_PLANES = range(0, 0x110000, 0x10000)
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + last) for plane in _PLANES for last in (0xFFFE, 0xFFFF)
)
_BIDI_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
# Without a tab and a line feed, which a text of several lines has.
_CONTROL_CHARACTERS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ufff9-\ufffb\ud800-\udfff"
_FORBIDDEN_IN_TEXT = re.compile(
    f"[{_CONTROL_CHARACTERS}\u2028\u2029{_BIDI_OVERRIDES}{_NONCHARACTERS}]"
)
_FORBIDDEN_IN_LINE = re.compile(f"[\t\n{_FORBIDDEN_IN_TEXT.pattern[1:-1]}]")
# Zero-width spaces, byte order marks and invisible operators: nothing is lost without them.
_INVISIBLE = re.compile("[\u200b\u2060-\u2065\u206a-\u206f\ufeff]")
_LINE_ENDS = re.compile("\r\n|[\n\v\f\r\x85\u2028\u2029]")
# Letters and symbols that look like a space: fillers of Hangul and the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def trim(text: str) -> str:
    """What a person wrote, without the space around it; empty where nothing can be seen.

    A line ends with a line feed, as browsers count it. What `misfit` refuses stays, so that it is.
    """
    trimmed = _INVISIBLE.sub("", text.replace("\r\n", "\n")).strip()
    return trimmed if _is_visible(trimmed) or _FORBIDDEN_IN_TEXT.search(trimmed) else ""


def misfit(text: str, longest: int, *, lines: bool = False) -> Message | None:
    """Why what a person wrote cannot be kept: too long, or with characters that a line may not
    have. `lines`: a text of several lines, which may have tabs too.
    """
    if len(text) > longest:
        return msg(
            "Use %(most)s characters or fewer. You have used %(length)s",
            most=f"{longest:,}",
            length=f"{len(text):,}",
        )
    if (_FORBIDDEN_IN_TEXT if lines else _FORBIDDEN_IN_LINE).search(text):
        return msg("Remove the characters that cannot be shown")
    return None


def is_storable(given: str) -> bool:
    """Whether a value in a file is text at all: without NUL and surrogates, which neither UTF-8 nor
    a database can hold. A file with them is refused; other characters that do not fit are cleaned.
    """
    return "\0" not in given and not any("\ud800" <= letter <= "\udfff" for letter in given)


def one_line(text: str | None, longest: int) -> str:
    """Text of others as one line: cut, spaces and line ends as single spaces, without characters
    that a line may not have. Empty where nothing can be seen.
    """
    words = " ".join((text or "")[:longest].split())
    if not words.isprintable():
        words = _INVISIBLE.sub("", _FORBIDDEN_IN_LINE.sub("", words)).strip()
    return words if _is_visible(words) else ""


def several_lines(text: str | None, longest: int) -> str:
    """Text of others in several lines: cut, every line end as a line feed, without characters that
    a text may not have. Empty where nothing can be seen.
    """
    words = _FORBIDDEN_IN_TEXT.sub("", _LINE_ENDS.sub("\n", (text or "")[:longest]))
    return trim(words)


def _is_visible(text: str) -> bool:
    return any(
        letter > " " if letter < "\x7f" else _is_printing_character(letter) for letter in text
    )


def _is_printing_character(letter: str) -> bool:
    return letter not in _BLANK and unicodedata.category(letter)[0] in "LNPS"
