"""Text that people wrote, as HTML that is safe to show: Markdown of our own, HTML of others."""

import re
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

TAGS = frozenset(
    [
        "a",
        "abbr",
        "blockquote",
        "br",
        "code",
        "del",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "b",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
# Elements of running text, and all that HTML opens again in every block that they reach into.
INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "big",
        "br",
        "cite",
        "code",
        "del",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "mark",
        "nobr",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
VOID = frozenset(["br", "col", "hr", "img", "input", "wbr"])
DEEPEST = 100
SPACE = r"[ \t\n\f\r]"
# A tag: whether it ends something, and its name; or the beginning of what is none, without a name.
TAG = re.compile(
    r"<(?:(/?)([a-zA-Z][a-zA-Z0-9-]*+)"
    rf"(?:{SPACE}++[a-zA-Z_:][a-zA-Z0-9_:.-]*+"
    rf"(?:{SPACE}*+={SPACE}*+(?:\"[^\"<]*+\"|'[^'<]*+'|[^ \t\n\f\r\"'=<>`]++))?+){{0,50}}+"
    rf"{SPACE}*+/?+>|[a-zA-Z/!?])"
)
_markdown = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable("table")
    .enable("strikethrough")
)
_cleaner = nh3.Cleaner(
    tags=set(TAGS),
    attributes={
        "a": {"href", "title"},
        "td": {"colspan"},
        "th": {"colspan", "scope"},
        "ol": {"start"},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow noopener noreferrer ugc",
    # An address without a host would lead to wherever the text is shown.
    url_relative="deny",
)


def from_markdown(source: str) -> str:
    """Markdown as sanitised HTML. Raw HTML in it is shown as text."""
    return sanitise(_markdown.render(source.replace("\0", "")))


def sanitise(html: str) -> str:
    """HTML of anybody as HTML without scripts, styles, images, forms or classes; links open nothing
    by themselves.
    """
    return _cleaner.clean(html)


def is_text(given: str) -> bool:
    """Whether `given` can be kept and shown: without NUL, and without halves of characters."""
    return "\0" not in given and not any("\ud800" <= letter <= "\udfff" for letter in given)


def is_path(given: str) -> bool:
    """Whether `given` is an address within this node, and of no other, such as `/projects/abc`."""
    return given.startswith("/") and given[1:2] not in ("/", "\\") and given.isprintable()


def is_well_nested(html: str) -> bool:
    """Whether every element ends where it should, at most 100 are open at once, and running text
    holds no blocks.

    Reading other HTML can take time and memory that grow with the square of its length.
    """
    inside: list[str] = []
    for end, written in TAG.findall(html):
        name = written.lower()
        if not name:
            return False
        if end:
            if not inside or inside.pop() != name:
                return False
        elif inside and inside[-1] in INLINE and name not in INLINE:
            return False
        elif name not in VOID:
            inside.append(name)
            if len(inside) > DEEPEST:
                return False
    return True


def to_text(html: str) -> str:
    """Sanitised HTML as plain text: a block to a line, items with a hyphen, links with where they
    lead.
    """
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "li":
            self.parts.append("\n- ")
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "a":
            self._href = dict(attrs).get("href") or ""
        elif tag not in INLINE:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href:
            self.parts.append(f" ({self._href})")
            self._href = ""
        elif tag not in INLINE and tag != "li":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data.replace("\n", " "))
