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
from node.error_isolation import for_each
from node.errors import ConflictError
from node.federating.models import Actor, Comparison, Peer
from node.freshness import notifications
from node.freshness.models import Reminder
from node.hourly_jobs import run_hourly
from node.messages import msg
from node.projects import federation_events, review_dates
from node.projects.details import Freshness
from node.projects.models import Project, ProjectState
from node.review_schedule import ReviewSchedule
from node.runtime import Node, UnitOfWork
from node.updates.models import Update, UpdateState

JOB = "freshness"
ESCALATION = "escalation"
# The coordinators have so long, whatever the settings say and however long a node was off.
MIN_ESCALATION = timedelta(weeks=1)


def run_job(node: Node) -> None:
    """The job, which looks once an hour: reviews fall due on days."""
    run_hourly(node, JOB, lambda: process_due_projects(node))


def process_due_projects(node: Node) -> None:
    """Do all that is to follow by now, one project at a time."""
    with node.reading() as session:
        due = session.scalars(_select_due(node.settings.review_schedule).order_by(Project.id)).all()
    for_each(node, JOB, due, partial(_process_project, node))


def _select_due(timetable: ReviewSchedule) -> Select[int]:
    """Published projects of ours whose review is due, or that have yet to get a review date."""
    ours = select(Council.id).where(Council.slug.is_not(None))
    has_none = Project.review_on.is_(None) & Project.phase.in_(timetable.interval_weeks)
    return select(Project.id).where(
        Project.council_id.in_(ours),
        Project.state == ProjectState.published,
        Project.freshness != Freshness.archived,
        or_(Project.review_on <= review_dates.today(), has_none),
    )


def _process_project(node: Node, project_id: int) -> None:
    timetable = node.settings.review_schedule
    with node.work(by=JOB) as work:
        mine = _select_due(timetable).with_only_columns(Project).where(Project.id == project_id)
        project = work.session.scalar(mine.with_for_update(of=Project))
        if project is not None:  # nobody confirmed it meanwhile
            _apply_schedule(work, timetable, project)


def _apply_schedule(work: UnitOfWork, timetable: ReviewSchedule, project: Project) -> None:
    if project.review_on is None:  # from before there were reviews
        review_dates.confirm(work.settings, project)
        return
    before, since = project.freshness, review_dates.today() - project.review_on
    weeks = since.days // 7
    if weeks >= timetable.archive_weeks and _was_escalated(work.session, project):
        review_dates.change_freshness(project, Freshness.stale)
        review_dates.change_freshness(project, Freshness.archived)
        project.archived_on = review_dates.today()
        notifications.notify_archived(work, project)
    else:
        # One that is stale stays so, though its council has become more patient since.
        is_stale = weeks >= timetable.stale_weeks or project.freshness is Freshness.stale
        review_dates.change_freshness(project, Freshness.stale if is_stale else Freshness.due)
        _remind(work, timetable, project, weeks)
    if project.freshness is not before:
        federation_events.publish_change(work, project, project.visibility)


def _remind(work: UnitOfWork, timetable: ReviewSchedule, project: Project, weeks: int) -> None:
    """Tell the owner what is the latest reminder by now, and the coordinators, each once."""
    passed = [each for each in timetable.nudge_weeks if each <= weeks]
    if (
        passed
        and weeks < timetable.escalate_weeks
        and _record_reminder(work, project, f"nudge-{passed[-1]}")
    ):
        notifications.notify_owner(work, project)
    if weeks >= timetable.escalate_weeks and _record_reminder(work, project, ESCALATION):
        notifications.notify_coordinators(work, project)


def _record_reminder(work: UnitOfWork, project: Project, step: str) -> bool:
    row = {"project_id": project.id, "review_on": project.review_on, "step": step, "at": now()}
    return insert_once(work.session, Reminder, **row)


def _was_escalated(session: Session, project: Project) -> bool:
    told = select(Reminder.id).where(
        Reminder.project_id == project.id,
        Reminder.review_on == project.review_on,
        Reminder.step == ESCALATION,
        Reminder.at <= now() - MIN_ESCALATION,
    )
    return session.scalar(told) is not None


def confirm(work: UnitOfWork, project: Project) -> None:
    """Its owner, or who looks after all, says that what a project says is still true. One from the
    archive is back in the lists.
    """
    if project.state is not ProjectState.published:
        raise ConflictError(msg("Publish the project first."))
    action = "revive" if project.freshness is Freshness.archived else "confirm"
    review_dates.confirm(work.settings, project)
    federation_events.publish_change(work, project, project.visibility)
    work.session.execute(delete(Reminder).where(Reminder.project_id == project.id))
    work.audit(f"project.{action}", project.uri, review_on=str(project.review_on))


def choose_review_date(work: UnitOfWork, project: Project, day: date | None) -> None:
    """Its owner, or who looks after all, says that a project is true, and that it is to be looked
    at again on that day; None: when it is usual. Raises `InvalidInputError`.
    """
    if project.freshness in {Freshness.unsaid, Freshness.archived}:
        raise ConflictError(msg("You cannot choose a review date for this project."))
    review_dates.choose_review_date(project, day)
    confirm(work, project)


def last_update_on(session: Session, project: Project) -> date | None:
    """When a project last had an update."""
    newest = (
        select(Update.published_at)
        .where(Update.project_id == project.id, Update.state == UpdateState.published)
        .order_by(Update.published_at.desc())
    )
    at = session.scalar(newest.limit(1))
    return at.date() if at else None


def find_silent_councils(work: UnitOfWork) -> dict[int, date]:
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
