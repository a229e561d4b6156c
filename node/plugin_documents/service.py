"""What can be done with documents of plugins' types, and reading those of everybody."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session

from federation.errors import DocumentError
from federation.properties import JsonObject as Json
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from federation.vocabulary.activities import ActivityFactory
from node.councils import service as councils
from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from node.federating import local_uris, outbox
from node.federating.models import Actor
from node.federating.viewer import ANONYMOUS, Viewer
from node.messages import message_from, msg
from node.plugin_declarations import Audience, DocumentType
from node.plugin_documents.federate import MAX_LEN_NAME, address_to, to_document, to_tombstone
from node.plugin_documents.fields import clean_fields, to_view_fields
from node.plugin_documents.models import PUBLISHED, WITHDRAWN, PluginDocument
from node.plugin_views import DocumentView
from node.projects import service as projects
from node.projects.models import Project, ProjectState, Visibility, new_revision, new_token
from node.runtime import UnitOfWork
from node.text import one_line

# Of one type and council. Nobody answers more checklists.
MAX_PER_COUNCIL = 5_000
MAX_LISTED = 1_000
# Withdrawn in one transaction: each is written for whoever got it.
WITHDRAW_BATCH_SIZE = 20


@dataclass(frozen=True)
class Document:
    """What a plugin publishes. `fields` are those of its type; `name` is a title for people.

    `project_uri` is the project that it is about: then nobody may see it who may not see that.
    `visibility` is `public` or `peers`; None: as its type says. `id` is that of a document that was
    published before, and is now like this.
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
    """Give a document an id, or change one, and send it to whoever follows our council.

    Nothing is sent of one that is the same as before. One that was withdrawn becomes a new one.

    Raises `InvalidInputError` for fields that do not fit the type, `ConflictError` for one about a
    project that others may not see.
    """
    name = one_line(document.name, MAX_LEN_NAME)
    if not name:
        raise InvalidInputError(msg("The document needs a name."))
    fields = _validate_fields(kind, document.fields)
    visibility = _effective_visibility(work.session, document, kind)
    row = _lock_own(work.session, plugin, document.id) if document.id else None
    if row is None or row.state == WITHDRAWN:
        row = _new_row(work, plugin, kind.name, document.project_uri)
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
        _withdraw_from_others(work, row, outbox.PEERS)
    row.name, row.fields, row.visibility = name, fields, visibility
    row.revision, row.changed_at = new_revision(), now()
    _publish(work, row, update_activity, to_document(row))
    work.audit("document.change", row.uri, type=kind.name)
    return row


def withdraw(work: UnitOfWork, plugin: str, uri: str) -> None:
    """A document of ours is deleted here and, as far as others comply, everywhere."""
    row = _lock_own(work.session, plugin, uri)
    if row.state == WITHDRAWN:
        return
    _erase(row)
    _publish(work, row, delete_activity, to_tombstone(row).dump())
    work.audit("document.withdraw", row.uri, type=row.type)


def withdraw_batch(work: UnitOfWork, plugin: str) -> bool:
    """Withdraw a few documents of ours of one plugin; whether there are more."""
    is_ours = PluginDocument.council.has(Council.slug.is_not(None))
    query = _select_published().where(PluginDocument.plugin == plugin, is_ours)
    rows = work.session.scalars(query.order_by(PluginDocument.id).limit(WITHDRAW_BATCH_SIZE)).all()
    for row in rows:
        withdraw(work, plugin, row.uri)
    return len(rows) == WITHDRAW_BATCH_SIZE


def on_audience_narrowed(
    work: UnitOfWork, project: Project, now_for: Audience | None, after: int, most: int
) -> int:
    """Fewer may read a project: fewer may read what is about it. What another council says of a
    project that is gone is forgotten.
    """
    query = _select_published().where(PluginDocument.project_uri == project.uri)
    if after == 0:
        outbox.narrow_audience_of_all(
            work.session, query.with_only_columns(PluginDocument.uri), now_for
        )
    following = query.where(PluginDocument.id > after).order_by(PluginDocument.id).limit(most)
    found = work.session.scalars(following).all()
    last = found[-1].id if len(found) == most else 0
    for row in found:
        if now_for is None:
            with notify_plugin_of_removal(work, row):
                if row.is_local:
                    _erase(row)
                    _withdraw_from_others(work, row, now_for)
                else:
                    work.session.delete(row)
        elif row.is_local and row.visibility != now_for:
            row.visibility, row.revision, row.changed_at = now_for, new_revision(), now()
            _withdraw_from_others(work, row, now_for)
    return last


@contextmanager
def notify_plugin_of_removal(work: UnitOfWork, row: PluginDocument) -> Iterator[None]:
    """A document goes, and not by its plugin, which is told what it was."""
    plugin, kind = work.node.hooks.document_types.get(row.type, ("", None))
    was = to_plugin_view(row, kind) if kind else None
    yield
    work.session.flush()
    if was is not None:
        work.node.hooks.call(work, "document_withdrawn", only=plugin, document=was)


def by_token(session: Session, token: str) -> PluginDocument:
    """A document, one of ours that was withdrawn too. Raises `NotFoundError`."""
    row = session.scalar(select(PluginDocument).where(PluginDocument.token == token))
    if row is None:
        raise NotFoundError(msg("There is no such document."))
    return row


def by_uri(session: Session, uri: str, reader: Viewer | None) -> PluginDocument:
    """A document as far as `reader` may see it, or at all. Raises `NotFoundError`, `GoneError`."""
    row = session.scalar(select(PluginDocument).where(PluginDocument.uri == uri))
    if row is None or not can_see(session, row, reader):
        raise NotFoundError(msg("There is no such document."))
    if row.state == WITHDRAWN:
        raise GoneError(msg("This document has been deleted."))
    return row


def can_see(session: Session, row: PluginDocument, reader: Viewer | None) -> bool:
    """Whether `reader` may; None reads everything that is shown at all."""
    if row.state == WITHDRAWN:
        return True  # that there was one is all that is left of it
    query = select(PluginDocument.id).where(PluginDocument.id == row.id, is_visible_to(reader))
    return session.scalar(query) is not None


def list_documents(
    session: Session,
    kind: str,
    reader: Viewer | None,
    *,
    project_uri: str | None = None,
    council_uri: str | None = None,
    fields: Mapping[str, str | int | bool] | None = None,
) -> list[PluginDocument]:
    """The documents of a type that `reader` may see, newest first; those with these `fields`."""
    query = _select_published().where(PluginDocument.type == kind, is_visible_to(reader))
    if project_uri is not None:
        query = query.where(PluginDocument.project_uri == project_uri)
    if council_uri is not None:
        query = query.where(PluginDocument.council.has(Council.actor.has(Actor.uri == council_uri)))
    for name, value in (fields or {}).items():
        query = query.where(_field_equals(name, value))
    newest_first = PluginDocument.changed_at.desc(), PluginDocument.id.desc()
    return list(session.scalars(query.order_by(*newest_first).limit(MAX_LISTED)))


def projects_with_documents(
    session: Session, kind: str, reader: Viewer | None, project_uris: Collection[str]
) -> set[str]:
    """Those of some projects about which there are documents of a type that `reader` may see."""
    there = select(PluginDocument.project_uri).where(
        PluginDocument.state == PUBLISHED,
        PluginDocument.type == kind,
        PluginDocument.project_uri.in_(project_uris),
        is_visible_to(reader),
    )
    return {uri for uri in session.scalars(there) if uri}


def count_documents(session: Session, council: Council, reader: Viewer) -> int:
    query = _select_visible(council, reader).with_only_columns(func.count())
    return session.scalar(query) or 0


def documents_after(
    session: Session, council: Council, reader: Viewer, after: int, most: int
) -> list[PluginDocument]:
    """The next documents of a council of ours that there are for `reader`, by row id."""
    query = _select_visible(council, reader).where(PluginDocument.id > after)
    return list(session.scalars(query.order_by(PluginDocument.id).limit(most)))


def revisions_by_type(
    session: Session, council: Council, reader: Viewer | None = None
) -> dict[str, dict[str, str]]:
    """By type, the ids and revisions of a council's documents: those for `reader`, or all."""
    query = _select_visible(council, reader) if reader else _select_of_council(council)
    columns = PluginDocument.type, PluginDocument.uri, PluginDocument.revision
    found: dict[str, dict[str, str]] = {}
    for kind, uri, revision in session.execute(
        query.with_only_columns(*columns).order_by(PluginDocument.id)
    ):
        found.setdefault(kind, {})[uri] = revision
    return found


def to_plugin_view(row: PluginDocument, kind: DocumentType) -> DocumentView:
    """The document as plugins see it."""
    return DocumentView(
        id=row.uri,
        type=row.type,
        name=row.name,
        fields=to_view_fields(kind, row.fields),
        council=councils.to_plugin_view(row.council),
        project_uri=row.project_uri,
        visibility=row.visibility,
        published_at=row.published_at,
        changed_at=row.changed_at,
        is_local=row.is_local,
    )


def is_visible_to(reader: Viewer | None) -> ColumnElement[bool]:
    """Which documents `reader` may see. Those of other councils are shown as their projects are,
    and none about a project that is gone or taken off our pages.
    """
    about = Project.uri == PluginDocument.project_uri
    is_gone = exists().where(about, or_(Project.state == ProjectState.deleted, Project.is_hidden))
    is_blocked = PluginDocument.council.has(Council.actor.has(Actor.is_blocked))
    here = and_(projects.is_council_shown(PluginDocument.council_id), ~is_gone, ~is_blocked)
    if reader is None or reader.is_local_user:
        return and_(here, true())
    is_ours = PluginDocument.council.has(Council.slug.is_not(None))
    is_for_peer = and_(is_ours, _is_for(reader.audiences))
    return and_(here, or_(_is_for(ANONYMOUS.audiences), is_for_peer))


def _is_for(audiences: Sequence[str]) -> ColumnElement[bool]:
    """Whether a document is for some audiences, and what it is about too: where fewer may read a
    project from now on, its documents follow in portions.
    """
    fewer = Project.visibility.not_in([Visibility(word) for word in audiences])
    is_narrowed = exists().where(Project.uri == PluginDocument.project_uri, fewer)
    return and_(PluginDocument.visibility.in_(audiences), ~is_narrowed)


def _select_visible(council: Council, reader: Viewer) -> Select[PluginDocument]:
    return _select_of_council(council).where(_is_for(reader.audiences))


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
        wrong = {error.property_name: message_from(error)}
        raise InvalidInputError(msg("The document does not match its type."), wrong) from error


def _effective_visibility(session: Session, document: Document, kind: DocumentType) -> Audience:
    """For whom it is: for nobody who may not see the project that it is about."""
    wanted = document.visibility or kind.visibility
    project = session.scalar(select(Project).where(Project.uri == document.project_uri))
    if project is None:
        return wanted
    if project.state is not ProjectState.published or project.visibility is Visibility.private:
        raise ConflictError(
            msg(
                "Other councils cannot see this project, so documents about it cannot be published."
            )
        )
    return "public" if wanted == project.visibility == "public" else "peers"


def _lock_own(session: Session, plugin: str, uri: str) -> PluginDocument:
    mine = PluginDocument.uri == uri, PluginDocument.plugin == plugin
    row = session.scalar(select(PluginDocument).where(*mine).with_for_update(of=PluginDocument))
    if row is None or not row.is_local:
        raise NotFoundError(msg("There is no such document."))
    return row


def _new_row(work: UnitOfWork, plugin: str, kind: str, project_uri: str | None) -> PluginDocument:
    council = councils.require_own(work.session)
    mine = PluginDocument.council_id == council.id, PluginDocument.type == kind
    if (work.session.scalar(select(func.count()).where(*mine)) or 0) >= MAX_PER_COUNCIL:
        raise ConflictError(
            msg(
                "A council can have at most %(most)s documents of this type.",
                most=f"{MAX_PER_COUNCIL:,}",
            )
        )
    token, moment = new_token(), now()
    return PluginDocument(
        token=token,
        uri=local_uris.document(work.settings, token),
        plugin=plugin,
        type=kind,
        council=council,
        project_uri=project_uri,
        state=PUBLISHED,
        published_at=moment,
        changed_at=moment,
    )


def _erase(row: PluginDocument) -> None:
    row.state, row.deleted_at, row.name, row.fields = WITHDRAWN, now(), "", {}


def _withdraw_from_others(work: UnitOfWork, row: PluginDocument, now_for: Audience | None) -> None:
    """It is deleted where others have it who may not read it any more."""
    uri, actor = local_uris.new_activity(work.settings), row.council.actor
    deletion = delete_activity(uri, actor.uri, to_tombstone(row).dump(), **address_to(row))
    outbox.withdraw(work, actor, deletion, now_for)


def _publish(work: UnitOfWork, row: PluginDocument, make: ActivityFactory, document: Json) -> None:
    actor = row.council.actor
    activity = make(local_uris.new_activity(work.settings), actor.uri, document, **address_to(row))
    visibility: Audience = "public" if row.visibility == "public" else "peers"
    outbox.publish(work, actor, activity, visibility)
