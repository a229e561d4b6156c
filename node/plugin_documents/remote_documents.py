"""Stores, updates and deletes the documents of other councils. Upserts are by id."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, func, select

from federation.errors import FederationError
from federation.properties import type_of
from federation.vocabulary import id_of
from federation.vocabulary.activity_types import DELETE, VERSION_TYPES
from node.councils import visibility as council_visibility
from node.councils.models import Council
from node.database.tables import insert_once, now
from node.federating.models import Actor, RemoteTombstone
from node.federating.peers.actor_deletions import Erasure
from node.messages import msg
from node.plugin_api.declarations import DocumentType
from node.plugin_api.hooks import Hooks
from node.plugin_documents import service
from node.plugin_documents.federate import TYPE_PREFIX, RemoteDocument, from_document, type_names
from node.plugin_documents.models import PUBLISHED, PluginDocument
from node.projects.remote_precedence import effective_changed_at, select_applicable
from node.projects.remote_projects import require_followed_council
from node.runtime import Handler, Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork

# The kind of all stored documents, of whatever type.
PLUGIN_DOCUMENT = "plugin document"

log = structlog.get_logger(__name__)


def build_handlers(hooks: Hooks) -> Handlers:
    """The handlers of documents of all registered types. Documents of unknown types are ignored."""
    by_kind: dict[tuple[str, str], Handler] = {
        (activity, kind): receive
        for name in hooks.document_types
        for kind in (*type_names(name), PLUGIN_DOCUMENT)
        for activity in VERSION_TYPES
    }
    by_kind[DELETE, PLUGIN_DOCUMENT] = receive_delete
    return Handlers(by_kind, stores=(Stored(PluginDocument.uri, PLUGIN_DOCUMENT),))


def receive(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Create or Update of a document that was sent or fetched from its origin.

    Raises `NotHandledError` if it is of an unknown type or was not applied.
    """
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    document = from_document(received.document, _document_types(work.node.hooks))
    if document is None:
        raise NotHandledError(msg("a document of an unknown type"))
    council = require_followed_council(work.session, received.activity.actor)
    rejected = upsert(work, council, [document])
    if rejected:
        raise NotHandledError(rejected[document.uri])


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Delete of a document by its council. A tombstone keeps it from being stored again.
    Raises `NotHandledError` if the sender does not own it.
    """
    uri = id_of(received.activity.object)
    row = work.session.scalar(select(PluginDocument).where(PluginDocument.uri == uri))
    if row is None or row.is_local or row.council.actor.uri != received.activity.actor:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=row.council.actor_id, at=now())
    with service.notify_plugin_of_removal(work, row):
        work.session.delete(row)
    work.audit("document.deleted-by-origin", uri or "")


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Remove a document that its origin no longer serves. Returns whether we had it.

    With `deleted` the origin said that it was deleted: a tombstone then keeps older messages from
    restoring it.
    """
    is_document = PluginDocument.uri == uri, PluginDocument.council_id == council.id
    row = work.session.scalar(select(PluginDocument).where(*is_document))
    if row is None:
        return False
    if deleted:
        insert_once(work.session, RemoteTombstone, uri=uri, actor_id=council.actor_id, at=now())
    with service.notify_plugin_of_removal(work, row):
        work.session.delete(row)
    work.audit("document.gone-at-origin", uri)
    return True


def _erase_documents_of(work: UnitOfWork, actor: Actor, limit: int) -> bool:
    """Delete up to `limit` documents of a council on another server whose actor was deleted.

    Returns True if there may be more.
    """
    is_by_actor = PluginDocument.council.has(Council.actor_id == actor.id)
    rows = work.session.scalars(select(PluginDocument).where(is_by_actor).limit(limit)).all()
    for row in rows:
        with service.notify_plugin_of_removal(work, row):
            work.session.delete(row)
    return len(rows) == limit


ERASE_DOCUMENTS = Erasure("erase-documents", _erase_documents_of)


def may_be_plugin_document(document: Mapping[str, Any]) -> bool:
    """Whether the type of a document is written as plugins' types are."""
    return type_of(document).startswith(TYPE_PREFIX)


def parse_documents(hooks: Hooks, documents: Iterable[Mapping[str, Any]]) -> list[RemoteDocument]:
    """The valid documents of known types among `documents`. Invalid ones are logged and skipped."""
    types, by_uri = _document_types(hooks), {}
    for document in documents:
        try:
            parsed = from_document(document, types)
        except FederationError as error:
            log.info(
                "invalid plugin document skipped", uri=str(id_of(document))[:300], why=str(error)
            )
        else:
            if parsed is not None:
                by_uri[parsed.uri] = parsed
    return list(by_uri.values())


def upsert(
    work: UnitOfWork,
    council: Council,
    documents: list[RemoteDocument],
    *,
    requested_at: datetime | None = None,
) -> dict[str, str]:
    """Store documents received from their council's server.

    `requested_at`: when they were fetched; None if they were pushed. Returns the reason for each id
    that was not applied. Calls `document_received` of the plugin for each one that was.
    """
    session, types = work.session, work.node.hooks.document_types
    has_uri = PluginDocument.uri.in_([document.uri for document in documents])
    known = {row.uri: row for row in session.scalars(select(PluginDocument).where(has_uri))}
    counts: dict[str, int] = {}

    def reject_reason(document: RemoteDocument, row: PluginDocument | None) -> str:
        if row is not None:
            is_same = (row.council_id, row.type) == (council.id, document.type)
            return "" if is_same else "a document of another type"
        if document.type not in counts:
            is_same_type = (
                PluginDocument.council_id == council.id,
                PluginDocument.type == document.type,
            )
            counts[document.type] = session.scalar(select(func.count()).where(*is_same_type)) or 0
        counts[document.type] += 1
        return "" if counts[document.type] <= service.MAX_PER_COUNCIL else "one document too many"

    accepted, rejected = select_applicable(
        work, council, documents, known, reject_reason, requested_at
    )
    for document in accepted:
        plugin, kind = types[document.type]
        row = _store(work, council, plugin, document, known.get(document.uri))
        view = service.to_document_info(row, kind)
        work.node.hooks.call(work, "document_received", only=plugin, document=view)
    return rejected


def _store(
    work: UnitOfWork,
    council: Council,
    plugin: str,
    document: RemoteDocument,
    row: PluginDocument | None,
) -> PluginDocument:
    changed_at = effective_changed_at(document)
    if row is None:
        row = PluginDocument(
            uri=document.uri,
            plugin=plugin,
            type=document.type,
            council=council,
            state=PUBLISHED,
            published_at=min(document.published_at or changed_at, changed_at),
        )
        work.session.add(row)
    row.name, row.fields, row.visibility = document.name, document.fields, document.visibility
    row.project_uri, row.changed_at = document.project_uri, changed_at
    row.revision = document.revision
    work.session.flush()
    return row


def select_remote(plugin: str) -> Select[int]:
    """The ids of other councils' documents of a plugin."""
    is_own = council_visibility.is_own(PluginDocument.council_id)
    return select(PluginDocument.id).where(PluginDocument.plugin == plugin, ~is_own)


def _document_types(hooks: Hooks) -> dict[str, DocumentType]:
    return {name: kind for name, (_plugin, kind) in hooks.document_types.items()}
