"""The items of each job of a node: made, poisoned, and looked at afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from node.conversations import thread_fetcher as conversations
from node.database.tables import now
from node.federating.inbound import inbox_processor, server_discovery
from node.federating.models import (
    Actor,
    ActorDeletion,
    ActorKey,
    Backfill,
    Comparison,
    Delivery,
    InboxItem,
    OutboxActivity,
    Peer,
    PeerList,
    RemoteTombstone,
)
from node.federating.outbound import peer_health
from node.federating.peers.service import NEWLY_ALLOWED_JOB
from node.freshness import service as freshness
from node.mail.models import Mail
from node.notification_events.models import NotificationEvent, Watch
from node.notifications import email_digests
from node.notifications.models import Notification, NotificationSubscriber
from node.operating import key_rotation
from node.passwords import service as passwords
from node.passwords.models import PasswordReset
from node.plugin_admin import jobs as plugins
from node.plugin_admin.enablement import CATCH_UP_JOB_NAME
from node.plugin_admin.models import PluginJob
from node.projects.details import Freshness
from node.projects.models import Project, ReindexRequest
from node.projects.reindex_queue import JOB as INDEXING
from node.projects.relations import MERGING_JOB
from node.queue import pruning
from node.queue.batched_writes import JOB as LONG_WRITES
from node.queue.batched_writes import BatchedWrite
from node.queue.error_isolation import JobFailure
from node.queue.hourly_jobs import HourlyJob
from node.queue.mixins import QueueMixin
from node.runtime import UnitOfWork
from node.search import notifications as searches
from node.search.models import SavedSearch
from node.testing.nodes import TestNode
from node.webhooks.models import WebhookMessage
from tests.jobs import rows
from tests.jobs.poison import Poison, on, refusing, unreadable

_numbers = count(1)


@dataclass
class Case:
    """A job's items. `make` gives the id of a new one that is due, `is_worked` says whether it was
    worked on, and under `poison` it cannot be.
    """

    make: Callable[[UnitOfWork, int], int]
    is_worked: Callable[[Session, int], bool]
    poison: Poison


def _has(model: Any, **values: object) -> Callable[[Session, int], bool]:
    """Whether a row has these values now."""

    def look(session: Session, row_id: int) -> bool:
        which = model.id == row_id, *(getattr(model, name) == v for name, v in values.items())
        return session.scalar(select(model.id).where(*which)) is not None

    return look


def _is_gone(model: Any) -> Callable[[Session, int], bool]:
    return lambda session, row_id: not _has(model)(session, row_id)


def _without(model: Any, **values: object) -> Callable[[Session, int], bool]:
    return lambda session, row_id: not _has(model, **values)(session, row_id)


@contextmanager
def _of_delivery(one: TestNode, delivery_id: int) -> Iterator[None]:
    with one.reading() as session:
        mine = select(Delivery.activity_id).where(Delivery.id == delivery_id)
        activity_id = session.scalars(mine).one()
    with unreadable(OutboxActivity, activity_id):
        yield


@contextmanager
def _of_host(one: TestNode, peer_id: int) -> Iterator[None]:
    with one.reading() as session:
        host = session.scalars(select(Peer.host).where(Peer.id == peer_id)).one()
    with refusing(one, "UPDATE peer", host):
        yield


def _of_conversation(one: TestNode, project_id: int) -> Any:
    return refusing(one, "UPDATE project SET conversation_read_at", project_id)


def _has_no_key(session: Session, actor_id: int) -> bool:
    return session.scalar(select(ActorKey.id).where(ActorKey.actor_id == actor_id)) is None


def _is_indexed(session: Session, project_id: int) -> bool:
    return (
        session.scalar(select(ReindexRequest.id).where(ReindexRequest.project_id == project_id))
        is None
    )


def _is_checked(session: Session, search_id: int) -> bool:
    at = session.scalars(select(SavedSearch.checked_at).where(SavedSearch.id == search_id)).one()
    return at > now() - timedelta(days=1)


def _is_forgotten(session: Session, actor_id: int) -> bool:
    return (
        session.scalar(select(RemoteTombstone.uri).where(RemoteTombstone.actor_id == actor_id))
        is None
    )


# Of these, another kind of rows cannot be deleted.
def _messages_stay(one: TestNode, _row_id: int) -> Any:
    return refusing(one, "SELECT inbox_item.id")


def _has_run(session: Session, _id: int) -> bool:
    return session.scalar(select(PluginJob.ran_at).where(PluginJob.name == "remind")) is not None


def _of_plugin(one: TestNode, _id: int) -> Any:
    return refusing(one, "INSERT INTO plugin_job", CATCH_UP_JOB_NAME)


CASES: dict[str, Case] = {
    # First, as long as there are few projects, which it has indexed anew.
    plugins.JOB: Case(rows.plugin_job, _has_run, _of_plugin),
    Delivery.JOB: Case(rows.delivery, _has(Delivery, state="delivered"), _of_delivery),
    peer_health.JOB: Case(rows.unreachable, _has(Peer, failures=0), on(Peer)),
    InboxItem.JOB: Case(rows.received, _has(InboxItem, state="ignored"), on(InboxItem)),
    inbox_processor.FETCHING_JOB: Case(
        lambda work, number: rows.received(work, number, needs_fetch=True),
        _without(InboxItem, state="new"),
        on(InboxItem),
    ),
    pruning.JOB: Case(rows.deleted, _is_forgotten, _messages_stay),
    freshness.JOB: Case(rows.overdue, _has(Project, freshness=Freshness.due), on(Project)),
    Backfill.JOB: Case(rows.backfill, _without(Backfill, attempts=0), on(Backfill)),
    PeerList.JOB: Case(rows.peer_list, _without(PeerList, attempts=0), on(PeerList)),
    server_discovery.JOB: Case(rows.unasked, _without(Peer, asked_at=None), _of_host),
    MERGING_JOB: Case(
        rows.merging,
        lambda session, row_id: (
            session.scalar(select(Watch.id).where(Watch.project_id == row_id)) is None
        ),
        on(Project),
    ),
    conversations.JOB: Case(
        rows.unread, _without(Project, conversation_read_at=None), _of_conversation
    ),
    key_rotation.JOB: Case(rows.old_key, _has_no_key, on(Actor)),
    Comparison.JOB: Case(rows.comparison, _is_gone(Comparison), on(Comparison)),
    NEWLY_ALLOWED_JOB: Case(rows.allowed, _has(Peer, is_to_greet=False), on(Peer)),
    ActorDeletion.JOB: Case(rows.departure, _is_gone(ActorDeletion), on(ActorDeletion)),
    NotificationEvent.JOB: Case(rows.happening, _is_gone(NotificationEvent), on(NotificationEvent)),
    email_digests.JOB: Case(rows.notice, _has(Notification, waits_for=None), on(Notification)),
    WebhookMessage.JOB: Case(
        rows.webhook_message, _has(WebhookMessage, state="delivered"), on(WebhookMessage)
    ),
    passwords.JOB: Case(rows.password, _is_gone(PasswordReset), on(PasswordReset)),
    Mail.JOB: Case(rows.mail, _has(Mail, state="sent"), on(Mail)),
    LONG_WRITES: Case(rows.long_write, _is_gone(BatchedWrite), on(BatchedWrite)),
    INDEXING: Case(rows.marked, _is_indexed, on(Project)),
    searches.JOB: Case(rows.saved_search, _is_checked, on(SavedSearch)),
}


def make(one: TestNode, job: str) -> int:
    """The id of a new item that is due."""
    with one.work() as work:
        return CASES[job].make(work, next(_numbers))


def is_worked(one: TestNode, job: str, row_id: int) -> bool:
    with one.reading() as session:
        return CASES[job].is_worked(session, row_id)


def run(one: TestNode, job: str) -> None:
    """Run a job as if so much time had passed that all that was put off is due."""
    let_time_pass(one)
    one.node.jobs.wake(job)
    one.node.jobs.run_pending()


def let_time_pass(one: TestNode) -> None:
    """All that was put off is due."""
    with one.work() as work:
        work.session.execute(delete(HourlyJob))
        work.session.execute(update(NotificationSubscriber).values(mailed_at=None))
        work.session.execute(update(JobFailure).values(due_at=now()))
        for row in QueueMixin.__subclasses__():
            later = row.state == row.WAITING_STATE, row.due_at > now()
            work.session.execute(update(row).where(*later).values(due_at=now()))
            work.session.execute(update(row).values(leased_until=None))
