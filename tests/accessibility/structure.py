"""What pages are built of: one that is built as others were needs no closer look."""

from html.parser import HTMLParser

# The values that say how an element looks and what it is; of others, that they are there.
TELLING = {"class", "role", "type", "lang", "aria-hidden", "aria-current", "scope", "open"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
EMPTY = {"br", "hr", "img", "input", "link", "meta", "path", "rect", "circle", "use", "source"}


class _Structure(HTMLParser):
    """What a page is built of, where only words and the length of lists may differ."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: set[object] = set()
        self.headings: list[str] = []
        self._open: list[tuple[str, int]] = [("", 0)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":  # what language a page is in is looked at apart
            attrs = [(name, value) for name, value in attrs if name != "lang"]
        told = tuple((name, value if name in TELLING else bool(value)) for name, value in attrs)
        part = hash((self._open[-1][1], tag, told))
        self.parts.add(part)
        if tag not in EMPTY:
            self._open.append((tag, part))
        if tag in HEADINGS and self.headings[-1:] != [tag]:
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in (name for name, _part in self._open) and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.parts.add(hash((self._open[-1][1], "")))


def structure(text: str) -> set[object]:
    """Each kind of element of a page with where it stands, and the order of headings."""
    parser = _Structure()
    parser.feed(text)
    return {*parser.parts, tuple(parser.headings)}
