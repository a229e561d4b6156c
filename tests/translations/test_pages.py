"""No page says anything that no translator saw, and each says which language it is in.

Every page is read in a language that is English between brackets. What stands outside of brackets
was never marked: it has to be what somebody wrote, a name, a number or a date.
"""

from collections.abc import Iterator

import pytest

from node.web.translations import MessageCatalogues
from tests.translations.brackets import Bracketed, outside
from tests.visibility.crawling import addresses
from tests.visibility.town import HTML, Town

ON_SQLITE = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)
READERS = pytest.mark.parametrize("role", ["", "officer", "operator"])
REDIRECTS = frozenset({301, 302, 303, 308})


def pages(town: Town, role: str) -> Iterator[tuple[str, str]]:
    """Every page that a user with the role can open, in Welsh."""
    client = town.here.visitor(role or None).client
    for address in addresses(town.here):
        if "<" not in address:
            headers = {"Accept": HTML, "Accept-Language": "cy"}
            with client.get(address, headers=headers) as response:
                if response.mimetype == HTML and response.status_code not in REDIRECTS:
                    yield address, response.get_data(as_text=True)


@ON_SQLITE
@READERS
def test_every_page_is_welsh_and_completely_marked(
    role: str, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MessageCatalogues, "translations_for", lambda *_: Bracketed())
    unmarked: dict[str, str] = {}
    for address, page in pages(town, role):
        assert '<html lang="cy"' in page, address
        for words in outside(page):
            unmarked.setdefault(words, address)
    assert not unmarked, "\n".join(f"{words} ({address})" for words, address in unmarked.items())


def test_unmarked_words_are_detected() -> None:
    assert outside("<p>⟦A⟧ word</p>") == {"word"}
    assert outside('<p title="word">⟦A <b>word⟧</b></p>') == {"word"}
    assert outside('<p lang="en">word</p><p>⟦A ⟦word⟧ in⟧ 2 Mai</p><code>word</code>') == set()
