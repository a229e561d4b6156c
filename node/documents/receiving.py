"""Documents of other councils, as their nodes tell us: an upsert by id."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, func, select

from federation.errors import FederationError
from federation.reading import type_of
from federation.vocabulary import id_of
from node.councils.models import Council
from node.db import insert_once, now
from node.declared import DocumentType
from node.documents import service
from node.documents.federate import PREFIX, RemoteDocument, from_document, names
from node.documents.models import PUBLISHED, PluginDocument
from node.federating.models import Actor, Deleted
from node.hooks import Hooks
from node.projects.receiving import followed_council
from node.projects.sifting import changed_at, sift
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import say

log = structlog.get_logger(__name__)


def handlers(hooks: Hooks) -> Handlers:
    """What acts on documents of the types that the plugins declare. A node that does not know a
    type ignores it.
    """
    written = {
        (activity, kind): receive
        for name in hooks.documents
        for kind in names(name)
        for activity in ("Create", "Update")
    }
    return {**written, ("Delete", ""): receive_delete}


def receive(work: UnitOfWork, received: Received) -> None:
    """A Create or Update of a document, as its own origin gives it."""
    if received.document is None:
        raise NotForUsError(say("an activity with no object"))
    told = from_document(received.document, _types(work.node.hooks))
    if told is None:
        raise NotForUsError(say("a document of an unknown type"))
    council = followed_council(work.session, received.activity.actor)
    left_out = keep(work, council, [told])
    if left_out:
        raise NotForUsError(left_out[told.uri])


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """A Delete of a document by its council: it goes, and does not come back."""
    uri = id_of(received.activity.object)
    row = work.session.scalar(select(PluginDocument).where(PluginDocument.uri == uri))
    if row is None or row.is_local or row.council.actor.uri != received.activity.actor:
        raise NotForUsError(say("a deletion of something that does not belong to the sender"))
    insert_once(work.session, Deleted, uri=uri, actor_id=row.council.actor_id, at=now())
    with service.leaving(work, row):
        work.session.delete(row)
    work.audit("document.deleted-by-origin", uri or "")


def gone(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Its origin no longer shows a document that we hold. `deleted`: it said so, and nothing that
    it sent before brings it back. Returns whether we had it.
    """
    mine = PluginDocument.uri == uri, PluginDocument.council_id == council.id
    row = work.session.scalar(select(PluginDocument).where(*mine))
    if row is None:
        return False
    if deleted:
        insert_once(work.session, Deleted, uri=uri, actor_id=council.actor_id, at=now())
    with service.leaving(work, row):
        work.session.delete(row)
    work.audit("document.gone-at-origin", uri)
    return True


def remove_all_of(work: UnitOfWork, actor: Actor, most: int) -> bool:
    """The account of a council on another server is deleted: up to `most` of its documents go.
    True if there may be more.
    """
    theirs = PluginDocument.council.has(Council.actor_id == actor.id)
    found = work.session.scalars(select(PluginDocument).where(theirs).limit(most)).all()
    for row in found:
        with service.leaving(work, row):
            work.session.delete(row)
    return len(found) == most


def is_of_plugin(document: Mapping[str, Any]) -> bool:
    """Whether a document may be of a type that a plugin declares."""
    return type_of(document).startswith(PREFIX)


def read(hooks: Hooks, documents: Iterable[Mapping[str, Any]]) -> list[RemoteDocument]:
    """Those that are of known types, and fit them."""
    types, found = _types(hooks), {}
    for document in documents:
        try:
            told = from_document(document, types)
        except FederationError as error:
            log.info("not a document", uri=str(id_of(document))[:300], why=str(error))
        else:
            if told is not None:
                found[told.uri] = told
    return list(found.values())


def keep(
    work: UnitOfWork,
    council: Council,
    told: list[RemoteDocument],
    *,
    asked_at: datetime | None = None,
) -> dict[str, str]:
    """Keep what a council's node tells of its own documents; those left out, and why."""
    session, types = work.session, work.node.hooks.documents
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
        return "" if counted[one.type] <= service.MOST_OF_COUNCIL else "one document too many"

    fitting, left_out = sift(work, council, told, known, misfit, asked_at)
    for one in fitting:
        plugin, kind = types[one.type]
        row = _store(work, council, plugin, one, known.get(one.uri))
        view = service.view(row, kind)
        work.node.hooks.ask(work, "document_received", only=plugin, document=view)
    return left_out


def _store(
    work: UnitOfWork,
    council: Council,
    plugin: str,
    told: RemoteDocument,
    row: PluginDocument | None,
) -> PluginDocument:
    moment = changed_at(told)
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


def of_others(plugin: str) -> Select[int]:
    """What others published of a plugin's types."""
    ours = select(Council.id).where(Council.slug.is_not(None))
    theirs = PluginDocument.plugin == plugin, PluginDocument.council_id.not_in(ours)
    return select(PluginDocument.id).where(*theirs)


def _types(hooks: Hooks) -> dict[str, DocumentType]:
    return {name: kind for name, (_plugin, kind) in hooks.documents.items()}
