"""Translations that put English in brackets, and the words of a page outside brackets."""

import re
from gettext import NullTranslations
from html.parser import HTMLParser

from babel import Locale

SHOWN = frozenset({"alt", "title", "placeholder", "aria-label", "aria-description"})
# Elements without prose.
SILENT = frozenset({"script", "style", "code", "time", "pre", "textarea"})
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
WORD = re.compile(r"[^\W\d_]{3,}")
WELSH = Locale.parse("cy")
# Names of months and days, as they are written out and in short.
DATES = "|".join(
    str(name)
    for names in (WELSH.months["format"], WELSH.days["format"])
    for width in ("wide", "abbreviated")
    for name in names[width].values()
)
# User content, and names.
KNOWN = re.compile(
    rf"(?:{DATES}|(?:About |And |Now |Of )?quokka\w*|News\.|Is this right\?|The council at"
    r"|Ola Officer|Olu Operator|Mo Moderator"
    r"|\S*@\S+|\S*\.(?:test|example|gov\.uk|com)\S*|https?:\S+|/\S+"
    r"|Moothall|Mastodon|Markdown|ActivityPub|Atom|JSON Feed|JSON|CSV|iCalendar|English|Cymraeg"
    r"|(?:aldermoor|brackwell|cedarholt)(?: council)?)",
    re.IGNORECASE,
)


class Bracketed(NullTranslations):
    """Translations that return the English text in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    ugettext = gettext
    ungettext = ngettext


class Outside(HTMLParser):
    """Collects the words of a page outside brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self._depth = 0
        self._silent: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            names_language = "lang" in attributes and tag != "html"
            is_address = "moothall-address" in attributes.get("class", "")
            self._silent.append(tag in SILENT or names_language or is_address)
        for name in SHOWN & attributes.keys():
            if not any(self._silent):
                self._note(attributes[name], 0)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._silent:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._silent):
            self._depth = self._note(data, self._depth)

    def _note(self, text: str, depth: int) -> int:
        outside = ""
        for letter in text:
            depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
            outside += letter if depth == 0 and letter != "⟧" else " "
        if WORD.search(KNOWN.sub(" ", outside)):
            self.words.add(" ".join(outside.split()))
        return depth


def outside(page: str) -> set[str]:
    reader = Outside()
    reader.feed(page)
    return reader.words
