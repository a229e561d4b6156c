"""Makes text safe to show as HTML: Markdown written here, and HTML from other servers."""

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
# Inline elements, including the formatting elements that an HTML parser reopens in every block.
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
# Badly nested HTML is repaired if it has at most this many tags and grows by at most this factor.
MAX_REPAIRED_TAGS = 200
MAX_GROWTH_FACTOR = 4
# Each is up to a few hundred kilobytes.
MAX_CACHED_RENDERINGS = 16
SPACE = r"[ \t\n\f\r]"
# Matches a tag, with `/` for an end tag and the name; or the start of malformed markup, without
# a name.
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
    """Turn `h1` into `h2`: only the title of the page is an `h1`."""
    for token in state.tokens:
        if token.tag == "h1":
            token.tag = "h2"


_markdown.core.ruler.push("lower_headings", _lower_headings)


@cache
def _get_cleaner(extra_tags: frozenset[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(ALLOWED_TAGS | extra_tags),
        attributes={
            "a": {"href", "title"},
            "td": {"colspan"},
            "th": {"colspan", "scope"},
            "ol": {"start"},
        },
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
        # A relative URL would be resolved against the page that shows the text.
        url_relative="deny",
    )


class HtmlError(ValueError):
    """HTML that would take too long to parse: badly or too deeply nested."""


@lru_cache(maxsize=MAX_CACHED_RENDERINGS)
def render_markdown(source: str) -> str:
    """Render Markdown as sanitised HTML. Raw HTML is shown as text, and so is Markdown that is
    nested too deeply.

    Results are cached, so that a text can be rendered before the transaction that stores it begins.
    """
    try:
        return sanitise(_markdown.render(source.replace("\0", "")))
    except HtmlError:
        return sanitise(f"<p>{escape(source)}</p>")


def sanitise(html: str, extra_tags: frozenset[str] = frozenset()) -> str:
    """Remove scripts, styles, images, forms and classes from untrusted HTML. `extra_tags` are
    allowed besides `ALLOWED_TAGS`.

    All HTML is parsed here only: the parser needs time and memory quadratic in the size of badly
    nested HTML. Raises `HtmlError` for such HTML before it is parsed, unless it has few tags.
    """
    if is_well_nested(html):
        return _get_cleaner(extra_tags).clean(html)
    tags = TAG_PATTERN.findall(html)
    if len(tags) > MAX_REPAIRED_TAGS or not all(name for _end, name in tags):
        raise HtmlError
    repaired = _get_cleaner(extra_tags).clean(html)
    if len(repaired) > MAX_GROWTH_FACTOR * (len(html) + 100) or not is_well_nested(repaired):
        raise HtmlError
    return repaired


def sanitise_received(name: str, html: str, max_length: int) -> str:
    """Sanitise the property `name` of another server's document. Raises `DocumentError` if it has
    more than `max_length` characters or cannot be sanitised.
    """
    try:
        if len(html) <= max_length:
            return sanitise(html)
    except HtmlError:
        pass
    raise DocumentError(name, "too long, or its HTML is not nested correctly")


def is_local_path(path: str) -> bool:
    """Whether `path` is a path on this node, such as `/projects/abc`, and not another host's."""
    return path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()


def is_well_nested(html: str) -> bool:
    """Whether all elements are closed in order, at most `MAX_DEPTH` are open at once, and inline
    elements contain no blocks.
    """
    open_tags: list[str] = []
    for end, tag in TAG_PATTERN.findall(html):
        name = tag.lower()
        if not name:
            return False
        if end:
            if not open_tags or open_tags.pop() != name:
                return False
        elif open_tags and open_tags[-1] in INLINE_TAGS and name not in INLINE_TAGS:
            return False
        elif name not in VOID_TAGS:
            open_tags.append(name)
            if len(open_tags) > MAX_DEPTH:
                return False
    return True


def html_to_text(html: str) -> str:
    """Convert sanitised HTML to plain text: each block on its own line, list items with a hyphen,
    links followed by their address.
    """
    extractor = TextExtractor()
    extractor.feed(html)
    extractor.close()
    lines = (" ".join(line.split()) for line in "".join(extractor.parts).split("\n"))
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
