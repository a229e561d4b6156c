"""Text that people wrote, as HTML that is safe to show: Markdown of our own, HTML of others."""

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
_markdown = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable("table")
    .enable("strikethrough")
)


def from_markdown(source: str) -> str:
    """Markdown as sanitised HTML. Raw HTML in it is shown as text."""
    return sanitise(_markdown.render(source.replace("\0", "")))


def sanitise(html: str) -> str:
    """HTML of anybody as HTML without scripts, styles, images, forms or classes; links open nothing
    by themselves.
    """
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={
            "a": {"href", "title"},
            "td": {"colspan"},
            "th": {"colspan", "scope"},
            "ol": {"start"},
        },
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
    )


def is_text(given: str) -> bool:
    """Whether `given` can be kept and shown: without NUL, and without halves of characters."""
    return "\0" not in given and not any("\ud800" <= letter <= "\udfff" for letter in given)


def plain(html: str) -> str:
    """The text of `html`, without any tags."""
    return nh3.clean(html, tags=set()).strip()
