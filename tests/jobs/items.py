"""Two items for each job of a node: made as rows, poisoned, and looked at afterwards.

A poisoned row raises when it is read, as one does that somebody else's bug or a restored backup has
left unreadable.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from node.conversations import reading as conversations
from node.councils import service as councils
from node.councils.models import Council
from node.db import now
from node.extending import jobs as plugins
from node.extending.models import PluginJob
from node.extending.switches import CATCHING_UP
from node.federating import discovery, handling, health, housekeeping
from node.federating.models import (
    Actor,
    ActorKey,
    Backfill,
    Comparison,
    Deleted,
    Delivery,
    Follow,
    InboxItem,
    OutboxActivity,
    Peer,
    PeerList,
    Queued,
)
from node.freshness import service as freshness
from node.hourly import HourlyJob
from node.isolation import JobFailure
from node.mail.models import Mail
from node.news.models import Happening, Watch
from node.notices import digests
from node.notices import housekeeping as notices_housekeeping
from node.notices.models import Notice
from node.operating import rotating
from node.passwords import service as passwords
from node.passwords.models import PasswordReset
from node.people.models import User
from node.projects import relating
from node.projects import service as projects
from node.projects.details import Freshness, Related, RelationKind
from node.projects.marks import JOB as INDEXING
from node.projects.marks import MARKED
from node.projects.models import Mark, Project, State, Visibility
from node.projects.relating import MERGING_JOB
from node.projects.writing import Text
from node.runtime import UnitOfWork
from node.search import news as searches
from node.search.models import SavedSearch
from node.testing.nodes import TestNode
from node.webhooks.models import Webhook, WebhookMessage

LONG_AGO = timedelta(days=500)
_numbers = count(1)


class PoisonError(Exception):
    """What reading a poisoned item raises."""


@contextmanager
def unreadable(model: type[Any], row_id: int) -> Iterator[None]:
    """Whoever reads this row fails."""

    def fail(row: Any, _context: Any, *_more: Any) -> None:
        if row.id == row_id:
            raise PoisonError(f"{model.__name__} {row_id}")

    event.listen(model, "load", fail)
    try:
        yield
    finally:
        event.remove(model, "load", fail)


@contextmanager
def refusing(one: TestNode, start: str, *values: object) -> Iterator[None]:
    """Whoever has a statement executed that begins so, with all these values, fails."""

    def fail(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        words = given.values() if isinstance(given, dict) else given
        if statement.startswith(start) and all(value in words for value in values):
            raise PoisonError(start)

    event.listen(one.node.engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(one.node.engine, "before_cursor_execute", fail)


Poison = Callable[[TestNode, int], Any]


def on(model: type[Any]) -> Poison:
    return lambda _one, row_id: unreadable(model, row_id)


@dataclass
class Case:
    """A job's items. `make` gives the id of a new one that is due, `is_worked` says whether it was
    worked on, and under `poison` it cannot be.
    """

    make: Callable[[UnitOfWork, int], int]
    is_worked: Callable[[Session, int], bool]
    poison: Poison


def _added(work: UnitOfWork, row: Any) -> int:
    work.session.add(row)
    work.session.flush()
    return int(row.id)


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


def _own(work: UnitOfWork) -> Council:
    return councils.require_own(work.session)


def _host(number: int) -> str:
    return f"peer{number}.test"


def _stranger(work: UnitOfWork, number: int, **more: Any) -> Actor:
    """The actor of a council elsewhere."""
    uri = f"https://{_host(number)}/councils/{number}"
    actor = Actor(
        uri=uri,
        kind="Organization",
        host=_host(number),
        inbox=f"{uri}/inbox",
        username=str(number),
        name=f"Council {number}",
        **more,
    )
    work.session.add(actor)
    work.session.flush()
    return actor


def _followed(work: UnitOfWork, number: int, **more: Any) -> Actor:
    actor = _stranger(work, number, **more)
    mine = _own(work).actor
    follow = {"uri": f"{mine.uri}/follows/{number}", "follower": mine, "followed": actor}
    work.session.add(Follow(state="accepted", **follow))
    work.session.flush()
    return actor


def _project(work: UnitOfWork, number: int) -> Project:
    text = Text(title=f"Project {number}", summary="It is.", phase="alpha", brief="It is.")
    project = projects.create(work, _own(work), text)
    projects.publish(work, project)
    work.session.flush()
    return project


def _person(work: UnitOfWork, number: int) -> User:
    """The operator and the officer of the node, by turns."""
    people = work.session.scalars(select(User).order_by(User.id)).all()
    return people[number % len(people)]


def delivery(work: UnitOfWork, number: int) -> int:
    mine = _own(work).actor
    about = f"{mine.uri}/things/{number}"
    activity = OutboxActivity(
        uri=f"{about}/like", actor_id=mine.id, type="Like", object_uri=about, body="{}"
    )
    activity.audience = "public"
    work.session.add(activity)
    work.session.flush()
    peer = {"inbox": f"https://{_host(number)}/inbox", "host": _host(number)}
    return _added(
        work, Delivery(activity_id=activity.id, object_uri=about, trying_since=now(), **peer)
    )


@contextmanager
def _of_delivery(one: TestNode, delivery_id: int) -> Iterator[None]:
    with one.reading() as session:
        mine = select(Delivery.activity_id).where(Delivery.id == delivery_id)
        activity_id = session.scalars(mine).one()
    with unreadable(OutboxActivity, activity_id):
        yield


def unreachable(work: UnitOfWork, number: int) -> int:
    peer = Peer(host=_host(number), state="allowed", failures=6, last_answer="")
    peer.unreachable_since, peer.try_after, peer.asked_at = now() - LONG_AGO, now(), now()
    return _added(work, peer)


def unasked(work: UnitOfWork, number: int) -> int:
    return _added(work, Peer(host=_host(number), state="allowed", last_answer=""))


@contextmanager
def _of_host(one: TestNode, peer_id: int) -> Iterator[None]:
    with one.reading() as session:
        host = session.scalars(select(Peer.host).where(Peer.id == peer_id)).one()
    with refusing(one, "UPDATE peer", host):
        yield


def received(work: UnitOfWork, number: int, *, needs_fetch: bool = False) -> int:
    uri = f"https://{_host(number)}/likes/{number}"
    body = {"id": uri, "type": "Like", "actor": f"https://{_host(number)}/a", "object": f"{uri}/o"}
    item = InboxItem(
        uri=uri, host=_host(number), actor_uri=body["actor"], type="Like", body=body, outcome=""
    )
    item.needs_fetch = needs_fetch
    return _added(work, item)


def overdue(work: UnitOfWork, number: int) -> int:
    project = _project(work, number)
    project.review_on = (now() - timedelta(days=3)).date()
    return project.id


def backfill(work: UnitOfWork, number: int) -> int:
    actor = _stranger(work, number, projects=f"https://{_host(number)}/projects")
    return _added(work, Backfill(actor_id=actor.id, next_page=actor.projects, outcome=""))


def peer_list(work: UnitOfWork, number: int) -> int:
    return _added(work, PeerList(url=f"https://{_host(number)}/peers.csv", outcome="", body=""))


def merging(work: UnitOfWork, number: int) -> int:
    first, second = _project(work, number), _project(work, -number)
    _relate(work, first, second, RelationKind.merged_into)
    _relate(work, second, first, RelationKind.supersedes)
    person = _person(work, number)
    work.session.add(Watch(user_id=person.id, project_id=first.id, since=now()))
    return first.id


def _relate(work: UnitOfWork, one: Project, other: Project, kind: RelationKind) -> None:
    related = (Related(kind=kind, uri=other.uri, title=other.title),)
    one.details = replace(one.details, related=related)
    relating.note(work, {one.uri: related})


def unread(work: UnitOfWork, number: int) -> int:
    actor = _followed(work, number, projects=f"https://{_host(number)}/projects")
    council = Council(actor=actor, name=actor.name)
    uri = f"https://{_host(number)}/projects/{number}"
    project = Project(
        uri=uri,
        url=uri,
        council=council,
        title="Theirs",
        phase="alpha",
        state=State.published,
        visibility=Visibility.public,
    )
    work.session.add(project)
    work.session.flush()
    project.conversation_read_at = None
    return project.id


def _of_conversation(one: TestNode, project_id: int) -> Any:
    return refusing(one, "UPDATE project SET conversation_read_at", project_id)


def old_key(work: UnitOfWork, number: int) -> int:
    actor = _stranger(work, number, is_local=True)
    key = ActorKey(key_id=f"{actor.uri}#old", actor_id=actor.id, public_pem="a key")
    key.retired_at = now() - LONG_AGO
    work.session.add(key)
    return actor.id


def _has_no_key(session: Session, actor_id: int) -> bool:
    return session.scalar(select(ActorKey.id).where(ActorKey.actor_id == actor_id)) is None


def comparison(work: UnitOfWork, number: int) -> int:
    return _added(work, Comparison(actor_id=_stranger(work, number).id, outcome=""))


def happening(work: UnitOfWork, number: int) -> int:
    return _added(
        work, Happening(kind="project.published", by=f"person {number}", at=now(), to=[], roles=[])
    )


def notice(work: UnitOfWork, number: int) -> int:
    happened = Happening(kind="project.published", by="test", at=now(), state="told")
    work.session.add(happened)
    work.session.flush()
    person = _person(work, number)
    row = Notice(user_id=person.id, happening_id=happened.id, topic="projects", at=now())
    row.waits_for = "once"
    return _added(work, row)


def webhook_message(work: UnitOfWork, number: int) -> int:
    url = f"https://{_host(number)}/hook"
    hook = Webhook(user_id=_person(work, number).id, url=url, events=["project.published"])
    work.session.add(hook)
    work.session.flush()
    return _added(work, WebhookMessage(webhook_id=hook.id, event="project.published", body="{}"))


def password(work: UnitOfWork, number: int) -> int:
    return _added(work, PasswordReset(email=f"nobody{number}@aldermoor.example"))


def mail(work: UnitOfWork, number: int) -> int:
    return _added(work, Mail(recipient=f"p{number}@a.example", subject="A subject", text="Text."))


def marked(work: UnitOfWork, number: int) -> int:
    project = _project(work, number)
    work.session.flush()
    work.session.info.pop(MARKED)  # else it is indexed as it is published
    return project.id


def _is_indexed(session: Session, project_id: int) -> bool:
    return session.scalar(select(Mark.id).where(Mark.project_id == project_id)) is None


def saved_search(work: UnitOfWork, number: int) -> int:
    search = SavedSearch(user_id=_person(work, number).id, name="Bins", asked="q=bins")
    search.checked_at = now() - LONG_AGO
    return _added(work, search)


def _is_checked(session: Session, search_id: int) -> bool:
    at = session.scalars(select(SavedSearch.checked_at).where(SavedSearch.id == search_id)).one()
    return at > now() - timedelta(days=1)


def deleted(work: UnitOfWork, number: int) -> int:
    uri = f"https://{_host(number)}/gone/{number}"
    actor = _stranger(work, number)
    work.session.add(Deleted(uri=uri, actor_id=actor.id, at=now() - LONG_AGO))
    return actor.id


def _is_forgotten(session: Session, actor_id: int) -> bool:
    return session.scalar(select(Deleted.uri).where(Deleted.actor_id == actor_id)) is None


def old_notice(work: UnitOfWork, number: int) -> int:
    row_id = notice(work, number)
    row = work.session.get_one(Notice, row_id)
    row.at, row.waits_for = now() - LONG_AGO, None
    return row_id


# Of these, another kind of rows cannot be deleted.
def _messages_stay(one: TestNode, _row_id: int) -> Any:
    return refusing(one, "SELECT inbox_item.id")


def _emails_stay(one: TestNode, _row_id: int) -> Any:
    return refusing(one, "SELECT mail.id")


def plugin_job(work: UnitOfWork, _number: int) -> int:
    """A plugin was switched on a moment ago: it is brought up to date, and its job runs."""
    work.session.execute(delete(PluginJob))
    return 0


def _has_run(session: Session, _id: int) -> bool:
    return session.scalar(select(PluginJob.ran_at).where(PluginJob.name == "remind")) is not None


def _of_plugin(one: TestNode, _id: int) -> Any:
    return refusing(one, "INSERT INTO plugin_job", CATCHING_UP)


CASES: dict[str, Case] = {
    Delivery.JOB: Case(delivery, _without(Delivery, state="pending", attempts=0), _of_delivery),
    health.JOB: Case(unreachable, _has(Peer, failures=0), on(Peer)),
    InboxItem.JOB: Case(received, _has(InboxItem, state="ignored"), on(InboxItem)),
    handling.FETCHING_JOB: Case(
        lambda work, number: received(work, number, needs_fetch=True),
        _without(InboxItem, state="new"),
        on(InboxItem),
    ),
    housekeeping.JOB: Case(deleted, _is_forgotten, _messages_stay),
    freshness.JOB: Case(overdue, _has(Project, freshness=Freshness.due), on(Project)),
    Backfill.JOB: Case(backfill, _without(Backfill, attempts=0), on(Backfill)),
    PeerList.JOB: Case(peer_list, _without(PeerList, attempts=0), on(PeerList)),
    discovery.JOB: Case(unasked, _without(Peer, asked_at=None), _of_host),
    MERGING_JOB: Case(
        merging,
        lambda session, row_id: (
            session.scalar(select(Watch.id).where(Watch.project_id == row_id)) is None
        ),
        on(Project),
    ),
    conversations.JOB: Case(unread, _without(Project, conversation_read_at=None), _of_conversation),
    rotating.JOB: Case(old_key, _has_no_key, on(Actor)),
    Comparison.JOB: Case(comparison, _is_gone(Comparison), on(Comparison)),
    Happening.JOB: Case(happening, _is_gone(Happening), on(Happening)),
    digests.JOB: Case(notice, _has(Notice, waits_for=None), on(Notice)),
    WebhookMessage.JOB: Case(
        webhook_message, _has(WebhookMessage, state="delivered"), on(WebhookMessage)
    ),
    passwords.JOB: Case(password, _is_gone(PasswordReset), on(PasswordReset)),
    Mail.JOB: Case(mail, _has(Mail, state="sent"), on(Mail)),
    notices_housekeeping.JOB: Case(old_notice, _is_gone(Notice), _emails_stay),
    plugins.JOB: Case(plugin_job, _has_run, _of_plugin),
    INDEXING: Case(marked, _is_indexed, on(Project)),
    searches.JOB: Case(saved_search, _is_checked, on(SavedSearch)),
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
    with one.work() as work:
        work.session.execute(delete(HourlyJob))
        work.session.execute(update(JobFailure).values(due_at=now()))
        for row in Queued.__subclasses__():
            later = row.state == row.WAITING, row.due_at > now()
            work.session.execute(update(row).where(*later).values(due_at=now()))
            work.session.execute(update(row).values(leased_until=None))
    one.node.jobs.wake(job)
    one.node.jobs.work_off()
