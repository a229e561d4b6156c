"""Creates, changes, publishes and deletes local projects, and queries local and remote ones."""

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
# Local projects offered in a select, the last changed first.
MAX_OWN = 500


def create(
    work: UnitOfWork,
    council: Council,
    text: ProjectInput,
    token: str = "",
    rendered: RenderedProject | None = None,
) -> Project:
    """Create a draft of our own council, which only our council can see.

    `token` identifies it, or a new one if empty. `rendered` is the HTML of `text` if the caller
    rendered it before the transaction began.
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
    """Whether the author of a draft may publish it without review."""
    return settings.review_before_publishing == "off"


def publish(work: UnitOfWork, project: Project, *, is_reviewed: bool = False) -> None:
    """Publish a draft and federate it. `is_reviewed`: someone else has reviewed it."""
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
    """Change the text and the visibility of a project.

    `version` is the one that the edit is based on. `confirms`: the editor has reviewed the whole
    project, which makes it fresh. `action` names the change in the history. `rendered` is as in
    `create`.

    Raises `ConflictError` if someone else changed the project meanwhile.
    """
    text = relations.resolve_relations(work, validate(text), project)
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    _require_own(project)
    if project.version != version:
        raise ConflictError(msg("Someone else changed this project while you were writing."))
    versions.record_baseline(work, project)
    old_visibility, old_phase = project.visibility, project.phase
    _apply_input(project, text, rendered)
    project.version += 1
    project.changed_at = now()
    relations.save_relations(work, {project.uri: text.details.related})
    if project.state is ProjectState.published:
        if confirms or project.phase is not old_phase:
            review_dates.confirm(work.settings, project)
        federation_events.publish_change(work, project, old_visibility)
        federation_events.emit_event(work, "updated", project, old_visibility)
        if project.phase is not old_phase:
            record_event(
                work, notifications.PHASE_CHANGED, project_id=project.id, phase=project.phase.value
            )
    versions.record(work, project, action)
    visibility = {"visibility": text.visibility} if old_visibility != project.visibility else {}
    work.audit(
        "project.update", project.uri, title=text.title, version=project.version, **visibility
    )


def delete(work: UnitOfWork, project: Project) -> None:
    """Delete a project and ask other servers to delete it. Its row remains, without text."""
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
    """The project, if `reader` may see it. `drafts`: include drafts for a reader who may see them.

    Raises `GoneError` for a deleted project that the reader could see, `NotFoundError` if there is
    none.
    """
    query = select(Project).where(
        Project.token == token, _is_from_shown_council(), _is_allowed_to(reader)
    )
    project = session.scalar(query)
    never_shown = project is None or project.published_at is None
    if project is None or (never_shown and not (drafts and reader.may_see_drafts)):
        raise NotFoundError(msg("Project not found."))
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    return project


def by_uri(session: Session, uri: str, reader: Viewer | None) -> Project | None:
    """The published project with this id, if `reader` may see it; None: if anyone here may."""
    readable = is_visible_to(reader or LOCAL_USER)
    return session.scalar(select(Project).where(Project.uri == uri, readable))


def own_titles(session: Session) -> list[tuple[str, str]]:
    """Token and title of at most `MAX_OWN` local projects, the last changed first."""
    conditions = (
        Council.slug.is_not(None),
        Project.state.in_([ProjectState.draft, ProjectState.published]),
    )
    query = select(Project.token, Project.title).join(Project.council).where(*conditions)
    rows = session.execute(query.order_by(Project.changed_at.desc()).limit(MAX_OWN))
    return [(row.token, row.title) for row in rows]


def get_deleted(session: Session, token: str) -> Project:
    """The row of a deleted project."""
    return session.scalars(
        select(Project).where(Project.token == token, Project.state == ProjectState.deleted)
    ).one()


def get_for_update(session: Session, token: str) -> Project:
    """A local project, locked until the end of the unit of work so that changes cannot overlap."""
    project = session.scalar(
        select(Project).where(Project.token == token).with_for_update(of=Project)
    )
    if project is None:
        raise NotFoundError(msg("Project not found."))
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    if not project.is_local:
        raise ForbiddenError(msg("Only the council that published this project can change it."))
    return project


def change_state(project: Project, state: ProjectState) -> None:
    """Raises `ConflictError` for a change that `STATE_TRANSITIONS` does not allow."""
    if state not in STATE_TRANSITIONS[project.state]:
        raise ConflictError(
            msg("You can no longer do this because the status of the project has changed.")
        )
    project.state = state


@dataclass(frozen=True)
class ProjectFilter:
    """Which projects to list, for whom; `condition` is a further SQL condition.

    Archived projects are left out unless `with_archived`. `drafts` lists only those not published
    yet.
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


def list_page(session: Session, criteria: ProjectFilter, number: int = 1) -> ProjectPage:
    """A page of the projects that match `criteria`, the last changed first."""
    query = _apply_filter(criteria)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    projects = session.scalars(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return ProjectPage(list(projects), number, pages, total)


def list_newest(session: Session, criteria: ProjectFilter, limit: int) -> list[Project]:
    """At most `limit` projects that match `criteria`, the last changed first."""
    return list(session.scalars(_apply_filter(criteria).limit(limit)))


def list_after(
    session: Session,
    criteria: ProjectFilter,
    after_id: int,
    limit: int,
    since: datetime | None = None,
) -> list[Project]:
    """The next projects that match `criteria` by row id; with `since`, those changed since then."""
    query = _apply_filter(criteria).where(Project.id > after_id).order_by(None).order_by(Project.id)
    if since is not None:
        query = query.where(Project.changed_at >= since)
    return list(session.scalars(query.limit(limit)))


def count_documents(session: Session, council: Council, reader: Viewer) -> int:
    """The number of projects of a council with a document that `reader` may read."""
    return session.scalar(select_documented(council, reader).with_only_columns(func.count())) or 0


def documents_after(
    session: Session, council: Council, reader: Viewer, after_id: int, limit: int
) -> list[Project]:
    """The next projects of a council with a document that `reader` may read, by row id."""
    query = select_documented(council, reader).where(Project.id > after_id)
    return list(session.scalars(query.order_by(Project.id).limit(limit)))


def select_documented(council: Council, reader: Viewer) -> Select[Project]:
    """The projects of a council with a document that `reader` may read."""
    return select(Project).where(
        Project.council_id == council.id,
        Project.state == ProjectState.published,
        Project.visibility.in_([Visibility(audience) for audience in reader.audiences]),
    )


def is_readable_by(reader: Viewer) -> ColumnElement[bool]:
    """Condition: `reader` may see the project once it is published, by council and visibility."""
    return and_(_is_from_shown_council(), _is_allowed_to(reader))


def load_councils(query: Select[Project]) -> Select[Project]:
    """`query` with the councils of all its projects loaded at once rather than one by one."""
    return query.options(selectinload(Project.council).selectinload(Council.actor))


def _apply_filter(criteria: ProjectFilter) -> Select[Project]:
    query = load_councils(select(Project)).order_by(Project.changed_at.desc(), Project.id)
    if criteria.drafts:
        query = query.where(is_visible_draft_to(criteria.reader))
    else:
        is_shown = is_visible_to if criteria.with_archived else is_listed_for
        query = query.where(is_shown(criteria.reader))
    if criteria.council_id:
        query = query.where(Project.council_id == criteria.council_id)
    if criteria.condition is not None:
        query = query.where(criteria.condition)
    return query


def is_listed_for(reader: Viewer) -> ColumnElement[bool]:
    """Condition: the project is visible to `reader`, not archived and not continued by another."""
    is_current = Project.freshness != Freshness.archived, ~relations.has_agreed_successor()
    return and_(is_visible_to(reader), *is_current)


def is_visible_to(reader: Viewer) -> ColumnElement[bool]:
    """Condition: the project is published and `reader` may see it here."""
    return and_(Project.state == ProjectState.published, is_readable_by(reader))


def is_visible_draft_to(reader: Viewer) -> ColumnElement[bool]:
    """Condition: the project is not published yet and `reader` may see it."""
    is_draft = Project.state.in_([ProjectState.draft, ProjectState.review])
    return and_(is_draft, is_readable_by(reader)) if reader.may_see_drafts else false()


def is_council_shown(council_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Condition: the projects of the council are shown here.

    A remote council's projects are shown while we follow it, since no one keeps them up to date
    afterwards. Those of a council that moved are shown as long as we follow its successor.
    """
    follows = exists().where(Follow.followed_id == Council.actor_id, Follow.state == "accepted")
    is_own_or_followed = select(Council.id).where(or_(Council.slug.is_not(None), follows))
    old_actor, new_actor = aliased(Actor), aliased(Actor)
    has_moved = (
        select(Council.id)
        .join(old_actor, old_actor.id == Council.actor_id)
        .join(new_actor, new_actor.uri == old_actor.moved_to)
        .outerjoin(Follow, Follow.followed_id == new_actor.id)
        .where(~old_actor.is_blocked, or_(new_actor.is_local, Follow.state != "rejected"))
    )
    return or_(council_id.in_(is_own_or_followed), council_id.in_(has_moved))


@cache
def _is_from_shown_council() -> ColumnElement[bool]:
    """Condition: the council is shown, and no moderator has hidden the project."""
    return and_(is_council_shown(Project.council_id), Project.is_hidden.is_(False))


def _is_allowed_to(reader: Viewer) -> ColumnElement[bool]:
    """Condition: `reader` may read it; another server, of projects for peers, only local ones."""
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
