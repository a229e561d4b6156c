"""What can be done with the updates of a project, and reading those of everybody."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, contains_eager

from federation.reading import Document
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from federation.vocabulary.activities import Maker
from node import markup
from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, ForbiddenError, GoneError, InvalidInputError, NotFoundError
from node.federating import addresses, publishing
from node.federating.readers import Reader
from node.news.service import tell
from node.projects import group, reviews, telling
from node.projects.federate import audience
from node.projects.licensing import licence_url
from node.projects.models import Project, Visibility, new_revision, new_token
from node.projects.models import State as ProjectState
from node.runtime import UnitOfWork
from node.text import misfit, trim
from node.updates import news
from node.updates.federate import to_html, to_note, to_tombstone
from node.updates.models import TRANSITIONS, State, Update
from node.wording import Saying, say

LONGEST = 10_000
# More than a project has in its life, those that were deleted among them.
MOST_OF_PROJECT = 1_000
# Whoever says the same again within this time meant to say it once.
AGAIN = timedelta(hours=1)
# How many stand on the page of their project, and on a page of their own.
PAGE = 10
# Of those of all projects, and so far back it goes.
PAGE_OF_ALL, MOST_PAGES = 20, 50


@dataclass(frozen=True)
class Text:
    """What a person writes: Markdown; at least one of the three."""

    changed: str = ""
    next: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a project's updates, newest first. `number` counts from 1."""

    updates: list[Update]
    number: int
    pages: int
    total: int


def check(text: Text) -> Text:
    """`text` trimmed. Raises `InvalidInputError` with every field that is wrong."""
    said = asdict(text).items()
    trimmed = Text(**{name: trim(words) for name, words in said})
    wrong: dict[str, Saying] = {}
    for field, value in asdict(trimmed).items():
        if why := misfit(value, LONGEST, lines=True):
            wrong[field] = why
    if not any(asdict(trimmed).values()):
        wrong["changed"] = say("Enter what changed, what is next or what you need")
    if wrong:
        raise InvalidInputError(say("The update could not be saved."), wrong)
    return trimmed


def prepare(text: Text) -> None:
    """Render what a transaction is about to write, before it begins. Raises `InvalidInputError`."""
    for markdown in asdict(check(text)).values():
        markup.from_markdown(markdown)


def write(work: UnitOfWork, project: Project, text: Text) -> Update:
    """Tell what is new in a project of our own, and send it to whoever follows it."""
    text = check(text)
    if not project.is_local:
        raise ForbiddenError(
            say("Only the council that published this project can write updates about it.")
        )
    if project.state is not ProjectState.published:
        raise ConflictError(say("Publish the project first."))
    update = _made(work, project, text, now())
    # Others hear of the next review with the update itself.
    was_not_fresh = reviews.confirm(work.settings, project)
    _send(work, update, create_activity, _note(work, update))
    for announce in work.node.announcers:
        announce(work, update)
    if was_not_fresh:
        telling.told(work, project, project.visibility)
    tell(work, news.WRITTEN, project_id=project.id, subject_uri=update.uri)
    work.audit("update.write", update.uri, project=project.uri)
    return update


def just_said(session: Session, project: Project, text: Text) -> Update | None:
    """The latest update of a project, where it says the same and was told just now: what is sent
    twice is told once.
    """
    given = check(text)
    told = Update.project_id == project.id, Update.state == State.published
    latest = session.scalar(
        select(Update)
        .where(*told, Update.published_at > now() - AGAIN)
        .order_by(Update.id.desc())
        .limit(1)
    )
    says_it = latest is not None and given == Text(latest.changed, latest.next, latest.needs)
    return latest if says_it else None


def recall(work: UnitOfWork, project: Project, text: Text, moment: datetime, content: str) -> None:
    """An update that was told elsewhere, then: nobody is told again, and others read it with the
    rest of the past. `text` has been checked, and `content` is its HTML.
    """
    _made(work, project, text, moment, content)


def recalled(session: Session, project: Project) -> set[tuple[datetime, str]]:
    """When which updates of a project were told, and what they say; those that were deleted say
    nothing.
    """
    rows = session.execute(
        select(Update.published_at, Update.changed, Update.state).where(
            Update.project_id == project.id
        )
    )
    return {(row.published_at, "" if row.state is State.deleted else row.changed) for row in rows}


def _made(
    work: UnitOfWork, project: Project, text: Text, moment: datetime, content: str = ""
) -> Update:
    """Raises `ConflictError` for one too many."""
    if count(work.session, project) >= MOST_OF_PROJECT:
        raise ConflictError(
            say(
                "A project can have up to %(most)s updates. You cannot add another one.",
                most=f"{MOST_OF_PROJECT:,}",
            )
        )
    token = new_token()
    uri = addresses.update(work.settings, token)
    update = Update(
        token=token,
        uri=uri,
        url=uri,
        project=project,
        author=project.council.actor,
        language=project.language,
        published_at=moment,
        changed_at=moment,
        state=State.published,
        version=1,
    )
    _write(update, text, content)
    work.session.add(update)
    work.session.flush()
    return update


def change(work: UnitOfWork, update: Update, text: Text, version: int) -> None:
    """Change the text of an update. `version` is the one the writer began from.

    Raises `ConflictError` if somebody else changed it meanwhile.
    """
    text = check(text)
    if update.version != version:
        raise ConflictError(say("Someone else changed this update while you were writing."))
    _write(update, text)
    update.version += 1
    update.changed_at = now()
    _send(work, update, update_activity, _note(work, update))
    work.audit("update.change", update.uri, version=update.version)


def delete(work: UnitOfWork, update: Update) -> None:
    """Remove an update here and, as far as others comply, everywhere."""
    remove(update)
    _send(work, update, delete_activity, to_tombstone(update).dump())
    for announce in work.node.announcers:
        announce(work, update)
    work.audit("update.delete", update.uri)


def withdraw(
    work: UnitOfWork,
    project: Project,
    now_for: publishing.Audience | None,
    after: int,
    most: int,
) -> int:
    """Fewer may read a project: the updates of it are deleted where others have them. Nobody may
    read one that was deleted, and what was written in its updates is forgotten.
    """
    query = _of(project)
    if after == 0:
        publishing.hide_all(work.session, query.with_only_columns(Update.uri), now_for)
    following = query.where(Update.id > after).order_by(Update.id).limit(most)
    found = work.session.scalars(following).all()
    for update in found:
        if project.state is ProjectState.deleted:
            remove(update)
        if not update.author.is_local:
            continue
        uri, gone = addresses.new_activity(work.settings), to_tombstone(update).dump()
        deletion = delete_activity(uri, update.author.uri, gone, **audience(project))
        publishing.withdraw(work, update.author, deletion, now_for)
    return found[-1].id if len(found) == most else 0


def remove(update: Update) -> None:
    """Forget what was written; that there was an update is all that a deleted one keeps."""
    if State.deleted not in TRANSITIONS[update.state]:
        raise GoneError(say("This update has been deleted."))
    update.state, update.deleted_at = State.deleted, now()
    update.changed = update.next = update.needs = update.content = ""


def by_token(session: Session, token: str) -> Update:
    """An update, also one that was deleted. Raises `NotFoundError` for none."""
    update = session.scalar(select(Update).where(Update.token == token))
    if update is None:
        raise NotFoundError(say("There is no such update."))
    return update


def for_change(session: Session, token: str) -> Update:
    """An update of our own, locked until the end of the unit of work.

    Raises `GoneError` for a deleted one, `ForbiddenError` for another council's.
    """
    query = select(Update).where(Update.token == token).with_for_update(of=Update)
    update = session.scalar(query)
    if update is None:
        raise NotFoundError(say("There is no such update."))
    if not update.project.is_local:
        raise ForbiddenError(say("Only the council that published this update can change it."))
    if State.deleted in (update.state, update.project.state):
        raise GoneError(say("This update has been deleted."))
    return update


def listed(session: Session, project: Project, number: int = 1) -> Page:
    """The updates of a project, newest first."""
    query = _of(project)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    newest_first = query.order_by(Update.published_at.desc(), Update.id.desc())
    found = session.scalars(newest_first.limit(PAGE).offset((number - 1) * PAGE)).all()
    return Page(list(found), number, pages, total)


def everywhere(
    session: Session, among: ColumnElement[bool], number: int
) -> tuple[list[Update], int]:
    """A page of what is told of the projects of which `among` is true, newest first, and the number
    of the next page; 0 where there is none.
    """
    number = min(max(1, number), MOST_PAGES)
    query = (
        select(Update)
        .join(Update.project)
        .where(Update.state == State.published, among)
        .options(contains_eager(Update.project))
        .order_by(Update.published_at.desc(), Update.id.desc())
    )
    start = (number - 1) * PAGE_OF_ALL
    found = list(session.scalars(query.limit(PAGE_OF_ALL + 1).offset(start)))
    is_more = len(found) > PAGE_OF_ALL and number < MOST_PAGES
    return found[:PAGE_OF_ALL], number + 1 if is_more else 0


def before(session: Session, project: Project, before_id: int, most: int) -> list[Update]:
    """The next updates of a project by row id, newest first; from the newest where that is 0."""
    query = _of(project).order_by(Update.id.desc()).limit(most)
    return list(session.scalars(query.where(Update.id < before_id) if before_id else query))


def count(session: Session, project: Project) -> int:
    """How many updates a project ever had."""
    return session.scalar(select(func.count()).where(Update.project_id == project.id)) or 0


def count_documents(session: Session, council: Council, reader: Reader) -> int:
    """How many updates of a council's projects have a document that `reader` may have."""
    return session.scalar(_documents(council, reader).with_only_columns(func.count())) or 0


def documents_after(
    session: Session, council: Council, reader: Reader, after: int, most: int
) -> list[Update]:
    """The next updates of a council's projects that have a document for `reader`, by row id."""
    query = _documents(council, reader).where(Update.id > after).order_by(Update.id).limit(most)
    return list(session.scalars(query.options(contains_eager(Update.project))))


def _documents(council: Council, reader: Reader) -> Select[Update]:
    return (
        select(Update)
        .join(Update.project)
        .where(
            Update.author_id == council.actor_id,
            Update.state == State.published,
            Project.state == ProjectState.published,
            Project.visibility.in_([Visibility(word) for word in reader.audiences]),
        )
    )


def _of(project: Project) -> Select[Update]:
    return select(Update).where(Update.project_id == project.id, Update.state == State.published)


def _write(update: Update, text: Text, content: str = "") -> None:
    update.changed, update.next, update.needs = text.changed, text.next, text.needs
    update.content, update.revision = (
        content or to_html(asdict(text), update.language),
        new_revision(),
    )


def _note(work: UnitOfWork, update: Update) -> Document:
    return to_note(update, licence_url(work.settings, update.project)).dump()


def _send(work: UnitOfWork, update: Update, make: Maker, document: Document) -> None:
    """Tell whoever follows, unless the project is for our own people alone."""
    project = update.project
    if project.visibility is Visibility.private:
        return
    uri, about = addresses.new_activity(work.settings), addresses.project_group(project.uri)
    activity = make(uri, update.author.uri, document, **audience(project), audience=about)
    group.publish(work, project, activity)
