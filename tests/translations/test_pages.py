"""No page says anything that no translator saw, and none is in the wrong language.

Every page is read in a language that is English between brackets. What stands outside of brackets
was never marked: it has to be what somebody wrote, a name, a number or a date.
"""

import re
from collections.abc import Iterator
from gettext import NullTranslations
from html.parser import HTMLParser

import pytest
from babel import Locale

from node.web.catalogues import Catalogues
from tests.visibility.crawling import addresses
from tests.visibility.town import HTML, Town

ON_SQLITE = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)
READERS = pytest.mark.parametrize("role", ["", "officer", "operator"])
REDIRECTS = frozenset({301, 302, 303, 308})
SHOWN = frozenset({"alt", "title", "placeholder", "aria-label", "aria-description"})
# What is not prose: code, addresses, times of the day, and what says which language it is in.
SILENT = frozenset({"script", "style", "code", "time", "pre", "textarea"})
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
WORD = re.compile(r"[^\W\d_]{3,}")
MONTHS = "|".join(Locale.parse("cy").months["format"]["wide"].values())
# What people wrote, and names.
KNOWN = re.compile(
    rf"(?:{MONTHS}|(?:About |And |Now |Of )?quokka\w*|News\.|Is this right\?|The council at"
    r"|Ola Officer|Olu Operator|\S*@\S+|\S*\.(?:test|example|gov\.uk)\S*|https?:\S+|/\S+"
    r"|Moothall|Mastodon|Markdown|ActivityPub|English|Cymraeg"
    r"|(?:aldermoor|brackwell|cedarholt)(?: council)?)",
    re.IGNORECASE,
)


class Bracketed(NullTranslations):
    """English between brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    ugettext = gettext
    ungettext = ngettext


class Outside(HTMLParser):
    """The words of a page that stand outside of brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self._depth = 0
        self._silent: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            names_language = "lang" in given and tag != "html"
            is_address = "moothall-address" in given.get("class", "")
            self._silent.append(tag in SILENT or names_language or is_address)
        for name in SHOWN & given.keys():
            if not any(self._silent):
                self._note(given[name], 0)

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


def pages(town: Town, role: str) -> Iterator[tuple[str, str]]:
    """Every page that somebody may open, in Welsh."""
    client = town.here.visitor(role or None).client
    for address in addresses(town.here):
        if "<" not in address:
            headers = {"Accept": HTML, "Accept-Language": "cy"}
            with client.get(address, headers=headers) as answer:
                if answer.mimetype == HTML and answer.status_code not in REDIRECTS:
                    yield address, answer.get_data(as_text=True)


@ON_SQLITE
@READERS
def test_every_word_of_a_page_is_marked(
    role: str, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catalogues, "into", lambda *_: Bracketed())
    found: dict[str, str] = {}
    for address, page in pages(town, role):
        assert "⟦" in page, address
        for words in outside(page):
            found.setdefault(words, address)
    assert not found, "\n".join(f"{words} ({address})" for words, address in found.items())


@ON_SQLITE
@READERS
def test_every_page_says_that_it_is_welsh(role: str, town: Town) -> None:
    wrong = [one for one, page in pages(town, role) if '<html lang="cy"' not in page]
    assert wrong == []


def test_what_is_not_marked_is_seen() -> None:
    assert outside("<p>⟦A⟧ word</p>") == {"word"}
    assert outside('<p title="word">⟦A <b>word⟧</b></p>') == {"word"}
    assert outside('<p lang="en">word</p><p>⟦A ⟦word⟧ in⟧ 2 Mai</p><code>word</code>') == set()
