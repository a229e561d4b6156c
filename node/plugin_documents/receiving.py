"""Documents of other councils, as their nodes tell us: an upsert by id."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, func, select

from federation.errors import FederationError
from federation.properties import type_of
from federation.vocabulary import id_of
from node.councils.models import Council
from node.db import insert_once, now
from node.federating.models import Actor, RemoteTombstone
from node.hooks import Hooks
from node.messages import msg
from node.plugin_declarations import DocumentType
from node.plugin_documents import service
from node.plugin_documents.federate import TYPE_PREFIX, RemoteDocument, from_document, type_names
from node.plugin_documents.models import PUBLISHED, PluginDocument
from node.projects.conflict_rules import effective_changed_at, select_applicable
from node.projects.receiving import require_followed_council
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

log = structlog.get_logger(__name__)


def build_handlers(hooks: Hooks) -> Handlers:
    """What acts on documents of the types that the plugins declare. A node that does not know a
    type ignores it.
    """
    written = {
        (activity, kind): receive
        for name in hooks.document_types
        for kind in type_names(name)
        for activity in ("Create", "Update")
    }
    return {**written, ("Delete", ""): receive_delete}


def receive(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A Create or Update of a document, as its own origin gives it."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    told = from_document(received.document, _document_types(work.node.hooks))
    if told is None:
        raise NotHandledError(msg("a document of an unknown type"))
    council = require_followed_council(work.session, received.activity.actor)
    left_out = upsert(work, council, [told])
    if left_out:
        raise NotHandledError(left_out[told.uri])


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A Delete of a document by its council: it goes, and does not come back."""
    uri = id_of(received.activity.object)
    row = work.session.scalar(select(PluginDocument).where(PluginDocument.uri == uri))
    if row is None or row.is_local or row.council.actor.uri != received.activity.actor:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=row.council.actor_id, at=now())
    with service.notify_plugin_of_removal(work, row):
        work.session.delete(row)
    work.audit("document.deleted-by-origin", uri or "")


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Its origin no longer shows a document that we hold. `deleted`: it said so, and nothing that
    it sent before brings it back. Returns whether we had it.
    """
    mine = PluginDocument.uri == uri, PluginDocument.council_id == council.id
    row = work.session.scalar(select(PluginDocument).where(*mine))
    if row is None:
        return False
    if deleted:
        insert_once(work.session, RemoteTombstone, uri=uri, actor_id=council.actor_id, at=now())
    with service.notify_plugin_of_removal(work, row):
        work.session.delete(row)
    work.audit("document.gone-at-origin", uri)
    return True


def on_actor_deleted(work: UnitOfWork, actor: Actor, most: int) -> bool:
    """The account of a council on another server is deleted: up to `most` of its documents go.
    True if there may be more.
    """
    theirs = PluginDocument.council.has(Council.actor_id == actor.id)
    found = work.session.scalars(select(PluginDocument).where(theirs).limit(most)).all()
    for row in found:
        with service.notify_plugin_of_removal(work, row):
            work.session.delete(row)
    return len(found) == most


def may_be_plugin_document(document: Mapping[str, Any]) -> bool:
    """Whether a document may be of a type that a plugin declares."""
    return type_of(document).startswith(TYPE_PREFIX)


def parse_documents(hooks: Hooks, documents: Iterable[Mapping[str, Any]]) -> list[RemoteDocument]:
    """Those that are of known types, and fit them."""
    types, found = _document_types(hooks), {}
    for document in documents:
        try:
            told = from_document(document, types)
        except FederationError as error:
            log.info("not a document", uri=str(id_of(document))[:300], why=str(error))
        else:
            if told is not None:
                found[told.uri] = told
    return list(found.values())


def upsert(
    work: UnitOfWork,
    council: Council,
    told: list[RemoteDocument],
    *,
    asked_at: datetime | None = None,
) -> dict[str, str]:
    """Keep what a council's node tells of its own documents; those left out, and why."""
    session, types = work.session, work.node.hooks.document_types
    of_these = PluginDocument.uri.in_([one.uri for one in told])
    known = {row.uri: row for row in session.scalars(select(PluginDocument).where(of_these))}
    counted: dict[str, int] = {}

    def misfit(one: RemoteDocument, there: PluginDocument | None) -> str:
        if there is not None:
            is_same = (there.council_id, there.type) == (council.id, one.type)
            return "" if is_same else "a document of another type"
        if one.type not in counted:
            mine = PluginDocument.council_id == council.id, PluginDocument.type == one.type
            counted[one.type] = session.scalar(select(func.count()).where(*mine)) or 0
        counted[one.type] += 1
        return "" if counted[one.type] <= service.MAX_PER_COUNCIL else "one document too many"

    fitting, left_out = select_applicable(work, council, told, known, misfit, asked_at)
    for one in fitting:
        plugin, kind = types[one.type]
        row = _store(work, council, plugin, one, known.get(one.uri))
        view = service.to_plugin_view(row, kind)
        work.node.hooks.call(work, "document_received", only=plugin, document=view)
    return left_out


def _store(
    work: UnitOfWork,
    council: Council,
    plugin: str,
    told: RemoteDocument,
    row: PluginDocument | None,
) -> PluginDocument:
    moment = effective_changed_at(told)
    if row is None:
        row = PluginDocument(
            uri=told.uri,
            plugin=plugin,
            type=told.type,
            council=council,
            state=PUBLISHED,
            published_at=min(told.published_at or moment, moment),
        )
        work.session.add(row)
    row.name, row.fields, row.visibility = told.name, told.fields, told.visibility
    row.project_uri, row.changed_at = told.project_uri, moment
    row.revision = told.revision
    work.session.flush()
    return row


def select_remote(plugin: str) -> Select[int]:
    """What others published of a plugin's types."""
    ours = select(Council.id).where(Council.slug.is_not(None))
    theirs = PluginDocument.plugin == plugin, PluginDocument.council_id.not_in(ours)
    return select(PluginDocument.id).where(*theirs)


def _document_types(hooks: Hooks) -> dict[str, DocumentType]:
    return {name: kind for name, (_plugin, kind) in hooks.document_types.items()}
