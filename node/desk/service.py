"""Finding what waits for somebody: their own projects, what others ask of them, and, for a
coordinator, what nobody looks after.
"""

from datetime import timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from node import markup
from node.conversations.models import Comment
from node.conversations.models import State as CommentState
from node.councils.claims import disputes
from node.councils.models import Council
from node.db import now
from node.desk.items import MOST, Item, Section
from node.drafts.models import Review
from node.federating.models import Actor
from node.federating.readers import OUR_OWN
from node.freshness.models import Reminder
from node.freshness.service import ESCALATION
from node.handover.models import HandOver
from node.notices import service as notices
from node.people import service as people
from node.people.models import User
from node.projects.details import Freshness
from node.projects.models import Phase, Project, State, Version
from node.projects.service import shown
from node.runtime import Node, UnitOfWork
from node.text import one_line
from node.unsaved import service as unsaved

LATE = (Freshness.due, Freshness.stale)
# The archive is noticed for so long; then it is the archive.
NOTICED = timedelta(weeks=4)
# A question that nobody answered for longer is not answered any more.
ANSWERED_WITHIN = timedelta(days=60)
PAST_DISCOVERY = (Phase.alpha, Phase.beta, Phase.live)
LONGEST_WORDS = 200


def sections(work: UnitOfWork, user: User, *, coordinates: bool, operates: bool) -> list[Section]:
    """All that waits for somebody, kind by kind; kinds of which nothing waits are left out."""
    node, session = work.node, work.session
    found = [
        _unsaved(session, user),
        _late(session, user),
        _offers(session, user),
        _reviews(session, user, coordinates=coordinates),
        _comments(session, user),
        _drafts(session, user),
        _notices(node, session, user),
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
    found += _steps(work, user)
    return [section for section in found if section.total]


def count(work: UnitOfWork, user: User, *, coordinates: bool, operates: bool) -> int:
    """How many things wait for somebody."""
    found = sections(work, user, coordinates=coordinates, operates=operates)
    return sum(each.total for each in found)


def _disputes(session: Session) -> Section:
    """GSS codes that more than one council claims."""
    items = [Item(words=each.code, who=each.named) for each in disputes(session)]
    return Section("disputes", items[:MOST], len(items))


def _steps(work: UnitOfWork, user: User) -> list[Section]:
    """What plugins have for them. A button leads to this node, whatever a plugin says."""
    answers = work.node.hooks.ask(work, "desk_steps", person=people.as_view(user))
    found = []
    for details in work.node.hooks.details:
        given = [step for plugin, steps in answers if plugin == details.name for step in steps]
        steps = [step for step in given if markup.is_path(step.path)]
        items = [Item(step=step) for step in steps[:MOST]]
        found.append(Section("steps", items, len(steps), details.label))
    return found


def _late(session: Session, user: User) -> Section:
    """Projects of theirs whose review is due, and those that were just put in the archive."""
    lately = now().date() - NOTICED
    is_late = or_(
        Project.freshness.in_(LATE),
        and_(Project.freshness == Freshness.archived, Project.archived_on >= lately),
    )
    query = _ours().where(Project.owner_id == user.id, is_late)
    return _section(session, "late", query.order_by(Project.review_on, Project.id))


def _unsaved(session: Session, user: User) -> Section:
    """What they typed and did not save."""
    rows = unsaved.of_person(session, user)
    items = [
        Item(
            at=row.at,
            words=one_line(unsaved.first_words(row), LONGEST_WORDS),
            token=row.token,
        )
        for row in rows[:MOST]
    ]
    return Section("unsaved", items, len(rows))


def _offers(session: Session, user: User) -> Section:
    """Projects that somebody asks them to look after."""
    query = (
        select(HandOver)
        .join(HandOver.project)
        .where(HandOver.to_user_id == user.id, HandOver.state == "offered")
        .where(Project.state != State.deleted)
    )
    rows = session.scalars(query.order_by(HandOver.at).limit(MOST))
    items = [
        Item(row.project, row.at, row.by_user.name if row.by_user else "", row.note) for row in rows
    ]
    return Section("offers", items, _total(session, query))


def _reviews(session: Session, user: User, *, coordinates: bool) -> Section:
    """Drafts that they are asked to read; those that any coordinator is asked to, too. None of
    which they wrote a part.
    """
    is_asked = Review.to_user_id == user.id
    if coordinates:
        is_asked = or_(is_asked, Review.to_user_id.is_(None))
    wrote = select(Version.project_id).where(Version.by_user_id == user.id)
    query = (
        select(Review)
        .join(Review.project)
        .where(Review.state == "asked", Project.state == State.review, is_asked)
        .where(Review.by_user_id.is_distinct_from(user.id))
        .where(Review.project_id.not_in(wrote))
    )
    rows = session.scalars(query.order_by(Review.at).limit(MOST))
    items = [
        Item(row.project, row.at, row.by_user.name if row.by_user else "", row.note) for row in rows
    ]
    return Section("reviews", items, _total(session, query))


def _notices(node: Node, session: Session, user: User) -> Section:
    """What they were told and have not read, as one thing to do."""
    unread = notices.count_unread(node, session, user)
    return Section("notices", [Item(number=unread)], unread) if unread else Section("notices")


def _drafts(session: Session, user: User) -> Section:
    query = select(Project).where(Project.owner_id == user.id, Project.state == State.draft)
    return _section(session, "drafts", query.order_by(Project.changed_at, Project.id))


def _comments(session: Session, user: User) -> Section:
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
            Project.state == State.published,
            Comment.state == CommentState.shown,
            Comment.received_at > now() - ANSWERED_WITHIN,
            ~Actor.is_local,
            ~is_answered,
        )
    )
    rows = session.scalars(query.order_by(Comment.received_at).limit(MOST))
    items = [
        Item(
            row.project,
            row.received_at,
            row.author.name or row.author.address,
            _words(row.content),
            row.token,
        )
        for row in rows
    ]
    return Section("comments", items, _total(session, query))


def _words(content: str) -> str:
    plain = Markup(content).striptags()  # noqa: S704 -- it becomes plain text
    return one_line(plain, LONGEST_WORDS)


def _escalated(session: Session, user: User) -> Section:
    """Projects of ours whose owners were reminded in vain; a coordinator's own are theirs."""
    told = exists().where(
        Reminder.project_id == Project.id,
        Reminder.review_on == Project.review_on,
        Reminder.step == ESCALATION,
    )
    query = _ours().where(Project.freshness == Freshness.stale, told, *_of_somebody_else(user))
    return _section(session, "escalated", query.order_by(Project.review_on, Project.id))


def _stale(session: Session) -> Section:
    """What is out of date at the councils that ours follows."""
    query = select(Project).where(
        Project.state == State.published,
        Project.freshness == Freshness.stale,
        Project.council_id.not_in(_our_council()),
        shown(OUR_OWN),
    )
    return _section(session, "stale", query.order_by(Project.review_on, Project.id))


def _without_owner(session: Session) -> Section:
    """Projects of ours that nobody looks after, or only somebody whose account has ended."""
    query = select(Project).where(
        Project.council_id.in_(_our_council()),
        Project.state != State.deleted,
        Project.freshness != Freshness.archived,
        Project.phase != Phase.retired,
        _nobody_looks_after(),
    )
    return _section(session, "without-owner", query.order_by(Project.changed_at, Project.id))


def _without_needs(session: Session) -> Section:
    """Projects of ours past discovery that do not say what users need."""
    query = _ours().where(
        Project.phase.in_(PAST_DISCOVERY), Project.freshness.in_((Freshness.fresh, *LATE))
    )
    newest_first = session.scalars(query.order_by(Project.changed_at.desc(), Project.id))
    found = [each for each in newest_first if not each.details.user_needs]
    return Section("without-needs", [_item(each) for each in found[:MOST]], len(found))


def _ours() -> Select[Project]:
    return select(Project).where(
        Project.council_id.in_(_our_council()), Project.state == State.published
    )


def _our_council() -> Select[int]:
    return select(Council.id).where(Council.slug.is_not(None))


def _nobody_looks_after() -> ColumnElement[bool]:
    in_use = select(User.id).where(User.active)
    return or_(Project.owner_id.is_(None), Project.owner_id.not_in(in_use))


def _of_somebody_else(user: User) -> tuple[ColumnElement[bool], ...]:
    return Project.owner_id != user.id, ~_nobody_looks_after()


def _section(session: Session, kind: str, query: Select[Project]) -> Section:
    items = [_item(project) for project in session.scalars(query.limit(MOST))]
    return Section(kind, items, _total(session, query))


def _item(project: Project) -> Item:
    owner = project.owner.name if project.owner else ""
    return Item(project, project.review_on or project.changed_at, owner)


def _total(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
