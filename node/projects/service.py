"""What can be done with a project of our own council, and reading those of everybody."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased, selectinload

from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, ForbiddenError, GoneError, NotFoundError
from node.events.service import record_event
from node.federating import local_uris
from node.federating.models import Actor, Follow
from node.federating.viewer import ANONYMOUS, LOCAL_USER, Viewer
from node.messages import msg
from node.people import service as people
from node.projects import federation_events, notifications, relations, review_dates, versions
from node.projects.details import Freshness
from node.projects.models import (
    STATE_TRANSITIONS,
    Phase,
    Project,
    ProjectState,
    Visibility,
    new_revision,
    new_token,
)
from node.projects.plugin_view import to_plugin_view
from node.projects.rendering import RenderedProject, render
from node.projects.validation import ProjectInput, validate
from node.runtime import UnitOfWork
from node.settings import Settings

PAGE_SIZE = 20
# Of our own projects so many can be chosen from.
MAX_OWN = 500


def create(
    work: UnitOfWork,
    council: Council,
    text: ProjectInput,
    token: str = "",
    rendered: RenderedProject | None = None,
) -> Project:
    """A new draft of our own council, named `token` if so; nobody else sees it yet. `rendered` is
    the HTML of `text`, where the caller made it before the transaction began.
    """
    text = relations.resolve_relations(work, validate(text))
    token = token or new_token()
    uri = local_uris.project(work.settings, token)
    project = Project(token=token, uri=uri, url=uri, council=council, state=ProjectState.draft)
    project.owner = people.by_email(work.session, work.by)
    _apply_input(project, text, rendered)
    work.session.add(project)
    work.session.flush()
    relations.save_relations(work, {uri: text.details.related})
    versions.record(work, project, "created")
    work.audit("project.create", uri, title=text.title)
    return project


def can_publish_without_review(settings: Settings) -> bool:
    """Whether whoever writes a draft may publish it, without anybody else reading it first."""
    return settings.review_before_publishing == "off"


def publish(work: UnitOfWork, project: Project, *, is_reviewed: bool = False) -> None:
    """Show a draft to all who may read it, and tell those of the followers. `is_reviewed`: somebody
    else read it first.
    """
    if not is_reviewed and not can_publish_without_review(work.settings):
        raise ConflictError(msg("Someone else must review this project before it is published."))
    change_state(project, ProjectState.published)
    project.revision = new_revision()
    project.published_at = project.changed_at = now()
    _require_own(project)
    review_dates.confirm(work.settings, project)
    federation_events.publish_change(work, project, Visibility.private)
    federation_events.emit_event(work, "published", project, Visibility.private)
    record_event(work, notifications.PUBLISHED, project_id=project.id)
    versions.record(work, project, "published")
    work.audit(
        "project.publish", project.uri, title=project.title, visibility=project.visibility.value
    )


def update(
    work: UnitOfWork,
    project: Project,
    text: ProjectInput,
    version: int,
    *,
    confirms: bool = True,
    action: str = "changed",
    rendered: RenderedProject | None = None,
) -> None:
    """Change the text of a project, and who may read it. `version` is the one the writer began
    from. `confirms`: whoever wrote it has looked at all of it, which makes it fresh. `deed` is what
    its history calls the change; `rendered` as in `create`.

    Raises `ConflictError` if somebody else changed it meanwhile.
    """
    text = relations.resolve_relations(work, validate(text), project)
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    _require_own(project)
    if project.version != version:
        raise ConflictError(msg("Someone else changed this project while you were writing."))
    versions.record_baseline(work, project)
    before, phase = project.visibility, project.phase
    _apply_input(project, text, rendered)
    project.version += 1
    project.changed_at = now()
    relations.save_relations(work, {project.uri: text.details.related})
    if project.state is ProjectState.published:
        if confirms or project.phase is not phase:
            review_dates.confirm(work.settings, project)
        federation_events.publish_change(work, project, before)
        federation_events.emit_event(work, "updated", project, before)
        if project.phase is not phase:
            record_event(
                work, notifications.PHASE_CHANGED, project_id=project.id, phase=project.phase.value
            )
    versions.record(work, project, action)
    visibility = {"visibility": text.visibility} if before != project.visibility else {}
    work.audit(
        "project.update", project.uri, title=text.title, version=project.version, **visibility
    )


def delete(work: UnitOfWork, project: Project) -> None:
    """Remove a project here and, as far as others comply, everywhere.

    What remains is that it existed.
    """
    was_published = project.state is ProjectState.published
    change_state(project, ProjectState.deleted)
    project.revision = new_revision()
    project.deleted_at = project.changed_at = now()
    work.node.hooks.project_deleted(work, to_plugin_view(project))
    title = project.title
    project.erase()
    versions.delete_all(work.session, project)
    _require_own(project)
    if was_published:
        federation_events.publish_deletion(work, project)
        federation_events.emit_event(work, "deleted", project, project.visibility)
        record_event(work, notifications.DELETED, project_id=project.id)
    work.audit("project.delete", project.uri, title=title)


def by_token(
    session: Session, token: str, reader: Viewer = ANONYMOUS, *, drafts: bool = False
) -> Project:
    """The project as far as `reader` may see it. `drafts`: one that is not published yet will do,
    for a reader who may see drafts.

    Raises `GoneError` for one that was deleted and that the reader could see, `NotFoundError` for
    none.
    """
    query = select(Project).where(
        Project.token == token, _is_from_shown_council(), _is_allowed_to(reader)
    )
    project = session.scalar(query)
    never_shown = project is None or project.published_at is None
    if project is None or (never_shown and not (drafts and reader.may_see_drafts)):
        raise NotFoundError(msg("There is no such project."))
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    return project


def by_uri(session: Session, uri: str, reader: Viewer | None) -> Project | None:
    """The published project with this id, if `reader` may see it; None: if it is shown at all."""
    readable = is_visible_to(reader or LOCAL_USER)
    return session.scalar(select(Project).where(Project.uri == uri, readable))


def own_titles(session: Session) -> list[tuple[str, str]]:
    """Token and title of our own projects, last changed first, as many as one may choose from."""
    ours = (
        Council.slug.is_not(None),
        Project.state.in_([ProjectState.draft, ProjectState.published]),
    )
    query = select(Project.token, Project.title).join(Project.council).where(*ours)
    found = session.execute(query.order_by(Project.changed_at.desc()).limit(MAX_OWN))
    return [(row.token, row.title) for row in found]


def get_deleted(session: Session, token: str) -> Project:
    """The trace of a project that was deleted."""
    return session.scalars(
        select(Project).where(Project.token == token, Project.state == ProjectState.deleted)
    ).one()


def get_for_update(session: Session, token: str) -> Project:
    """A project of our own, locked until the end of the unit of work, so that two changes do not
    cross.
    """
    project = session.scalar(
        select(Project).where(Project.token == token).with_for_update(of=Project)
    )
    if project is None:
        raise NotFoundError(msg("There is no such project."))
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    if not project.is_local:
        raise ForbiddenError(msg("Only the council that published this project can change it."))
    return project


def change_state(project: Project, state: ProjectState) -> None:
    """Raises `ConflictError` for a move that `TRANSITIONS` does not have."""
    if state not in STATE_TRANSITIONS[project.state]:
        raise ConflictError(msg("You can no longer do this with the project."))
    project.state = state


@dataclass(frozen=True)
class ProjectFilter:
    """Which projects to list, for whom; `only` is what else must be true of them. What was archived
    is in no list but one `with_archived`. With `drafts`, those that are not published yet alone.
    """

    reader: Viewer = ANONYMOUS
    council_id: int | None = None
    drafts: bool = False
    with_archived: bool = False
    condition: ColumnElement[bool] | None = None


@dataclass(frozen=True)
class ProjectPage:
    """One page of a list. `number` counts from 1."""

    projects: list[Project]
    number: int
    pages: int
    total: int


def list_page(session: Session, wanted: ProjectFilter, number: int = 1) -> ProjectPage:
    """The projects that `wanted` describes, last changed first."""
    query = _apply_filter(wanted)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    found = session.scalars(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return ProjectPage(list(found), number, pages, total)


def list_newest(session: Session, wanted: ProjectFilter, most: int) -> list[Project]:
    """So many of the projects that `wanted` describes, last changed first."""
    return list(session.scalars(_apply_filter(wanted).limit(most)))


def list_after(
    session: Session, wanted: ProjectFilter, after_id: int, most: int, since: datetime | None = None
) -> list[Project]:
    """The next projects that `wanted` describes, by row id; those that changed `since`."""
    query = _apply_filter(wanted).where(Project.id > after_id).order_by(None).order_by(Project.id)
    if since is not None:
        query = query.where(Project.changed_at >= since)
    return list(session.scalars(query.limit(most)))


def count_documents(session: Session, council: Council, reader: Viewer) -> int:
    """How many projects of a council have a document that `reader` may have."""
    return session.scalar(select_documented(council, reader).with_only_columns(func.count())) or 0


def documents_after(
    session: Session, council: Council, reader: Viewer, after: int, most: int
) -> list[Project]:
    """The next projects of a council that have a document for `reader`, by row id."""
    query = select_documented(council, reader).where(Project.id > after)
    return list(session.scalars(query.order_by(Project.id).limit(most)))


def select_documented(council: Council, reader: Viewer) -> Select[Project]:
    """The projects of a council that have a document that `reader` may have."""
    return select(Project).where(
        Project.council_id == council.id,
        Project.state == ProjectState.published,
        Project.visibility.in_([Visibility(word) for word in reader.audiences]),
    )


def is_readable_by(reader: Viewer) -> ColumnElement[bool]:
    """Whether `reader` may see a project that is published, by whose it is and whom it is for."""
    return and_(_is_from_shown_council(), _is_allowed_to(reader))


def load_councils(query: Select[Project]) -> Select[Project]:
    """`query`, with the councils of all that it finds read at once, and not one beside each."""
    return query.options(selectinload(Project.council).selectinload(Council.actor))


def _apply_filter(wanted: ProjectFilter) -> Select[Project]:
    query = load_councils(select(Project)).order_by(Project.changed_at.desc(), Project.id)
    if wanted.drafts:
        query = query.where(is_visible_draft_to(wanted.reader))
    else:
        shows = is_visible_to if wanted.with_archived else is_listed_for
        query = query.where(shows(wanted.reader))
    if wanted.council_id:
        query = query.where(Project.council_id == wanted.council_id)
    if wanted.condition is not None:
        query = query.where(wanted.condition)
    return query


def is_listed_for(reader: Viewer) -> ColumnElement[bool]:
    """Which projects are listed for `reader`: those shown that are not in the archive, and do not
    go on in another.
    """
    is_current = Project.freshness != Freshness.archived, ~relations.has_agreed_successor()
    return and_(is_visible_to(reader), *is_current)


def is_visible_to(reader: Viewer) -> ColumnElement[bool]:
    """The published projects that `reader` may see here."""
    return and_(Project.state == ProjectState.published, is_readable_by(reader))


def is_visible_draft_to(reader: Viewer) -> ColumnElement[bool]:
    """The projects that are not published yet and that `reader` may see here."""
    is_draft = Project.state.in_([ProjectState.draft, ProjectState.review])
    return and_(is_draft, is_readable_by(reader)) if reader.may_see_drafts else false()


def is_council_shown(council_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Another council's projects are shown while we follow it: later nobody keeps them up to date.
    Those of a council that went are shown as long as we follow its successor.
    """
    follows = exists().where(Follow.followed_id == Council.actor_id, Follow.state == "accepted")
    shown = select(Council.id).where(or_(Council.slug.is_not(None), follows))
    old, new = aliased(Actor), aliased(Actor)
    went = (
        select(Council.id)
        .join(old, old.id == Council.actor_id)
        .join(new, new.uri == old.moved_to)
        .outerjoin(Follow, Follow.followed_id == new.id)
        .where(~old.is_blocked, or_(new.is_local, Follow.state != "rejected"))
    )
    return or_(council_id.in_(shown), council_id.in_(went))


@cache
def _is_from_shown_council() -> ColumnElement[bool]:
    """Of a council whose projects are shown, and not taken off our pages."""
    return and_(is_council_shown(Project.council_id), Project.is_hidden.is_(False))


def _is_allowed_to(reader: Viewer) -> ColumnElement[bool]:
    """What `reader` may see: our own people all; another server what is for peers of ours alone."""
    if reader.is_local_user:
        return true()
    is_public = Project.visibility == Visibility.public
    if reader.host is None:
        return is_public
    is_ours = Project.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
    return or_(is_public, and_(is_ours, Project.visibility == Visibility.peers))


def _apply_input(
    project: Project, text: ProjectInput, rendered: RenderedProject | None = None
) -> None:
    html = rendered or render(text)
    project.title, project.summary, project.phase = text.title, text.summary, Phase(text.phase)
    project.brief, project.details = text.brief, text.details
    project.content, project.translations = html.content, html.translations
    project.visibility, project.language = Visibility(text.visibility), text.language
    project.revision = new_revision()


def _require_own(project: Project) -> None:
    """Raises `ForbiddenError` for another council's project."""
    if not project.is_local:
        raise ForbiddenError(msg("Only the council that published this project can change it."))
