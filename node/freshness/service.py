"""Reviews of our projects: confirming that one is true, and what follows when nobody does.

The review of a project falls due; its owner is reminded, then the coordinators hear of it, then it
goes to the archive, from where one click brings it back. Projects of others are theirs to look at.
"""

from datetime import date, timedelta

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.db import insert_once, now
from node.errors import ConflictError
from node.federating.models import Actor, Comparison, Peer
from node.freshness import news
from node.freshness.models import Reminder
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
# Projects looked at in one transaction, so that nobody waits long.
AT_ONCE = 100
# The coordinators have so long, whatever the settings say and however long a node was off.
LAST_CHANCE = timedelta(weeks=1)


def work_off(node: Node) -> None:
    """The job, which looks once an hour: reviews fall due on days."""
    node.tidied.outcome(JOB, lambda: look(node))


def look(node: Node) -> None:
    """Do all that is to follow by now, some projects at a time."""
    timetable, after = node.settings.timetable, 0
    while True:
        with node.work(by=JOB) as work:
            chosen = _to_look_at(timetable).where(Project.id > after).order_by(Project.id)
            found = work.session.scalars(chosen.limit(AT_ONCE).with_for_update(of=Project)).all()
            for project in found:
                _look_at(work, timetable, project)
        if len(found) < AT_ONCE:
            return
        after = found[-1].id


def _to_look_at(timetable: Timetable) -> Select[Project]:
    """Published projects of ours whose review is due, or that have yet to get a review date."""
    ours = select(Council.id).where(Council.slug.is_not(None))
    has_none = Project.review_on.is_(None) & Project.phase.in_(timetable.intervals)
    return select(Project).where(
        Project.council_id.in_(ours),
        Project.state == State.published,
        Project.freshness != Freshness.archived,
        or_(Project.review_on <= reviews.today(), has_none),
    )


def _look_at(work: UnitOfWork, timetable: Timetable, project: Project) -> None:
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
        reviews.move(project, Freshness.stale if weeks >= timetable.stale else Freshness.due)
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
        raise ConflictError(say("This project is not reviewed."))
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
