"""Publishes and withdraws our council's documents, and reads those of all councils."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from federation.errors import DocumentError
from federation.properties import JsonObject as Json
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from federation.vocabulary.activities import ActivityFactory
from node.access import audiences
from node.access.audiences import Audience
from node.access.viewer import Viewer
from node.access.visibility import Visibility
from node.councils import service as councils
from node.councils import visibility as council_visibility
from node.councils.models import Council
from node.database.tables import now
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating.identity import local_uris
from node.federating.models import Actor
from node.federating.outbound import outbox
from node.messages import message_from, msg
from node.plugin_api.declarations import DocumentType
from node.plugin_api.info import DocumentInfo
from node.plugin_documents.federate import MAX_LEN_NAME, build_addressing, to_document, to_tombstone
from node.plugin_documents.fields import clean_fields, to_plugin_fields
from node.plugin_documents.models import PUBLISHED, WITHDRAWN, PluginDocument
from node.plugin_documents.visibility import is_fetchable_by, is_visible_to
from node.projects.models import Project, new_revision, new_token
from node.runtime import UnitOfWork
from node.text import one_line

# Documents of one type by one council.
MAX_PER_COUNCIL = 5_000
# Documents in a list for a plugin.
MAX_LISTED = 1_000
# Documents withdrawn in one transaction. Each queues a delivery to every server that received it.
WITHDRAW_BATCH_SIZE = 20


@dataclass(frozen=True)
class Document:
    """A document that a plugin publishes. `fields` match its type; `name` is a title for people.

    `project_uri` is the project that it is about: the document is visible only to those who can see
    the project. `visibility` is `public` or `peers`, or None for that of the type. `id` is the id
    of the document that this one replaces, if any.
    """

    type: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    project_uri: str | None = None
    visibility: Audience | None = None
    id: str | None = None


def publish(
    work: UnitOfWork, plugin: str, kind: DocumentType, document: Document
) -> PluginDocument:
    """Publish a new document or a new version of one, and deliver it to our council's followers.

    An unchanged document is not delivered again. A withdrawn one is published as a new document,
    with a new id.

    Raises `InvalidInputError` for fields that do not match the type, `ConflictError` for a document
    about a project that other councils cannot see, or for one too many.
    """
    name = one_line(document.name, MAX_LEN_NAME)
    if not name:
        raise InvalidInputError(msg("The document needs a name."))
    fields = _validate_fields(kind, document.fields)
    visibility = _effective_visibility(work.session, document, kind)
    row = _lock_own(work.session, plugin, document.id) if document.id else None
    if row is None or row.state == WITHDRAWN:
        row = _create_row(work, plugin, kind.name, document.project_uri)
        row.name, row.fields, row.visibility = name, fields, visibility
        work.session.add(row)
        work.session.flush()
        _publish(work, row, create_activity, to_document(row))
        work.audit("document.publish", row.uri, type=kind.name)
        return row
    if (row.name, row.fields, row.visibility) == (name, fields, visibility):
        return row
    if row.visibility == "public" and visibility == "peers":
        row.visibility = visibility
        _withdraw_from_others(work, row, audiences.PEERS)
    row.name, row.fields, row.visibility = name, fields, visibility
    row.revision, row.changed_at = new_revision(), now()
    _publish(work, row, update_activity, to_document(row))
    work.audit("document.change", row.uri, type=kind.name)
    return row


def withdraw(work: UnitOfWork, plugin: str, uri: str) -> None:
    """Delete a document of our council here, and ask all servers that have it to delete it. Does
    nothing if it was withdrawn before. Raises `NotFoundError`.
    """
    row = _lock_own(work.session, plugin, uri)
    if row.state == WITHDRAWN:
        return
    _erase(row)
    _publish(work, row, delete_activity, to_tombstone(row).dump())
    work.audit("document.withdraw", row.uri, type=row.type)


def withdraw_batch(work: UnitOfWork, plugin: str) -> bool:
    """Withdraw some documents of a plugin. Returns whether there may be more."""
    is_ours = council_visibility.is_own(PluginDocument.council_id)
    query = _select_published().where(PluginDocument.plugin == plugin, is_ours)
    rows = work.session.scalars(query.order_by(PluginDocument.id).limit(WITHDRAW_BATCH_SIZE)).all()
    for row in rows:
        withdraw(work, plugin, row.uri)
    return len(rows) == WITHDRAW_BATCH_SIZE


@contextmanager
def notify_plugin_of_removal(work: UnitOfWork, row: PluginDocument) -> Iterator[None]:
    """Call `document_withdrawn` of the plugin after the block has removed `row`."""
    plugin, kind = work.node.hooks.document_types.get(row.type, ("", None))
    view = to_document_info(row, kind) if kind else None
    yield
    work.session.flush()
    if view is not None:
        work.node.hooks.call(work, "document_withdrawn", only=plugin, document=view)


def by_token(session: Session, token: str) -> PluginDocument:
    """The document with this token, also a withdrawn one. Raises `NotFoundError`."""
    row = session.scalar(select(PluginDocument).where(PluginDocument.token == token))
    if row is None:
        raise NotFoundError(msg("Document not found."))
    return row


def by_uri(session: Session, uri: str, viewer: Viewer | None) -> PluginDocument:
    """The document with this id, if `viewer` can see it; None sees all. Raises `NotFoundError`, and
    `GoneError` for a withdrawn one.
    """
    row = session.scalar(select(PluginDocument).where(PluginDocument.uri == uri))
    if row is None or not can_see(session, row, viewer):
        raise NotFoundError(msg("Document not found."))
    if row.state == WITHDRAWN:
        raise GoneError(msg("This document has been deleted."))
    return row


def can_see(session: Session, row: PluginDocument, viewer: Viewer | None) -> bool:
    """Whether `viewer` can see a document; None sees all that are shown on this site."""
    if row.state == WITHDRAWN:
        return True  # nothing of its content is left
    query = select(PluginDocument.id).where(PluginDocument.id == row.id, is_visible_to(viewer))
    return session.scalar(query) is not None


def list_documents(
    session: Session,
    kind: str,
    viewer: Viewer | None,
    *,
    project_uri: str | None = None,
    council_uri: str | None = None,
    fields: Mapping[str, str | int | bool] | None = None,
) -> list[PluginDocument]:
    """The newest documents of a type that `viewer` can see, with these values in `fields`."""
    query = _select_published().where(PluginDocument.type == kind, is_visible_to(viewer))
    if project_uri is not None:
        query = query.where(PluginDocument.project_uri == project_uri)
    if council_uri is not None:
        query = query.where(PluginDocument.council.has(Council.actor.has(Actor.uri == council_uri)))
    for name, value in (fields or {}).items():
        query = query.where(_field_equals(name, value))
    newest_first = PluginDocument.changed_at.desc(), PluginDocument.id.desc()
    return list(session.scalars(query.order_by(*newest_first).limit(MAX_LISTED)))


def projects_with_documents(
    session: Session, kind: str, viewer: Viewer | None, project_uris: Collection[str]
) -> set[str]:
    """The ids among `project_uris` with a document of this type that `viewer` can see."""
    documented_uris = select(PluginDocument.project_uri).where(
        PluginDocument.state == PUBLISHED,
        PluginDocument.type == kind,
        PluginDocument.project_uri.in_(project_uris),
        is_visible_to(viewer),
    )
    return {uri for uri in session.scalars(documented_uris) if uri}


def count_documents(session: Session, council: Council, viewer: Viewer) -> int:
    query = _select_visible(council, viewer).with_only_columns(func.count())
    return session.scalar(query) or 0


def documents_after(
    session: Session, council: Council, viewer: Viewer, after: int, limit: int
) -> list[PluginDocument]:
    """The next `limit` documents of our council for `viewer`, with row ids above `after`."""
    query = _select_visible(council, viewer).where(PluginDocument.id > after)
    return list(session.scalars(query.order_by(PluginDocument.id).limit(limit)))


def revisions_by_type(
    session: Session, council: Council, viewer: Viewer | None = None
) -> dict[str, dict[str, str]]:
    """Type to id to revision, of a council's documents that `viewer` can see, or of all."""
    query = _select_visible(council, viewer) if viewer else _select_of_council(council)
    columns = PluginDocument.type, PluginDocument.uri, PluginDocument.revision
    revisions: dict[str, dict[str, str]] = {}
    for kind, uri, revision in session.execute(
        query.with_only_columns(*columns).order_by(PluginDocument.id)
    ):
        revisions.setdefault(kind, {})[uri] = revision
    return revisions


def to_document_info(row: PluginDocument, kind: DocumentType) -> DocumentInfo:
    """The document as plugins see it."""
    return DocumentInfo(
        id=row.uri,
        type=row.type,
        name=row.name,
        fields=to_plugin_fields(kind, row.fields),
        council=councils.to_council_info(row.council),
        project_uri=row.project_uri,
        visibility=row.visibility,
        published_at=row.published_at,
        changed_at=row.changed_at,
        is_local=row.is_local,
    )


def _select_visible(council: Council, viewer: Viewer) -> Select[PluginDocument]:
    """The documents of our own council that `viewer` may fetch."""
    return _select_of_council(council).where(is_fetchable_by(viewer))


def _select_of_council(council: Council) -> Select[PluginDocument]:
    return _select_published().where(PluginDocument.council_id == council.id)


def _select_published() -> Select[PluginDocument]:
    return select(PluginDocument).where(PluginDocument.state == PUBLISHED)


def _field_equals(name: str, value: str | int | bool) -> ColumnElement[bool]:
    column: Any = PluginDocument.fields[name]
    if isinstance(value, bool):
        return column.as_boolean() == value  # type: ignore[no-any-return]
    if isinstance(value, int):
        return column.as_integer() == value  # type: ignore[no-any-return]
    return column.as_string() == value  # type: ignore[no-any-return]


def _validate_fields(kind: DocumentType, fields: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return clean_fields(kind, fields)
    except DocumentError as error:
        errors = {error.property_name: message_from(error)}
        raise InvalidInputError(msg("The document does not match its type."), errors) from error


def _effective_visibility(session: Session, document: Document, kind: DocumentType) -> Audience:
    """The visibility, no wider than that of the project. Raises `ConflictError`."""
    requested = document.visibility or kind.visibility
    project = session.scalar(select(Project).where(Project.uri == document.project_uri))
    if project is None:
        return requested
    if project.effective_visibility is Visibility.private:
        raise ConflictError(
            msg(
                "You cannot publish a document about this project because other "
                "councils cannot see it."
            )
        )
    return "public" if requested == project.visibility == "public" else "peers"


def _lock_own(session: Session, plugin: str, uri: str) -> PluginDocument:
    is_document = PluginDocument.uri == uri, PluginDocument.plugin == plugin
    row = session.scalar(
        select(PluginDocument).where(*is_document).with_for_update(of=PluginDocument)
    )
    if row is None or not row.is_local:
        raise NotFoundError(msg("Document not found."))
    return row


def _create_row(
    work: UnitOfWork, plugin: str, kind: str, project_uri: str | None
) -> PluginDocument:
    council = councils.require_own(work.session)
    is_same_type = PluginDocument.council_id == council.id, PluginDocument.type == kind
    if (work.session.scalar(select(func.count()).where(*is_same_type)) or 0) >= MAX_PER_COUNCIL:
        raise ConflictError(
            msg(
                "Your council already has %(most)s documents of this type, which is "
                "the maximum. Delete one before you add another.",
                most=f"{MAX_PER_COUNCIL:,}",
            )
        )
    token, created_at = new_token(), now()
    return PluginDocument(
        token=token,
        uri=local_uris.document(work.settings, token),
        plugin=plugin,
        type=kind,
        council=council,
        project_uri=project_uri,
        state=PUBLISHED,
        published_at=created_at,
        changed_at=created_at,
    )


def _erase(row: PluginDocument) -> None:
    row.state, row.deleted_at, row.name, row.fields = WITHDRAWN, now(), "", {}


def _withdraw_from_others(work: UnitOfWork, row: PluginDocument, audience: Audience | None) -> None:
    """Send a Delete to servers that have the document and may no longer see it."""
    uri, actor = local_uris.new_activity(work.settings), row.council.actor
    deletion = delete_activity(uri, actor.uri, to_tombstone(row).dump(), **build_addressing(row))
    outbox.withdraw(work, actor, deletion, audience)


def _publish(
    work: UnitOfWork, row: PluginDocument, create: ActivityFactory, document: Json
) -> None:
    actor = row.council.actor
    activity = create(
        local_uris.new_activity(work.settings), actor.uri, document, **build_addressing(row)
    )
    visibility: Audience = "public" if row.visibility == "public" else "peers"
    outbox.publish(work, actor, activity, visibility)
