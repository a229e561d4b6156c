"""Finds what needs a user's attention: their own projects, requests for them, and, for coordinators
and operators, what needs theirs.
"""

from datetime import timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from node import markup
from node.access.viewer import LOCAL_USER
from node.conversations.models import Comment, CommentState
from node.councils import visibility as council_visibility
from node.councils.gss_code_claims import find_disputes
from node.database.tables import now
from node.desk.items import MAX_PER_SECTION, DeskItem, DeskSection
from node.drafts.models import DraftReview
from node.federating.models import Actor
from node.freshness.models import Reminder
from node.freshness.service import ESCALATION_STEP
from node.handover.models import HandOver
from node.notifications import service as notifications
from node.people import service as people
from node.people.models import User
from node.projects.details import Freshness
from node.projects.models import Phase, Project, ProjectState, ProjectVersion
from node.projects.visibility import is_visible_to
from node.runtime import Node, UnitOfWork
from node.text import one_line
from node.unsaved import service as unsaved

OVERDUE_STATES = (Freshness.due, Freshness.stale)
# How long a project that was archived stays on its owner's desk.
ARCHIVE_SHOWN_FOR = timedelta(weeks=4)
# Older comments without an answer are not shown.
ANSWER_WINDOW = timedelta(days=60)
PHASES_PAST_DISCOVERY = (Phase.alpha, Phase.beta, Phase.live)
MAX_LEN_QUOTE = 200


def list_sections(
    work: UnitOfWork, user: User, *, coordinates: bool, operates: bool
) -> list[DeskSection]:
    """The sections of a user's desk, without empty ones."""
    node, session = work.node, work.session
    sections = [
        _unsaved_section(session, user),
        _overdue_section(session, user),
        _offers_section(session, user),
        _reviews_section(session, user, coordinates=coordinates),
        _comments_section(session, user),
        _drafts_section(session, user),
        _unread_notifications_section(node, session, user),
    ]
    if coordinates:
        sections += [
            _escalated_section(session, user),
            _without_owner_section(session),
            _stale_section(session),
            _without_needs_section(session),
        ]
    if operates:
        sections.append(_disputes_section(session))
    sections += _plugin_sections(work, user)
    return [section for section in sections if section.total]


def count_items(work: UnitOfWork, user: User, *, coordinates: bool, operates: bool) -> int:
    """The number of things on a user's desk."""
    sections = list_sections(work, user, coordinates=coordinates, operates=operates)
    return sum(section.total for section in sections)


def _disputes_section(session: Session) -> DeskSection:
    """GSS codes that more than one council claims."""
    items = [DeskItem(words=dispute.code, who=dispute.named) for dispute in find_disputes(session)]
    return DeskSection("disputes", items[:MAX_PER_SECTION], len(items))


def _plugin_sections(work: UnitOfWork, user: User) -> list[DeskSection]:
    """A section of steps from each plugin. Steps that lead away from this node are left out."""
    results = work.node.hooks.call(work, "desk_steps", person=people.to_plugin_view(user))
    sections = []
    for details in work.node.hooks.details:
        steps = [
            step
            for plugin, plugin_steps in results
            if plugin == details.name
            for step in plugin_steps
            if markup.is_local_path(step.path)
        ]
        items = [DeskItem(step=step) for step in steps[:MAX_PER_SECTION]]
        sections.append(DeskSection("steps", items, len(steps), details.label))
    return sections


def _overdue_section(session: Session, user: User) -> DeskSection:
    """The user's projects whose review is due, or that were archived recently."""
    archive_shown_since = now().date() - ARCHIVE_SHOWN_FOR
    needs_review = or_(
        Project.freshness.in_(OVERDUE_STATES),
        and_(Project.freshness == Freshness.archived, Project.archived_on >= archive_shown_since),
    )
    query = _select_own().where(Project.owner_id == user.id, needs_review)
    return _build_section(session, "late", query.order_by(Project.review_on, Project.id))


def _unsaved_section(session: Session, user: User) -> DeskSection:
    """The user's unsaved texts."""
    rows = unsaved.list_of_user(session, user)
    items = [
        DeskItem(
            at=row.at,
            words=one_line(unsaved.preview(row), MAX_LEN_QUOTE),
            token=row.token,
        )
        for row in rows[:MAX_PER_SECTION]
    ]
    return DeskSection("unsaved", items, len(rows))


def _offers_section(session: Session, user: User) -> DeskSection:
    """Projects that someone offers to hand over to the user."""
    query = (
        select(HandOver)
        .join(HandOver.project)
        .where(HandOver.to_user_id == user.id, HandOver.state == "offered")
        .where(Project.state != ProjectState.deleted)
    )
    rows = session.scalars(query.order_by(HandOver.at).limit(MAX_PER_SECTION))
    items = [
        DeskItem(row.project, row.at, row.by_user.name if row.by_user else "", row.note)
        for row in rows
    ]
    return DeskSection("offers", items, _count_rows(session, query))


def _reviews_section(session: Session, user: User, *, coordinates: bool) -> DeskSection:
    """Drafts that the user is asked to review, for coordinators also those that any coordinator is
    asked to review; without drafts that the user has written in.
    """
    is_reviewer = DraftReview.to_user_id == user.id
    if coordinates:
        is_reviewer = or_(is_reviewer, DraftReview.to_user_id.is_(None))
    written_in = select(ProjectVersion.project_id).where(ProjectVersion.by_user_id == user.id)
    query = (
        select(DraftReview)
        .join(DraftReview.project)
        .where(DraftReview.state == "asked", Project.state == ProjectState.review, is_reviewer)
        .where(DraftReview.by_user_id.is_distinct_from(user.id))
        .where(DraftReview.project_id.not_in(written_in))
    )
    rows = session.scalars(query.order_by(DraftReview.at).limit(MAX_PER_SECTION))
    items = [
        DeskItem(row.project, row.at, row.by_user.name if row.by_user else "", row.note)
        for row in rows
    ]
    return DeskSection("reviews", items, _count_rows(session, query))


def _unread_notifications_section(node: Node, session: Session, user: User) -> DeskSection:
    """The number of unread notifications, as one item."""
    unread = notifications.count_unread(node, session, user)
    return (
        DeskSection("notices", [DeskItem(number=unread)], unread)
        if unread
        else DeskSection("notices")
    )


def _drafts_section(session: Session, user: User) -> DeskSection:
    query = select(Project).where(Project.owner_id == user.id, Project.state == ProjectState.draft)
    return _build_section(session, "drafts", query.order_by(Project.changed_at, Project.id))


def _comments_section(session: Session, user: User) -> DeskSection:
    """Comments by others on the user's projects that no one of ours has answered."""
    answer, author = aliased(Comment), aliased(Actor)
    is_answered = exists().where(
        answer.in_reply_to == Comment.uri,
        answer.author_id == author.id,
        author.is_local,
        answer.state == CommentState.shown,
    )
    query = (
        select(Comment)
        .join(Comment.project)
        .join(Comment.author)
        .where(
            Project.owner_id == user.id,
            Project.state == ProjectState.published,
            Comment.state == CommentState.shown,
            Comment.received_at > now() - ANSWER_WINDOW,
            ~Actor.is_local,
            ~is_answered,
        )
    )
    rows = session.scalars(query.order_by(Comment.received_at).limit(MAX_PER_SECTION))
    items = [
        DeskItem(
            row.project,
            row.received_at,
            row.author.name or row.author.address,
            _plain_text(row.content),
            row.token,
        )
        for row in rows
    ]
    return DeskSection("comments", items, _count_rows(session, query))


def _plain_text(content: str) -> str:
    text = Markup(content).striptags()  # noqa: S704 -- it becomes plain text
    return one_line(text, MAX_LEN_QUOTE)


def _escalated_section(session: Session, user: User) -> DeskSection:
    """Stale projects whose owners did not respond to reminders, without the coordinator's own."""
    is_escalated = exists().where(
        Reminder.project_id == Project.id,
        Reminder.review_on == Project.review_on,
        Reminder.step == ESCALATION_STEP,
    )
    query = _select_own().where(
        Project.freshness == Freshness.stale, is_escalated, *_owned_by_others(user)
    )
    return _build_section(session, "escalated", query.order_by(Project.review_on, Project.id))


def _stale_section(session: Session) -> DeskSection:
    """Stale projects of other councils."""
    query = select(Project).where(
        Project.freshness == Freshness.stale,
        ~council_visibility.is_own(Project.council_id),
        is_visible_to(LOCAL_USER),
    )
    return _build_section(session, "stale", query.order_by(Project.review_on, Project.id))


def _without_owner_section(session: Session) -> DeskSection:
    """Local projects without an owner, or whose owner's account is closed."""
    query = select(Project).where(
        council_visibility.is_own(Project.council_id),
        Project.state != ProjectState.deleted,
        Project.freshness != Freshness.archived,
        Project.phase != Phase.retired,
        _has_no_owner(),
    )
    return _build_section(session, "without-owner", query.order_by(Project.changed_at, Project.id))


def _without_needs_section(session: Session) -> DeskSection:
    """Local projects past discovery that list no user needs."""
    query = _select_own().where(
        Project.phase.in_(PHASES_PAST_DISCOVERY),
        Project.freshness.in_((Freshness.fresh, *OVERDUE_STATES)),
    )
    newest_first = session.scalars(query.order_by(Project.changed_at.desc(), Project.id))
    projects = [project for project in newest_first if not project.details.user_needs]
    items = [_project_item(project) for project in projects[:MAX_PER_SECTION]]
    return DeskSection("without-needs", items, len(projects))


def _select_own() -> Select[Project]:
    return select(Project).where(
        council_visibility.is_own(Project.council_id), Project.state == ProjectState.published
    )


def _has_no_owner() -> ColumnElement[bool]:
    active_users = select(User.id).where(User.active)
    return or_(Project.owner_id.is_(None), Project.owner_id.not_in(active_users))


def _owned_by_others(user: User) -> tuple[ColumnElement[bool], ...]:
    return Project.owner_id != user.id, ~_has_no_owner()


def _build_section(session: Session, kind: str, query: Select[Project]) -> DeskSection:
    items = [_project_item(project) for project in session.scalars(query.limit(MAX_PER_SECTION))]
    return DeskSection(kind, items, _count_rows(session, query))


def _project_item(project: Project) -> DeskItem:
    owner = project.owner.name if project.owner else ""
    return DeskItem(project, project.review_on or project.changed_at, owner)


def _count_rows(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
