"""Text that people wrote, as HTML that is safe to show: Markdown of our own, HTML of others."""

import re
from functools import cache, lru_cache
from html import escape
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

from federation.errors import DocumentError

ALLOWED_TAGS = frozenset(
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
INLINE_TAGS = frozenset(
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
VOID_TAGS = frozenset(["br", "col", "hr", "img", "input", "wbr"])
MAX_DEPTH = 100
# Of HTML that is badly nested: so many tags are put right, and it grows so many times at most.
MAX_REPAIRED = 200
MAX_GROWTH = 4
# Texts that are remembered as HTML, each of some hundred kilobytes at most.
MAX_CACHED_RENDERINGS = 16
SPACE = r"[ \t\n\f\r]"
# A tag: whether it ends something, and its name; or the beginning of what is none, without a name.
TAG_PATTERN = re.compile(
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


def _lower_headings(state: StateCore) -> None:
    """The title of the page has the first level for itself."""
    for token in state.tokens:
        if token.tag == "h1":
            token.tag = "h2"


_markdown.core.ruler.push("lower_headings", _lower_headings)


@cache
def _get_cleaner(also: frozenset[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(ALLOWED_TAGS | also),
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


class HtmlError(ValueError):
    """HTML that would take too long to read: badly nested, or too deeply."""


@lru_cache(maxsize=MAX_CACHED_RENDERINGS)
def render_markdown(source: str) -> str:
    """Markdown as sanitised HTML. Raw HTML in it is shown as text; so is Markdown that is nested
    too deeply.

    What was rendered a moment ago is remembered: whoever writes it in a transaction renders it
    before that begins.
    """
    try:
        return sanitise(_markdown.render(source.replace("\0", "")))
    except HtmlError:
        return sanitise(f"<p>{escape(source)}</p>")


def sanitise(html: str, extra_tags: frozenset[str] = frozenset()) -> str:
    """HTML of anybody as HTML without scripts, styles, images, forms or classes; links open nothing
    by themselves. `also` names elements that are kept beside `TAGS`.

    The only way to the parser, which takes time and memory that grow with the square of HTML that
    is badly nested. Raises `HtmlError` for such HTML before it is parsed, unless it has few tags.
    """
    if is_well_nested(html):
        return _get_cleaner(extra_tags).clean(html)
    tags = TAG_PATTERN.findall(html)
    if len(tags) > MAX_REPAIRED or not all(name for _end, name in tags):
        raise HtmlError
    repaired = _get_cleaner(extra_tags).clean(html)
    if len(repaired) > MAX_GROWTH * (len(html) + 100) or not is_well_nested(repaired):
        raise HtmlError
    return repaired


def sanitise_received(name: str, html: str, longest: int) -> str:
    """Sanitised HTML of a document of another server. Raises `DocumentError` that names the
    property.
    """
    try:
        if len(html) <= longest:
            return sanitise(html)
    except HtmlError:
        pass
    raise DocumentError(name, "too long, or its HTML is not nested correctly")


def is_local_path(given: str) -> bool:
    """Whether `given` is an address within this node, and of no other, such as `/projects/abc`."""
    return given.startswith("/") and given[1:2] not in ("/", "\\") and given.isprintable()


def is_well_nested(html: str) -> bool:
    """Whether every element ends where it should, at most 100 are open at once, and running text
    holds no blocks.
    """
    inside: list[str] = []
    for end, written in TAG_PATTERN.findall(html):
        name = written.lower()
        if not name:
            return False
        if end:
            if not inside or inside.pop() != name:
                return False
        elif inside and inside[-1] in INLINE_TAGS and name not in INLINE_TAGS:
            return False
        elif name not in VOID_TAGS:
            inside.append(name)
            if len(inside) > MAX_DEPTH:
                return False
    return True


def html_to_text(html: str) -> str:
    """Sanitised HTML as plain text: a block to a line, items with a hyphen, links with where they
    lead.
    """
    reader = TextExtractor()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class TextExtractor(HTMLParser):
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
        elif tag not in INLINE_TAGS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href:
            self.parts.append(f" ({self._href})")
            self._href = ""
        elif tag not in INLINE_TAGS and tag != "li":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data.replace("\n", " "))
