"""Converts an update to its ActivityPub document and back. Pure: no database, no network."""

import re
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from federation.origin import same_origin
from federation.vocabulary import Note, Tombstone
from node import markup
from node.federating.identity import local_uris
from node.projects.details import FreshnessDetails
from node.projects.details import parse as parse_details
from node.projects.federate import build_addressing, build_freshness
from node.updates.models import Update

MAX_LEN_CONTENT = 60_000
MAX_LEN_LANGUAGE = 10
# The headings of the three parts of an update, in their order, by language.
HEADINGS = {
    "en": {"changed": "What changed", "next": "What is next", "needs": "What we need"},
    "cy": {
        "changed": "Beth newidiodd",
        "next": "Beth sydd nesaf",
        "needs": "Beth sydd ei angen arnom",
    },
}


@dataclass(frozen=True)
class RemoteUpdate:
    """An update as another node states it, checked and sanitised. `freshness_details` is the
    freshness of the project as of this update.
    """

    uri: str
    url: str
    council_uri: str
    project_uri: str
    content: str
    language: str
    published_at: datetime | None
    changed_at: datetime | None
    revision: str
    freshness_details: FreshnessDetails


def render_parts(parts: dict[str, str], language: str) -> str:
    """The parts that are not empty, each with its heading in `language`, as sanitised HTML."""
    headings = HEADINGS.get(language, HEADINGS["en"])
    rendered = (
        (heading, markup.render_markdown(parts[name])) for name, heading in headings.items()
    )
    return "".join(f"<h3>{heading}</h3>\n{html}" for heading, html in rendered if html)


def localise_headings(update: Update) -> str:
    """The HTML of an update with headings in its language. Earlier versions of this program stored
    English ones.
    """
    content, own_headings = update.content, HEADINGS.get(update.language, HEADINGS["en"])
    for name, heading in HEADINGS["en"].items():
        content = content.replace(f"<h3>{heading}</h3>", f"<h3>{own_headings[name]}</h3>")
    return content


def to_note(update: Update, licence: str | None) -> Note:
    """An update as a `Note` that stands by itself. `licence` is the URL of the licence of its text.

    It is not a reply to its project: Mastodon hides replies to objects that it has not seen, which
    is the case for everyone who followed after the project was published. `context` and our own
    term `project` say what it belongs to, and for readers a first line with a link.
    """
    project = update.project
    return Note(
        id=update.uri,
        content=_project_line(project.title, project.uri) + update.content,
        attributed_to=update.author.uri,
        url=update.url,
        context=local_uris.project_context(project.uri),
        audience=local_uris.project_group(project.uri),
        project=project.uri,
        license=licence,
        revision=update.revision,
        details=build_freshness(project),
        published=update.published_at,
        updated=update.changed_at if update.version > 1 else None,
        language=update.language,
        **build_addressing(project),
    )


def to_tombstone(update: Update) -> Tombstone:
    return Tombstone(id=update.uri, former_type="Note", deleted=update.deleted_at)


def from_note(note: Note) -> RemoteUpdate | None:
    """The update that a note describes; None for a note that is not an update.

    Raises `DocumentError` if a part is not valid.
    """
    if note.project is None:
        return None
    content = markup.sanitise_received("content", note.content, MAX_LEN_CONTENT)
    url = note.url or ""
    language = note.language or "en"
    return RemoteUpdate(
        uri=note.id,
        url=url if same_origin(url, note.id) else note.id,
        council_uri=note.attributed_to,
        project_uri=note.project,
        content=_strip_project_line(content, note.project),
        language=language if len(language) <= MAX_LEN_LANGUAGE else "en",
        published_at=note.published,
        changed_at=note.updated or note.published,
        revision=note.revision,
        freshness_details=parse_details(FreshnessDetails, note.details),
    )


def _project_line(title: str, uri: str) -> str:
    """A line that links to the project, for readers who see the update in a timeline."""
    return str(Markup('<p><a href="{}">{}</a></p>\n').format(uri, title))


def _strip_project_line(content: str, uri: str) -> str:
    """Remove that line, which is superfluous on the project's own page."""
    pattern = re.compile(rf'<p><a href="{re.escape(escape(uri))}"[^<>]*>[^<>]*</a></p>\s*')
    match = pattern.match(content)
    return content[match.end() :] if match else content
