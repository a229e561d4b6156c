"""Reviews of local projects: confirmation, reminders, escalation and archiving.

When the review of a project is due, its owner is reminded; then the coordinators are notified; then
the project is archived, until someone confirms it. Other councils review their own projects.
"""

from datetime import date, timedelta
from functools import partial

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from node.councils import visibility as council_visibility
from node.councils.models import Council
from node.database.tables import insert_once, now
from node.errors import ConflictError
from node.federating.models import Actor, Comparison, Peer
from node.freshness import notifications
from node.freshness.models import Reminder
from node.messages import msg
from node.principal import Principal
from node.projects import federation_events, review_dates
from node.projects.details import Freshness
from node.projects.models import Project, ProjectState
from node.queue.error_isolation import for_each
from node.queue.hourly_jobs import run_hourly
from node.review_schedule import ReviewSchedule
from node.runtime import Node, UnitOfWork
from node.updates.models import Update, UpdateState

JOB = "freshness"
ESCALATION_STEP = "escalation"
# At least this long lies between escalation and archiving, however long a node was off.
MIN_ESCALATION_PERIOD = timedelta(weeks=1)


def run_job(node: Node) -> None:
    """Job: check reviews once an hour; they are due by the day."""
    run_hourly(node, JOB, lambda: process_due_projects(node))


def process_due_projects(node: Node) -> None:
    """Remind, escalate and archive where due, each project in a transaction of its own."""
    query = _select_due(node.settings.review_schedule).order_by(Project.id)
    with node.reading() as session:
        project_ids = session.scalars(query).all()
    for_each(node, JOB, project_ids, partial(_process_project, node))


def _select_due(schedule: ReviewSchedule) -> Select[int]:
    """Ids of local published projects whose review is due, or that have no review date yet."""
    lacks_review_date = Project.review_on.is_(None) & Project.phase.in_(schedule.interval_weeks)
    return select(Project.id).where(
        council_visibility.is_own(Project.council_id),
        Project.state == ProjectState.published,
        Project.freshness != Freshness.archived,
        or_(Project.review_on <= review_dates.today(), lacks_review_date),
    )


def _process_project(node: Node, project_id: int) -> None:
    schedule = node.settings.review_schedule
    with node.work(by=Principal.job(JOB)) as work:
        query = _select_due(schedule).with_only_columns(Project).where(Project.id == project_id)
        project = work.session.scalar(query.with_for_update(of=Project))
        if project is not None:  # else it was confirmed meanwhile
            _apply_schedule(work, schedule, project)


def _apply_schedule(work: UnitOfWork, schedule: ReviewSchedule, project: Project) -> None:
    if project.review_on is None:  # older than the first review schedule
        review_dates.confirm(work.settings, project)
        return
    before, overdue = project.freshness, review_dates.today() - project.review_on
    weeks = overdue.days // 7
    if weeks >= schedule.archive_weeks and _was_escalated(work.session, project):
        review_dates.change_freshness(project, Freshness.stale)
        review_dates.change_freshness(project, Freshness.archived)
        project.archived_on = review_dates.today()
        notifications.notify_archived(work, project)
    else:
        # A stale project stays stale even if `stale_weeks` was raised since.
        is_stale = weeks >= schedule.stale_weeks or project.freshness is Freshness.stale
        review_dates.change_freshness(project, Freshness.stale if is_stale else Freshness.due)
        _send_reminders(work, schedule, project, weeks)
    if project.freshness is not before:
        federation_events.publish_change(work, project, project.visibility)


def _send_reminders(
    work: UnitOfWork, schedule: ReviewSchedule, project: Project, weeks: int
) -> None:
    """Send the owner the latest reminder due by now, and the coordinators theirs, each once."""
    nudges_due = [nudge for nudge in schedule.nudge_weeks if nudge <= weeks]
    if (
        nudges_due
        and weeks < schedule.escalate_weeks
        and _record_reminder(work, project, f"nudge-{nudges_due[-1]}")
    ):
        notifications.notify_owner(work, project)
    if weeks >= schedule.escalate_weeks and _record_reminder(work, project, ESCALATION_STEP):
        notifications.notify_coordinators(work, project)


def _record_reminder(work: UnitOfWork, project: Project, step: str) -> bool:
    row = {"project_id": project.id, "review_on": project.review_on, "step": step, "at": now()}
    return insert_once(work.session, Reminder, **row)


def _was_escalated(session: Session, project: Project) -> bool:
    escalation = select(Reminder.id).where(
        Reminder.project_id == project.id,
        Reminder.review_on == project.review_on,
        Reminder.step == ESCALATION_STEP,
        Reminder.at <= now() - MIN_ESCALATION_PERIOD,
    )
    return session.scalar(escalation) is not None


def confirm(work: UnitOfWork, project: Project) -> None:
    """Confirm that a project is up to date; an archived one returns to the lists. Raises
    `ConflictError` for an unpublished project.
    """
    if project.state is not ProjectState.published:
        raise ConflictError(msg("The project has not been published. Publish it first."))
    action = "revive" if project.freshness is Freshness.archived else "confirm"
    review_dates.confirm(work.settings, project)
    federation_events.publish_change(work, project, project.visibility)
    work.session.execute(delete(Reminder).where(Reminder.project_id == project.id))
    work.audit(f"project.{action}", project.uri, review_on=str(project.review_on))


def choose_review_date(work: UnitOfWork, project: Project, day: date | None) -> None:
    """Confirm a project and set its review date; `day` None means the usual date.

    Raises `InvalidInputError` for an invalid date, and `ConflictError` for a project without
    freshness or in the archive.
    """
    if project.freshness in {Freshness.unsaid, Freshness.archived}:
        raise ConflictError(
            msg(
                "You cannot choose a review date for this project because it is "
                "archived or does not need a review."
            )
        )
    review_dates.choose_review_date(project, day)
    confirm(work, project)


def last_update_on(session: Session, project: Project) -> date | None:
    """The day of a project's latest update."""
    query = (
        select(Update.published_at)
        .where(Update.project_id == project.id, Update.state == UpdateState.published)
        .order_by(Update.published_at.desc())
    )
    at = session.scalar(query.limit(1))
    return at.date() if at else None


def find_silent_councils(work: UnitOfWork) -> dict[int, date]:
    """The councils whose servers were not heard from for `silent_days`: the last day, by id."""
    query = (
        select(Council.id, Comparison.agreed_at, Peer.heard_at)
        .join(Actor, Actor.id == Council.actor_id)
        .outerjoin(Comparison, Comparison.actor_id == Actor.id)
        .outerjoin(Peer, Peer.host == Actor.host)
        .where(Council.slug.is_(None))
    )
    silent_since = now() - timedelta(days=work.settings.silent_days)
    silent = {}
    for council_id, *times in work.session.execute(query):
        heard_at = max((time for time in times if time), default=None)
        if heard_at is not None and heard_at < silent_since:
            silent[council_id] = heard_at.date()
    return silent
