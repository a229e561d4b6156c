"""Writes feeds as Atom (RFC 4287, with licences after RFC 4946) and JSON Feed 1.1. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from node.feeds.representations import format_moment
from node.projects.licensing import Licence

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
JSON_FEED_VERSION = "https://jsonfeed.org/version/1.1"
# Characters that XML 1.0 cannot represent.
INVALID_XML_PATTERN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
XML_LANG_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}lang"

register_namespace("", ATOM_NAMESPACE)


@dataclass(frozen=True)
class FeedEntry:
    """One entry of a feed. `content` is sanitised HTML; `licence` is None if unknown."""

    id: str
    url: str
    title: str
    summary: str
    content: str
    author: str
    language: str
    published: datetime | None
    updated: datetime
    tags: tuple[str, ...] = ()
    licence: Licence | None = None


@dataclass(frozen=True)
class Feed:
    """A feed. `url` is its own URL, `page` that of the corresponding web page, and `next` that of
    the page with older entries (RFC 5005), if any.
    """

    title: str
    url: str
    page: str
    author: str
    updated: datetime
    entries: Sequence[FeedEntry]
    next: str | None = None
    language: str = "en"


def to_atom(feed: Feed) -> bytes:
    root = Element(f"{{{ATOM_NAMESPACE}}}feed", {XML_LANG_ATTRIBUTE: feed.language})
    _add_text(root, "id", feed.url)
    _add_text(root, "title", feed.title)
    _add_text(root, "updated", format_moment(feed.updated) or "")
    _add_text(SubElement(root, f"{{{ATOM_NAMESPACE}}}author"), "name", feed.author)
    _add_link(root, "self", feed.url, "application/atom+xml")
    _add_link(root, "alternate", feed.page, "text/html")
    if feed.next:
        _add_link(root, "next", feed.next, "application/atom+xml")
    _add_text(root, "generator", "Moothall")
    for entry in feed.entries:
        _add_entry(root, entry)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(root: Element, entry: FeedEntry) -> None:
    element = SubElement(root, f"{{{ATOM_NAMESPACE}}}entry", {XML_LANG_ATTRIBUTE: entry.language})
    _add_text(element, "id", entry.id)
    _add_text(element, "title", entry.title)
    _add_text(element, "updated", format_moment(entry.updated) or "")
    if entry.published:
        _add_text(element, "published", format_moment(entry.published) or "")
    _add_text(SubElement(element, f"{{{ATOM_NAMESPACE}}}author"), "name", entry.author)
    _add_link(element, "alternate", entry.url, "text/html")
    if entry.licence:
        _add_text(element, "rights", str(entry.licence.name))
        SubElement(
            element, f"{{{ATOM_NAMESPACE}}}link", {"rel": "license", "href": entry.licence.url}
        )
    for tag in entry.tags:
        SubElement(element, f"{{{ATOM_NAMESPACE}}}category", {"term": _strip_invalid(tag)})
    if entry.summary:
        _add_text(element, "summary", entry.summary)
    _add_text(element, "content", entry.content).set("type", "html")


def _add_text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, f"{{{ATOM_NAMESPACE}}}{name}")
    element.text = _strip_invalid(text)
    return element


def _strip_invalid(text: str) -> str:
    return INVALID_XML_PATTERN.sub("", text)


def _add_link(parent: Element, relation: str, href: str, kind: str) -> None:
    attributes = {"rel": relation, "href": _strip_invalid(href), "type": kind}
    SubElement(parent, f"{{{ATOM_NAMESPACE}}}link", attributes)


def to_json_feed(feed: Feed) -> dict[str, Any]:
    return {
        "version": JSON_FEED_VERSION,
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.url,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        **({"next_url": feed.next} if feed.next else {}),
        "items": [_to_json_item(entry) for entry in feed.entries],
    }


def _to_json_item(entry: FeedEntry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        # An item has to have some content.
        "content_html": entry.content or f"<p>{escape(entry.summary or entry.title)}</p>",
        "date_published": format_moment(entry.published),
        "date_modified": format_moment(entry.updated),
        "authors": [{"name": entry.author}],
        "language": entry.language,
        "tags": list(entry.tags),
        # An extension: JSON Feed has no property for it.
        "_licence": entry.licence and {"name": str(entry.licence.name), "url": entry.licence.url},
    }
    return {name: value for name, value in item.items() if value}
