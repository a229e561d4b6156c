"""Prunes notifications, their events and emails: the old ones, and a user's oldest surplus."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import func, select

from node.database.tables import now
from node.events.models import NotificationEvent
from node.mail import service as mail
from node.notifications.models import Notification
from node.queue.error_isolation import for_each
from node.queue.hourly_jobs import run_hourly
from node.queue.pruning import prune, prune_surplus
from node.runtime import Node

JOB = "notices-housekeeping"
RETENTION = timedelta(days=180)
MAX_PER_PERSON = 1_000


def run_job(node: Node) -> None:
    """Job: prune once an hour."""
    run_hourly(node, JOB, lambda: prune_all(node))


def prune_all(node: Node) -> None:
    """Delete old and surplus rows; an error in one step does not stop the others."""
    steps: Mapping[str, Callable[[Node], object]] = {
        "emails": mail.prune_mail,
        "notices": _prune_notifications,
    }
    for_each(node, JOB, steps, lambda name: steps[name](node))


def _prune_notifications(node: Node) -> None:
    prune(
        node, JOB, Notification, select(Notification.id).where(Notification.at < now() - RETENTION)
    )
    counts = select(Notification.user_id).group_by(Notification.user_id)
    with node.reading() as session:
        user_ids = session.scalars(counts.having(func.count() > MAX_PER_PERSON)).all()
    for user_id in user_ids:
        own_ids = select(Notification.id).where(Notification.user_id == user_id)
        prune_surplus(node, JOB, Notification, own_ids, Notification.id, MAX_PER_PERSON)
    is_processed = NotificationEvent.state != NotificationEvent.WAITING_STATE
    has_notification = (
        select(Notification.id).where(Notification.happening_id == NotificationEvent.id).exists()
    )
    prune(
        node,
        JOB,
        NotificationEvent,
        select(NotificationEvent.id).where(is_processed, ~has_notification),
    )
