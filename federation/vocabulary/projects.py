"""The properties of projects in our own namespace, and the full project document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from federation.errors import DocumentError
from federation.properties import JsonObject, format_time, get_link, get_text, id_of, parse_time
from federation.vocabulary.context import drop_empty, with_context
from federation.vocabulary.required import required_author, required_id, required_type

# Opaque to readers; stored in digests and database columns.
REVISION = re.compile(r"[\x21-\x7e]{1,40}")
PUBLIC_VISIBILITY, PEERS_VISIBILITY = "public", "peers"


@dataclass(frozen=True)
class ProjectDetails:
    """The properties of a project in our own namespace, beside those of any Article.

    `summary` is plain text; `source_markdown` is the source of the Article's content. `revision`
    is a token that changes with every edit; `visibility` is public or peers. `details` is a JSON
    literal (JSON-LD 1.1), described in FEDERATION.md.
    """

    summary: str = ""
    phase: str = ""
    source_markdown: str = ""
    version: int = 1
    visibility: str = PUBLIC_VISIBILITY
    revision: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self | None:
        """Read the properties; None if the document has none in our namespace.

        A missing or unknown visibility counts as peers, never as public.
        """
        phase, summary = (
            get_own_property(document, "phase"),
            get_own_property(document, "plainSummary"),
        )
        if not isinstance(phase, str) and not isinstance(summary, str):
            return None
        source = document.get("source")
        markdown = source.get("content") if isinstance(source, dict) else None
        version = get_own_property(document, "projectVersion")
        return cls(
            summary=summary if isinstance(summary, str) else "",
            phase=phase if isinstance(phase, str) else "",
            source_markdown=markdown if isinstance(markdown, str) else "",
            version=version if type(version) is int else 1,
            visibility=PUBLIC_VISIBILITY
            if get_own_property(document, "visibility") == PUBLIC_VISIBILITY
            else PEERS_VISIBILITY,
            revision=get_revision(document),
            details=get_details(document),
        )

    def dump(self) -> JsonObject:
        """The properties to add to the Article or Document."""
        source = {"content": self.source_markdown, "mediaType": "text/markdown"}
        return {
            "plainSummary": self.summary,
            "phase": self.phase,
            "source": source if self.source_markdown else None,
            "projectVersion": self.version,
            "visibility": self.visibility,
            "revision": self.revision or None,
            "details": self.details or None,
        }


@dataclass(frozen=True)
class ProjectDocument:
    """The full project document, to which the Article `project` links (FEP-e232).

    A plain AS2 `Document`, so that every reader can handle it. `content` is HTML.
    """

    id: str
    project: str
    name: str
    attributed_to: str
    details: ProjectDetails
    content: str = ""
    url: str | None = None
    license: str | None = None
    published: datetime | None = None
    updated: datetime | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, or without our properties."""
        required_type(document, ("Document",))
        details = ProjectDetails.parse(document)
        if details is None:
            raise DocumentError("phase", "missing")
        return cls(
            id=required_id(document, "id"),
            project=required_id(
                {"project": id_of(get_own_property(document, "project"))}, "project"
            ),
            name=get_text(document, "name") or "",
            attributed_to=required_author(document),
            details=details,
            content=get_text(document, "content") or "",
            url=get_link(document.get("url")),
            license=id_of(document.get("license")),
            published=parse_time(document.get("published")),
            updated=parse_time(document.get("updated")),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without a JSON-LD context to embed it in another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": "Document",
                "project": self.project,
                "name": self.name,
                "attributedTo": self.attributed_to,
                "mediaType": "text/html",
                "content": self.content,
                "url": self.url,
                "license": self.license,
                "published": format_time(self.published) if self.published else None,
                "updated": format_time(self.updated) if self.updated else None,
                **self.details.dump(),
            }
        )
        return with_context(document) if context else document


def is_revision(value: Any) -> bool:
    """Whether `value` has the form of a revision token."""
    return isinstance(value, str) and REVISION.fullmatch(value) is not None


def get_revision(document: Mapping[str, Any]) -> str:
    """The revision token of a document; empty if missing or malformed."""
    revision = get_own_property(document, "revision")
    return revision if is_revision(revision) else ""


def get_details(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON literal `details` of a document; empty if missing or malformed."""
    details = get_own_property(document, "details")
    return details if isinstance(details, dict) else {}


def get_own_property(document: Mapping[str, Any], term: str) -> Any:
    """A property in our namespace, with or without the prefix `moothall:`."""
    return document.get(term, document.get(f"moothall:{term}"))
