"""Creates, changes and deletes local updates, and queries local and remote ones."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, contains_eager

from federation.properties import JsonObject
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from federation.vocabulary.activities import ActivityFactory
from node import markup
from node.access import audiences
from node.access.viewer import Viewer
from node.access.visibility import Visibility
from node.councils.models import Council
from node.database.tables import now
from node.errors import ConflictError, ForbiddenError, GoneError, InvalidInputError, NotFoundError
from node.federating.identity import local_uris
from node.federating.outbound import outbox
from node.messages import Message, msg
from node.notification_events.service import record_event
from node.pagination import Page, page_by_key, page_by_number, uncounted_page
from node.projects import federation_events, group_actor, review_dates
from node.projects.federate import build_addressing
from node.projects.licensing import licence_url
from node.projects.models import Project, ProjectState, new_revision, new_token
from node.projects.visibility import is_fetchable_by
from node.projects.withdrawals import Withdrawal
from node.runtime import UnitOfWork
from node.text import find_text_error, trim
from node.updates import notifications
from node.updates.events import UpdateDeleted, UpdateWritten
from node.updates.federate import render_parts, to_note, to_tombstone
from node.updates.models import STATE_TRANSITIONS, Update, UpdateState

MAX_LEN = 10_000
# Updates of one project in all, deleted ones included.
MAX_PER_PROJECT = 1_000
# The same text sent again within this time is taken for a form that was sent twice.
DUPLICATE_WINDOW = timedelta(hours=1)
# Updates on a project's page, and on each page of its updates.
PAGE_SIZE = 10
# The list of updates about all projects: updates per page, and the last page that is served.
PAGE_SIZE_ACROSS_PROJECTS, MAX_PAGES = 20, 50


@dataclass(frozen=True)
class UpdateInput:
    """The three parts of an update as Markdown; at least one must not be empty."""

    changed: str = ""
    next: str = ""
    needs: str = ""


def validate(update_input: UpdateInput) -> UpdateInput:
    """`update_input`, trimmed. Raises `InvalidInputError` with every field that is not valid."""
    parts = asdict(update_input).items()
    trimmed = UpdateInput(**{name: trim(part) for name, part in parts})
    errors: dict[str, Message] = {}
    for field, value in asdict(trimmed).items():
        if error := find_text_error(value, MAX_LEN, lines=True):
            errors[field] = error
    if not any(asdict(trimmed).values()):
        errors["changed"] = msg("Enter what changed, what is next or what you need")
    if errors:
        raise InvalidInputError(msg("The update could not be saved."), errors)
    return trimmed


def prerender(update_input: UpdateInput) -> None:
    """Render `text` before the transaction that writes it begins. Raises `InvalidInputError`."""
    for markdown in asdict(validate(update_input)).values():
        markup.render_markdown(markdown)


def create(work: UnitOfWork, project: Project, update_input: UpdateInput) -> Update:
    """Publish an update about a local project, which makes the project fresh, and federate both."""
    update_input = validate(update_input)
    if not project.is_local:
        raise ForbiddenError(
            msg("Only the council that published this project can write updates about it.")
        )
    if project.state is not ProjectState.published:
        raise ConflictError(msg("The project has not been published. Publish it first."))
    update = _create_update(work, project, update_input, now())
    # Before the update is federated, since its note carries the new review date.
    freshness_changed = review_dates.confirm(work.settings, project)
    _publish(work, update, create_activity, _build_note(work, update))
    work.session.flush()
    work.emit(UpdateWritten(update.id))
    if freshness_changed:
        federation_events.publish_change(work, project, project.visibility)
    record_event(work, notifications.UPDATE_WRITTEN, project_id=project.id, subject_uri=update.uri)
    work.audit("update.write", update.uri, project=project.uri)
    return update


def find_duplicate(session: Session, project: Project, update_input: UpdateInput) -> Update | None:
    """The latest update of a project if it has the same text and was published within
    `DUPLICATE_WINDOW`.
    """
    entered = validate(update_input)
    is_published = Update.project_id == project.id, Update.state == UpdateState.published
    latest = session.scalar(
        select(Update)
        .where(*is_published, Update.published_at > now() - DUPLICATE_WINDOW)
        .order_by(Update.id.desc())
        .limit(1)
    )
    is_same = latest is not None and entered == UpdateInput(
        latest.changed, latest.next, latest.needs
    )
    return latest if is_same else None


def add_past_update(
    work: UnitOfWork,
    project: Project,
    update_input: UpdateInput,
    published_at: datetime,
    content: str,
) -> None:
    """Add an imported update that was published elsewhere. No one is notified; other servers get it
    by backfill.

    `text` must have been validated; `content` is its HTML.
    """
    _create_update(work, project, update_input, published_at, content)


def list_past_updates(session: Session, project: Project) -> set[tuple[datetime, str]]:
    """When the updates of a project were published, with `changed`; empty for deleted ones."""
    rows = session.execute(
        select(Update.published_at, Update.changed, Update.state).where(
            Update.project_id == project.id
        )
    )
    return {
        (row.published_at, "" if row.state is UpdateState.deleted else row.changed) for row in rows
    }


def _create_update(
    work: UnitOfWork,
    project: Project,
    update_input: UpdateInput,
    published_at: datetime,
    content: str = "",
) -> Update:
    """Raises `ConflictError` if the project has `MAX_PER_PROJECT` updates already."""
    if count_all_time(work.session, project) >= MAX_PER_PROJECT:
        raise ConflictError(
            msg(
                "A project can have up to %(most)s updates. You cannot add another one.",
                most=f"{MAX_PER_PROJECT:,}",
            )
        )
    token = new_token()
    uri = local_uris.update(work.settings, token)
    update = Update(
        token=token,
        uri=uri,
        url=uri,
        project=project,
        author=project.council.actor,
        language=project.language,
        published_at=published_at,
        changed_at=published_at,
        state=UpdateState.published,
        version=1,
    )
    _set_text(update, update_input, content)
    work.session.add(update)
    work.session.flush()
    return update


def change(work: UnitOfWork, update: Update, update_input: UpdateInput, version: int) -> None:
    """Change the text of an update. `version` is the one that the edit is based on.

    Raises `ConflictError` if someone else changed the update meanwhile.
    """
    update_input = validate(update_input)
    if update.version != version:
        raise ConflictError(msg("Someone else changed this update while you were writing."))
    _set_text(update, update_input)
    update.version += 1
    update.changed_at = now()
    _publish(work, update, update_activity, _build_note(work, update))
    work.audit("update.change", update.uri, version=update.version)


def delete(work: UnitOfWork, update: Update) -> None:
    """Delete an update and ask other servers to delete it."""
    mark_deleted(update)
    _publish(work, update, delete_activity, to_tombstone(update).dump())
    work.emit(UpdateDeleted(update.id))
    work.audit("update.delete", update.uri)


def withdraw(
    work: UnitOfWork,
    project: Project,
    audience: audiences.Audience | None,
    after: int,
    limit: int,
) -> int:
    """Ask other servers to delete the updates of a project that fewer people may read; a batch of
    `limit` after row id `after`.

    `audience` is who may still read them. If the project was deleted, the text of its updates is
    erased here too. Returns the last row id, or 0 if there are no more.
    """
    query = _select_of_project(project)
    if after == 0:
        outbox.narrow_audience_of_all(work.session, query.with_only_columns(Update.uri), audience)
    batch = query.where(Update.id > after).order_by(Update.id).limit(limit)
    updates = work.session.scalars(batch).all()
    for update in updates:
        if project.state is ProjectState.deleted:
            mark_deleted(update)
        if not update.author.is_local:
            continue
        uri, tombstone = local_uris.new_activity(work.settings), to_tombstone(update).dump()
        deletion = delete_activity(uri, update.author.uri, tombstone, **build_addressing(project))
        outbox.withdraw(work, update.author, deletion, audience)
    return updates[-1].id if len(updates) == limit else 0


WITHDRAW_UPDATES = Withdrawal("withdraw-updates", withdraw)


def mark_deleted(update: Update) -> None:
    """Erase the text of a deleted update; its row remains, to show that it existed."""
    if UpdateState.deleted not in STATE_TRANSITIONS[update.state]:
        raise GoneError(msg("This update has been deleted."))
    update.state, update.deleted_at = UpdateState.deleted, now()
    update.changed = update.next = update.needs = update.content = ""


def by_token(session: Session, token: str) -> Update:
    """An update, including a deleted one. Raises `NotFoundError`."""
    update = session.scalar(select(Update).where(Update.token == token))
    if update is None:
        raise NotFoundError(msg("Update not found."))
    return update


def get_for_update(session: Session, token: str) -> Update:
    """A local update, locked until the end of the unit of work.

    Raises `NotFoundError`, `GoneError` for a deleted one, `ForbiddenError` for another council's.
    """
    query = select(Update).where(Update.token == token).with_for_update(of=Update)
    update = session.scalar(query)
    if update is None:
        raise NotFoundError(msg("Update not found."))
    if not update.project.is_local:
        raise ForbiddenError(msg("Only the council that published this update can change it."))
    if UpdateState.deleted in (update.state, update.project.state):
        raise GoneError(msg("This update has been deleted."))
    return update


def list_page(session: Session, project: Project, number: int = 1) -> Page[Update]:
    """The updates of a project, newest first."""
    newest_first = _select_of_project(project).order_by(
        Update.published_at.desc(), Update.id.desc()
    )
    return page_by_number(session, newest_first, number, PAGE_SIZE)


def list_across_projects(
    session: Session, condition: ColumnElement[bool], number: int
) -> Page[Update]:
    """A page of updates about projects that match `condition`, newest first."""
    query = (
        select(Update)
        .join(Update.project)
        .where(Update.state == UpdateState.published, condition)
        .options(contains_eager(Update.project))
        .order_by(Update.published_at.desc(), Update.id.desc())
    )
    return uncounted_page(session, query, number, PAGE_SIZE_ACROSS_PROJECTS, MAX_PAGES)


def list_before(session: Session, project: Project, before_id: int, limit: int) -> Page[Update]:
    """At most `limit` updates of a project with row ids below `before_id`, newest first; 0: the
    newest.
    """
    query = _select_of_project(project)
    return page_by_key(session, query, Update.id, before_id or None, limit, descending=True)


def count_all_time(session: Session, project: Project) -> int:
    """The number of updates of a project, deleted ones included."""
    return session.scalar(select(func.count()).where(Update.project_id == project.id)) or 0


def count_documents(session: Session, council: Council, viewer: Viewer) -> int:
    """The number of updates of a council that `viewer` may read as documents."""
    return session.scalar(_select_documents(council, viewer).with_only_columns(func.count())) or 0


def documents_after(
    session: Session, council: Council, viewer: Viewer, after_id: int, limit: int
) -> list[Update]:
    """The next updates, by row id, of a council that `viewer` may read as documents."""
    query = (
        _select_documents(council, viewer)
        .where(Update.id > after_id)
        .order_by(Update.id)
        .limit(limit)
    )
    return list(session.scalars(query.options(contains_eager(Update.project))))


def _select_documents(council: Council, viewer: Viewer) -> Select[Update]:
    return (
        select(Update)
        .join(Update.project)
        .where(
            Update.author_id == council.actor_id,
            Update.state == UpdateState.published,
            is_fetchable_by(viewer),
        )
    )


def _select_of_project(project: Project) -> Select[Update]:
    return select(Update).where(
        Update.project_id == project.id, Update.state == UpdateState.published
    )


def _set_text(update: Update, update_input: UpdateInput, content: str = "") -> None:
    update.changed, update.next, update.needs = (
        update_input.changed,
        update_input.next,
        update_input.needs,
    )
    update.content, update.revision = (
        content or render_parts(asdict(update_input), update.language),
        new_revision(),
    )


def _build_note(work: UnitOfWork, update: Update) -> JsonObject:
    return to_note(update, licence_url(work.settings, update.project)).dump()


def _publish(
    work: UnitOfWork, update: Update, factory: ActivityFactory, document: JsonObject
) -> None:
    """Send an activity about an update to all followers, unless its project is private."""
    project = update.project
    if project.visibility is Visibility.private:
        return
    uri, group_uri = local_uris.new_activity(work.settings), local_uris.project_group(project.uri)
    activity = factory(
        uri, update.author.uri, document, **build_addressing(project), audience=group_uri
    )
    group_actor.publish(work, project, activity)
