"""What was told has an end: the old, and of each person the oldest of what is too much."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import func, select

from node.db import now
from node.error_isolation import for_each
from node.events.models import NotificationEvent
from node.hourly_jobs import run_hourly
from node.mail import service as mail
from node.notifications.models import Notification
from node.pruning import prune, prune_surplus
from node.runtime import Node

JOB = "notices-housekeeping"
RETENTION = timedelta(days=180)
MAX_PER_PERSON = 1_000


def run_job(node: Node) -> None:
    """The job, which tidies up once an hour."""
    run_hourly(node, JOB, lambda: prune_all(node))


def prune_all(node: Node) -> None:
    """Delete what is too old or too much, of each kind."""
    steps: Mapping[str, Callable[[Node], object]] = {
        "emails": mail.prune_mail,
        "notices": _prune_notifications,
    }
    for_each(node, JOB, steps, lambda name: steps[name](node))


def _prune_notifications(node: Node) -> None:
    prune(
        node, JOB, Notification, select(Notification.id).where(Notification.at < now() - RETENTION)
    )
    crowded = select(Notification.user_id).group_by(Notification.user_id)
    with node.reading() as session:
        people = session.scalars(crowded.having(func.count() > MAX_PER_PERSON)).all()
    for user_id in people:
        mine = select(Notification.id).where(Notification.user_id == user_id)
        prune_surplus(node, JOB, Notification, mine, Notification.id, MAX_PER_PERSON)
    told = NotificationEvent.state != NotificationEvent.WAITING
    is_told = (
        select(Notification.id).where(Notification.happening_id == NotificationEvent.id).exists()
    )
    prune(node, JOB, NotificationEvent, select(NotificationEvent.id).where(told, ~is_told))
