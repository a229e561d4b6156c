"""Finding what waits for somebody: their own projects, what others ask of them, and, for a
coordinator, what nobody looks after.
"""

from datetime import timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from node import markup
from node.conversations.models import Comment, CommentState
from node.councils.gss_code_claims import find_disputes
from node.councils.models import Council
from node.db import now
from node.desk.items import MAX_PER_SECTION, DeskItem, DeskSection
from node.drafts.models import DraftReview
from node.federating.models import Actor
from node.federating.viewer import LOCAL_USER
from node.freshness.models import Reminder
from node.freshness.service import ESCALATION
from node.handover.models import HandOver
from node.notifications import service as notices
from node.people import service as people
from node.people.models import User
from node.projects.details import Freshness
from node.projects.models import Phase, Project, ProjectState, ProjectVersion
from node.projects.service import is_readable_by
from node.runtime import Node, UnitOfWork
from node.text import one_line
from node.unsaved import service as unsaved

OVERDUE = (Freshness.due, Freshness.stale)
# The archive is noticed for so long; then it is the archive.
ARCHIVE_SHOWN_FOR = timedelta(weeks=4)
# A question that nobody answered for longer is not answered any more.
ANSWER_WINDOW = timedelta(days=60)
PAST_DISCOVERY = (Phase.alpha, Phase.beta, Phase.live)
MAX_LEN_QUOTE = 200


def list_sections(
    work: UnitOfWork, user: User, *, coordinates: bool, operates: bool
) -> list[DeskSection]:
    """All that waits for somebody, kind by kind; kinds of which nothing waits are left out."""
    node, session = work.node, work.session
    found = [
        _unsaved(session, user),
        _overdue(session, user),
        _offers(session, user),
        _reviews(session, user, coordinates=coordinates),
        _comments(session, user),
        _drafts(session, user),
        _unread_notifications(node, session, user),
    ]
    if coordinates:
        found += [
            _escalated(session, user),
            _without_owner(session),
            _stale(session),
            _without_needs(session),
        ]
    if operates:
        found.append(_disputes(session))
    found += _plugin_steps(work, user)
    return [section for section in found if section.total]


def count_items(work: UnitOfWork, user: User, *, coordinates: bool, operates: bool) -> int:
    """How many things wait for somebody."""
    found = list_sections(work, user, coordinates=coordinates, operates=operates)
    return sum(each.total for each in found)


def _disputes(session: Session) -> DeskSection:
    """GSS codes that more than one council claims."""
    items = [DeskItem(words=each.code, who=each.named) for each in find_disputes(session)]
    return DeskSection("disputes", items[:MAX_PER_SECTION], len(items))


def _plugin_steps(work: UnitOfWork, user: User) -> list[DeskSection]:
    """What plugins have for them. A button leads to this node, whatever a plugin says."""
    answers = work.node.hooks.call(work, "desk_steps", person=people.to_plugin_view(user))
    found = []
    for details in work.node.hooks.details:
        given = [step for plugin, steps in answers if plugin == details.name for step in steps]
        steps = [step for step in given if markup.is_local_path(step.path)]
        items = [DeskItem(step=step) for step in steps[:MAX_PER_SECTION]]
        found.append(DeskSection("steps", items, len(steps), details.label))
    return found


def _overdue(session: Session, user: User) -> DeskSection:
    """Projects of theirs whose review is due, and those that were just put in the archive."""
    lately = now().date() - ARCHIVE_SHOWN_FOR
    is_late = or_(
        Project.freshness.in_(OVERDUE),
        and_(Project.freshness == Freshness.archived, Project.archived_on >= lately),
    )
    query = _select_own().where(Project.owner_id == user.id, is_late)
    return _section(session, "late", query.order_by(Project.review_on, Project.id))


def _unsaved(session: Session, user: User) -> DeskSection:
    """What they typed and did not save."""
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


def _offers(session: Session, user: User) -> DeskSection:
    """Projects that somebody asks them to look after."""
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
    return DeskSection("offers", items, _total(session, query))


def _reviews(session: Session, user: User, *, coordinates: bool) -> DeskSection:
    """Drafts that they are asked to read; those that any coordinator is asked to, too. None of
    which they wrote a part.
    """
    is_asked = DraftReview.to_user_id == user.id
    if coordinates:
        is_asked = or_(is_asked, DraftReview.to_user_id.is_(None))
    wrote = select(ProjectVersion.project_id).where(ProjectVersion.by_user_id == user.id)
    query = (
        select(DraftReview)
        .join(DraftReview.project)
        .where(DraftReview.state == "asked", Project.state == ProjectState.review, is_asked)
        .where(DraftReview.by_user_id.is_distinct_from(user.id))
        .where(DraftReview.project_id.not_in(wrote))
    )
    rows = session.scalars(query.order_by(DraftReview.at).limit(MAX_PER_SECTION))
    items = [
        DeskItem(row.project, row.at, row.by_user.name if row.by_user else "", row.note)
        for row in rows
    ]
    return DeskSection("reviews", items, _total(session, query))


def _unread_notifications(node: Node, session: Session, user: User) -> DeskSection:
    """What they were told and have not read, as one thing to do."""
    unread = notices.count_unread(node, session, user)
    return (
        DeskSection("notices", [DeskItem(number=unread)], unread)
        if unread
        else DeskSection("notices")
    )


def _drafts(session: Session, user: User) -> DeskSection:
    query = select(Project).where(Project.owner_id == user.id, Project.state == ProjectState.draft)
    return _section(session, "drafts", query.order_by(Project.changed_at, Project.id))


def _comments(session: Session, user: User) -> DeskSection:
    """What others said about their projects and nobody of ours answered."""
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
    return DeskSection("comments", items, _total(session, query))


def _plain_text(content: str) -> str:
    plain = Markup(content).striptags()  # noqa: S704 -- it becomes plain text
    return one_line(plain, MAX_LEN_QUOTE)


def _escalated(session: Session, user: User) -> DeskSection:
    """Projects of ours whose owners were reminded in vain; a coordinator's own are theirs."""
    told = exists().where(
        Reminder.project_id == Project.id,
        Reminder.review_on == Project.review_on,
        Reminder.step == ESCALATION,
    )
    query = _select_own().where(Project.freshness == Freshness.stale, told, *_owned_by_others(user))
    return _section(session, "escalated", query.order_by(Project.review_on, Project.id))


def _stale(session: Session) -> DeskSection:
    """What is out of date at the councils that ours follows."""
    query = select(Project).where(
        Project.state == ProjectState.published,
        Project.freshness == Freshness.stale,
        Project.council_id.not_in(_select_own_council()),
        is_readable_by(LOCAL_USER),
    )
    return _section(session, "stale", query.order_by(Project.review_on, Project.id))


def _without_owner(session: Session) -> DeskSection:
    """Projects of ours that nobody looks after, or only somebody whose account has ended."""
    query = select(Project).where(
        Project.council_id.in_(_select_own_council()),
        Project.state != ProjectState.deleted,
        Project.freshness != Freshness.archived,
        Project.phase != Phase.retired,
        _has_no_owner(),
    )
    return _section(session, "without-owner", query.order_by(Project.changed_at, Project.id))


def _without_needs(session: Session) -> DeskSection:
    """Projects of ours past discovery that do not say what users need."""
    query = _select_own().where(
        Project.phase.in_(PAST_DISCOVERY), Project.freshness.in_((Freshness.fresh, *OVERDUE))
    )
    newest_first = session.scalars(query.order_by(Project.changed_at.desc(), Project.id))
    found = [each for each in newest_first if not each.details.user_needs]
    return DeskSection(
        "without-needs", [_item(each) for each in found[:MAX_PER_SECTION]], len(found)
    )


def _select_own() -> Select[Project]:
    return select(Project).where(
        Project.council_id.in_(_select_own_council()), Project.state == ProjectState.published
    )


def _select_own_council() -> Select[int]:
    return select(Council.id).where(Council.slug.is_not(None))


def _has_no_owner() -> ColumnElement[bool]:
    in_use = select(User.id).where(User.active)
    return or_(Project.owner_id.is_(None), Project.owner_id.not_in(in_use))


def _owned_by_others(user: User) -> tuple[ColumnElement[bool], ...]:
    return Project.owner_id != user.id, ~_has_no_owner()


def _section(session: Session, kind: str, query: Select[Project]) -> DeskSection:
    items = [_item(project) for project in session.scalars(query.limit(MAX_PER_SECTION))]
    return DeskSection(kind, items, _total(session, query))


def _item(project: Project) -> DeskItem:
    owner = project.owner.name if project.owner else ""
    return DeskItem(project, project.review_on or project.changed_at, owner)


def _total(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
