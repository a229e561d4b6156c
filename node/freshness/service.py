"""Reviews of our projects: confirming that one is true, and what follows when nobody does.

The review of a project falls due; its owner is reminded, then the coordinators hear of it, then it
goes to the archive, from where one click brings it back. Projects of others are theirs to look at.
"""

from datetime import date, timedelta
from functools import partial

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.db import insert_once, now
from node.errors import ConflictError
from node.federating.models import Actor, Comparison, Peer
from node.freshness import news
from node.freshness.models import Reminder
from node.hourly import once_an_hour
from node.isolation import each
from node.projects import reviews, telling
from node.projects.details import Freshness
from node.projects.models import Project, State
from node.reviewing import Timetable
from node.runtime import Node, UnitOfWork
from node.updates.models import State as UpdateState
from node.updates.models import Update
from node.wording import say

JOB = "freshness"
ESCALATION = "escalation"
# The coordinators have so long, whatever the settings say and however long a node was off.
LAST_CHANCE = timedelta(weeks=1)


def work_off(node: Node) -> None:
    """The job, which looks once an hour: reviews fall due on days."""
    once_an_hour(node, JOB, lambda: look(node))


def look(node: Node) -> None:
    """Do all that is to follow by now, one project at a time."""
    with node.reading() as session:
        due = session.scalars(_due(node.settings.timetable).order_by(Project.id)).all()
    each(node, JOB, due, partial(_look_at, node))


def _due(timetable: Timetable) -> Select[int]:
    """Published projects of ours whose review is due, or that have yet to get a review date."""
    ours = select(Council.id).where(Council.slug.is_not(None))
    has_none = Project.review_on.is_(None) & Project.phase.in_(timetable.intervals)
    return select(Project.id).where(
        Project.council_id.in_(ours),
        Project.state == State.published,
        Project.freshness != Freshness.archived,
        or_(Project.review_on <= reviews.today(), has_none),
    )


def _look_at(node: Node, project_id: int) -> None:
    timetable = node.settings.timetable
    with node.work(by=JOB) as work:
        mine = _due(timetable).with_only_columns(Project).where(Project.id == project_id)
        project = work.session.scalar(mine.with_for_update(of=Project))
        if project is not None:  # nobody confirmed it meanwhile
            _act_on(work, timetable, project)


def _act_on(work: UnitOfWork, timetable: Timetable, project: Project) -> None:
    if project.review_on is None:  # from before there were reviews
        reviews.confirm(work.settings, project)
        return
    before, since = project.freshness, reviews.today() - project.review_on
    weeks = since.days // 7
    if weeks >= timetable.archived and _was_escalated(work.session, project):
        reviews.move(project, Freshness.stale)
        reviews.move(project, Freshness.archived)
        project.archived_on = reviews.today()
        news.archived(work, project)
    else:
        # One that is stale stays so, though its council has become more patient since.
        is_stale = weeks >= timetable.stale or project.freshness is Freshness.stale
        reviews.move(project, Freshness.stale if is_stale else Freshness.due)
        _remind(work, timetable, project, weeks)
    if project.freshness is not before:
        telling.told(work, project, project.visibility)


def _remind(work: UnitOfWork, timetable: Timetable, project: Project, weeks: int) -> None:
    """Tell the owner what is the latest reminder by now, and the coordinators, each once."""
    passed = [each for each in timetable.nudges if each <= weeks]
    if passed and weeks < timetable.escalated and _once(work, project, f"nudge-{passed[-1]}"):
        news.nudge(work, project)
    if weeks >= timetable.escalated and _once(work, project, ESCALATION):
        news.escalate(work, project)


def _once(work: UnitOfWork, project: Project, step: str) -> bool:
    row = {"project_id": project.id, "review_on": project.review_on, "step": step, "at": now()}
    return insert_once(work.session, Reminder, **row)


def _was_escalated(session: Session, project: Project) -> bool:
    told = select(Reminder.id).where(
        Reminder.project_id == project.id,
        Reminder.review_on == project.review_on,
        Reminder.step == ESCALATION,
        Reminder.at <= now() - LAST_CHANCE,
    )
    return session.scalar(told) is not None


def confirm(work: UnitOfWork, project: Project) -> None:
    """Its owner, or who looks after all, says that what a project says is still true. One from the
    archive is back in the lists.
    """
    if project.state is not State.published:
        raise ConflictError(say("Publish the project first."))
    action = "revive" if project.freshness is Freshness.archived else "confirm"
    reviews.confirm(work.settings, project)
    telling.told(work, project, project.visibility)
    work.session.execute(delete(Reminder).where(Reminder.project_id == project.id))
    work.audit(f"project.{action}", project.uri, review_on=str(project.review_on))


def choose(work: UnitOfWork, project: Project, day: date | None) -> None:
    """Its owner, or who looks after all, says that a project is true, and that it is to be looked
    at again on that day; None: when it is usual. Raises `InvalidInputError`.
    """
    if project.freshness in {Freshness.unsaid, Freshness.archived}:
        raise ConflictError(say("You cannot choose a review date for this project."))
    reviews.choose(project, day)
    confirm(work, project)


def said_on(session: Session, project: Project) -> date | None:
    """When a project last had an update."""
    newest = (
        select(Update.published_at)
        .where(Update.project_id == project.id, Update.state == UpdateState.published)
        .order_by(Update.published_at.desc())
    )
    at = session.scalar(newest.limit(1))
    return at.date() if at else None


def silent(work: UnitOfWork) -> dict[int, date]:
    """The councils whose nodes have said nothing for long, with the day they were last heard."""
    query = (
        select(Council.id, Comparison.agreed_at, Peer.heard_at)
        .join(Actor, Actor.id == Council.actor_id)
        .outerjoin(Comparison, Comparison.actor_id == Actor.id)
        .outerjoin(Peer, Peer.host == Actor.host)
        .where(Council.slug.is_(None))
    )
    since = now() - timedelta(days=work.settings.silent_days)
    found = {}
    for council_id, *moments in work.session.execute(query):
        heard = max((each for each in moments if each), default=None)
        if heard is not None and heard < since:
            found[council_id] = heard.date()
    return found
