"""What can be done with the updates of a project, and reading those of everybody."""

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
from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, ForbiddenError, GoneError, InvalidInputError, NotFoundError
from node.events.service import record_event
from node.federating import local_uris, outbox
from node.federating.viewer import Viewer
from node.messages import Message, msg
from node.projects import federation_events, group_actor, review_dates
from node.projects.federate import address_to
from node.projects.licensing import licence_url
from node.projects.models import Project, ProjectState, Visibility, new_revision, new_token
from node.runtime import UnitOfWork
from node.text import misfit, trim
from node.updates import notifications
from node.updates.federate import render_parts, to_note, to_tombstone
from node.updates.models import STATE_TRANSITIONS, Update, UpdateState

MAX_LEN = 10_000
# More than a project has in its life, those that were deleted among them.
MAX_PER_PROJECT = 1_000
# Whoever says the same again within this time meant to say it once.
DUPLICATE_WINDOW = timedelta(hours=1)
# How many stand on the page of their project, and on a page of their own.
PAGE_SIZE = 10
# Of those of all projects, and so far back it goes.
PAGE_SIZE_ALL, MAX_PAGES = 20, 50


@dataclass(frozen=True)
class UpdateInput:
    """What a person writes: Markdown; at least one of the three."""

    changed: str = ""
    next: str = ""
    needs: str = ""


@dataclass(frozen=True)
class UpdatesPage:
    """One page of a project's updates, newest first. `number` counts from 1."""

    updates: list[Update]
    number: int
    pages: int
    total: int


def validate(text: UpdateInput) -> UpdateInput:
    """`text` trimmed. Raises `InvalidInputError` with every field that is wrong."""
    said = asdict(text).items()
    trimmed = UpdateInput(**{name: trim(words) for name, words in said})
    wrong: dict[str, Message] = {}
    for field, value in asdict(trimmed).items():
        if why := misfit(value, MAX_LEN, lines=True):
            wrong[field] = why
    if not any(asdict(trimmed).values()):
        wrong["changed"] = msg("Enter what changed, what is next or what you need")
    if wrong:
        raise InvalidInputError(msg("The update could not be saved."), wrong)
    return trimmed


def prerender(text: UpdateInput) -> None:
    """Render what a transaction is about to write, before it begins. Raises `InvalidInputError`."""
    for markdown in asdict(validate(text)).values():
        markup.render_markdown(markdown)


def create(work: UnitOfWork, project: Project, text: UpdateInput) -> Update:
    """Tell what is new in a project of our own, and send it to whoever follows it."""
    text = validate(text)
    if not project.is_local:
        raise ForbiddenError(
            msg("Only the council that published this project can write updates about it.")
        )
    if project.state is not ProjectState.published:
        raise ConflictError(msg("Publish the project first."))
    update = _new_update(work, project, text, now())
    # Others hear of the next review with the update itself.
    was_not_fresh = review_dates.confirm(work.settings, project)
    _publish(work, update, create_activity, _build_note(work, update))
    for announce in work.node.on_update_event:
        announce(work, update)
    if was_not_fresh:
        federation_events.publish_change(work, project, project.visibility)
    record_event(work, notifications.UPDATE_WRITTEN, project_id=project.id, subject_uri=update.uri)
    work.audit("update.write", update.uri, project=project.uri)
    return update


def find_duplicate(session: Session, project: Project, text: UpdateInput) -> Update | None:
    """The latest update of a project, where it says the same and was told just now: what is sent
    twice is told once.
    """
    given = validate(text)
    told = Update.project_id == project.id, Update.state == UpdateState.published
    latest = session.scalar(
        select(Update)
        .where(*told, Update.published_at > now() - DUPLICATE_WINDOW)
        .order_by(Update.id.desc())
        .limit(1)
    )
    says_it = latest is not None and given == UpdateInput(latest.changed, latest.next, latest.needs)
    return latest if says_it else None


def add_past_update(
    work: UnitOfWork, project: Project, text: UpdateInput, moment: datetime, content: str
) -> None:
    """An update that was told elsewhere, then: nobody is told again, and others read it with the
    rest of the past. `text` has been checked, and `content` is its HTML.
    """
    _new_update(work, project, text, moment, content)


def past_updates(session: Session, project: Project) -> set[tuple[datetime, str]]:
    """When which updates of a project were told, and what they say; those that were deleted say
    nothing.
    """
    rows = session.execute(
        select(Update.published_at, Update.changed, Update.state).where(
            Update.project_id == project.id
        )
    )
    return {
        (row.published_at, "" if row.state is UpdateState.deleted else row.changed) for row in rows
    }


def _new_update(
    work: UnitOfWork, project: Project, text: UpdateInput, moment: datetime, content: str = ""
) -> Update:
    """Raises `ConflictError` for one too many."""
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
        published_at=moment,
        changed_at=moment,
        state=UpdateState.published,
        version=1,
    )
    _set_text(update, text, content)
    work.session.add(update)
    work.session.flush()
    return update


def change(work: UnitOfWork, update: Update, text: UpdateInput, version: int) -> None:
    """Change the text of an update. `version` is the one the writer began from.

    Raises `ConflictError` if somebody else changed it meanwhile.
    """
    text = validate(text)
    if update.version != version:
        raise ConflictError(msg("Someone else changed this update while you were writing."))
    _set_text(update, text)
    update.version += 1
    update.changed_at = now()
    _publish(work, update, update_activity, _build_note(work, update))
    work.audit("update.change", update.uri, version=update.version)


def delete(work: UnitOfWork, update: Update) -> None:
    """Remove an update here and, as far as others comply, everywhere."""
    mark_deleted(update)
    _publish(work, update, delete_activity, to_tombstone(update).dump())
    for announce in work.node.on_update_event:
        announce(work, update)
    work.audit("update.delete", update.uri)


def withdraw(
    work: UnitOfWork,
    project: Project,
    now_for: outbox.Audience | None,
    after: int,
    most: int,
) -> int:
    """Fewer may read a project: the updates of it are deleted where others have them. Nobody may
    read one that was deleted, and what was written in its updates is forgotten.
    """
    query = _select_of_project(project)
    if after == 0:
        outbox.narrow_audience_of_all(work.session, query.with_only_columns(Update.uri), now_for)
    following = query.where(Update.id > after).order_by(Update.id).limit(most)
    found = work.session.scalars(following).all()
    for update in found:
        if project.state is ProjectState.deleted:
            mark_deleted(update)
        if not update.author.is_local:
            continue
        uri, gone = local_uris.new_activity(work.settings), to_tombstone(update).dump()
        deletion = delete_activity(uri, update.author.uri, gone, **address_to(project))
        outbox.withdraw(work, update.author, deletion, now_for)
    return found[-1].id if len(found) == most else 0


def mark_deleted(update: Update) -> None:
    """Forget what was written; that there was an update is all that a deleted one keeps."""
    if UpdateState.deleted not in STATE_TRANSITIONS[update.state]:
        raise GoneError(msg("This update has been deleted."))
    update.state, update.deleted_at = UpdateState.deleted, now()
    update.changed = update.next = update.needs = update.content = ""


def by_token(session: Session, token: str) -> Update:
    """An update, also one that was deleted. Raises `NotFoundError` for none."""
    update = session.scalar(select(Update).where(Update.token == token))
    if update is None:
        raise NotFoundError(msg("There is no such update."))
    return update


def for_change(session: Session, token: str) -> Update:
    """An update of our own, locked until the end of the unit of work.

    Raises `GoneError` for a deleted one, `ForbiddenError` for another council's.
    """
    query = select(Update).where(Update.token == token).with_for_update(of=Update)
    update = session.scalar(query)
    if update is None:
        raise NotFoundError(msg("There is no such update."))
    if not update.project.is_local:
        raise ForbiddenError(msg("Only the council that published this update can change it."))
    if UpdateState.deleted in (update.state, update.project.state):
        raise GoneError(msg("This update has been deleted."))
    return update


def list_page(session: Session, project: Project, number: int = 1) -> UpdatesPage:
    """The updates of a project, newest first."""
    query = _select_of_project(project)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    newest_first = query.order_by(Update.published_at.desc(), Update.id.desc())
    found = session.scalars(newest_first.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return UpdatesPage(list(found), number, pages, total)


def list_across_projects(
    session: Session, among: ColumnElement[bool], number: int
) -> tuple[list[Update], int]:
    """A page of what is told of the projects of which `among` is true, newest first, and the number
    of the next page; 0 where there is none.
    """
    number = min(max(1, number), MAX_PAGES)
    query = (
        select(Update)
        .join(Update.project)
        .where(Update.state == UpdateState.published, among)
        .options(contains_eager(Update.project))
        .order_by(Update.published_at.desc(), Update.id.desc())
    )
    start = (number - 1) * PAGE_SIZE_ALL
    found = list(session.scalars(query.limit(PAGE_SIZE_ALL + 1).offset(start)))
    is_more = len(found) > PAGE_SIZE_ALL and number < MAX_PAGES
    return found[:PAGE_SIZE_ALL], number + 1 if is_more else 0


def list_before(session: Session, project: Project, before_id: int, most: int) -> list[Update]:
    """The next updates of a project by row id, newest first; from the newest where that is 0."""
    query = _select_of_project(project).order_by(Update.id.desc()).limit(most)
    return list(session.scalars(query.where(Update.id < before_id) if before_id else query))


def count_all_time(session: Session, project: Project) -> int:
    """How many updates a project ever had."""
    return session.scalar(select(func.count()).where(Update.project_id == project.id)) or 0


def count_documents(session: Session, council: Council, reader: Viewer) -> int:
    """How many updates of a council's projects have a document that `reader` may have."""
    return session.scalar(_select_documents(council, reader).with_only_columns(func.count())) or 0


def documents_after(
    session: Session, council: Council, reader: Viewer, after: int, most: int
) -> list[Update]:
    """The next updates of a council's projects that have a document for `reader`, by row id."""
    query = (
        _select_documents(council, reader).where(Update.id > after).order_by(Update.id).limit(most)
    )
    return list(session.scalars(query.options(contains_eager(Update.project))))


def _select_documents(council: Council, reader: Viewer) -> Select[Update]:
    return (
        select(Update)
        .join(Update.project)
        .where(
            Update.author_id == council.actor_id,
            Update.state == UpdateState.published,
            Project.state == ProjectState.published,
            Project.visibility.in_([Visibility(word) for word in reader.audiences]),
        )
    )


def _select_of_project(project: Project) -> Select[Update]:
    return select(Update).where(
        Update.project_id == project.id, Update.state == UpdateState.published
    )


def _set_text(update: Update, text: UpdateInput, content: str = "") -> None:
    update.changed, update.next, update.needs = text.changed, text.next, text.needs
    update.content, update.revision = (
        content or render_parts(asdict(text), update.language),
        new_revision(),
    )


def _build_note(work: UnitOfWork, update: Update) -> JsonObject:
    return to_note(update, licence_url(work.settings, update.project)).dump()


def _publish(work: UnitOfWork, update: Update, make: ActivityFactory, document: JsonObject) -> None:
    """Tell whoever follows, unless the project is for our own people alone."""
    project = update.project
    if project.visibility is Visibility.private:
        return
    uri, about = local_uris.new_activity(work.settings), local_uris.project_group(project.uri)
    activity = make(uri, update.author.uri, document, **address_to(project), audience=about)
    group_actor.publish(work, project, activity)
