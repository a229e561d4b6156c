"""Converts the HTML or Markdown of other programs to the Markdown of a brief. Pure."""

import re
from html import unescape

from node import markup
from node.importing.limits import MAX_LEN_HTML
from node.importing.parsed_project import FieldCleaner
from node.messages import msg

MAX_LEN_BRIEF = 40_000
HTML_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
# Markdown indents every line of a list or quotation at each level, so deep nesting multiplies text.
MAX_NESTING = 12
NESTING_TAGS = re.compile(r"<(/?)(?:ul|ol|blockquote|dl|dd|table)\b", re.IGNORECASE)


def to_markdown(name: str, text: str, cleaner: FieldCleaner) -> str:
    """The value of a field as Markdown: HTML is converted, other text left as it is."""
    if HTML_TAG.search(text) is None:
        return cleaner.prose(name, text, MAX_LEN_BRIEF)
    if len(text) > MAX_LEN_HTML:
        cleaner.add_note(
            msg("%(name)s shortened to %(count)s characters", name=name, count=MAX_LEN_HTML)
        )
        text = text[:MAX_LEN_HTML].rpartition("<")[0]
    clean = _sanitise(text)
    if clean is None:
        cleaner.add_note(
            msg("description imported without formatting: its HTML is nested too deeply")
        )
        return cleaner.prose(name, strip_tags(text), MAX_LEN_BRIEF)
    from markdownify import markdownify  # noqa: PLC0415 -- few nodes ever need it, and it is large

    # The page uses h1 for the project's title.
    lowered = re.sub(r"(</?)h1\b", r"\1h2", clean)
    markdown = markdownify(lowered, heading_style="ATX", bullets="-", strip=["img", "span"])
    return cleaner.prose(name, re.sub(r"\n{3,}", "\n\n", markdown), MAX_LEN_BRIEF)


def _sanitise(text: str) -> str | None:
    """HTML with only those elements that a brief can hold; None if it is nested too deeply."""
    try:
        clean = markup.sanitise(text, frozenset({"h1", "img"}))
    except markup.HtmlError:
        return None
    level = deepest = 0
    for end in NESTING_TAGS.findall(clean):
        level += -1 if end else 1
        deepest = max(deepest, level)
    return clean if deepest <= MAX_NESTING else None


def strip_tags(html: str) -> str:
    """The text of HTML, without its tags."""
    return unescape(re.sub(r"<[^<>]*>", " ", html)).strip()


def first_sentence(brief: str) -> str:
    """The first sentence of a brief in Markdown, as plain text; headings are skipped."""
    text = re.sub(r"^#+ .*$", "", brief[:2_000], flags=re.MULTILINE)
    plain = re.sub(r"[*_`#>]+|!?\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    paragraph = next((part for part in plain.split("\n\n") if part.strip()), "")
    words = " ".join(paragraph.split())
    return re.split(r"(?<=[.!?])\s", words, maxsplit=1)[0]
