"""Rows that are due, one for each kind of item that jobs of a node work on. Each gives its id."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from node.access.visibility import Visibility
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import now
from node.federating.models import (
    Actor,
    ActorDeletion,
    ActorKey,
    Backfill,
    Comparison,
    Delivery,
    Follow,
    InboxItem,
    OutboxActivity,
    Peer,
    PeerList,
    RemoteTombstone,
)
from node.mail.models import Mail
from node.notification_events.models import NotificationEvent, Watch
from node.notifications.models import Notification
from node.passwords.models import PasswordReset
from node.people.models import User
from node.plugin_admin.models import PluginJob
from node.projects import relations
from node.projects.details import Freshness, RelatedProject, RelationKind
from node.projects.models import Project, ProjectState
from node.projects.reindex_queue import QUEUED_PROJECTS_KEY
from node.queue.batched_writes import BatchedWrite
from node.runtime import UnitOfWork
from node.search.models import SavedSearch
from node.webhooks.events import WebhookEvent
from node.webhooks.models import Webhook, WebhookMessage

LONG_AGO = timedelta(days=500)


def _added(work: UnitOfWork, row: Any) -> int:
    work.session.add(row)
    work.session.flush()
    return int(row.id)


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
    council = _own(work)
    uri = f"{council.actor.uri}/projects/{number}"
    project = Project(
        uri=uri,
        url=uri,
        council=council,
        title=f"Project {number}",
        phase="alpha",
        state=ProjectState.published,
        visibility=Visibility.public,
        published_at=now(),
    )
    project.freshness = Freshness.fresh
    work.session.add(project)
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


def unreachable(work: UnitOfWork, number: int) -> int:
    peer = Peer(host=_host(number), state="allowed", failures=6, last_answer="")
    peer.unreachable_since, peer.try_after, peer.asked_at = now() - LONG_AGO, now(), now()
    return _added(work, peer)


def allowed(work: UnitOfWork, number: int) -> int:
    peer = Peer(host=_host(number), state="allowed", last_answer="", asked_at=now())
    peer.is_to_greet = True
    return _added(work, peer)


def unasked(work: UnitOfWork, number: int) -> int:
    return _added(work, Peer(host=_host(number), state="allowed", last_answer=""))


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
    related = (RelatedProject(kind=kind, uri=other.uri),)
    one.details = replace(one.details, related=related)
    relations.save_relations(work, {one.uri: related})


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
        state=ProjectState.published,
        visibility=Visibility.public,
    )
    work.session.add(project)
    work.session.flush()
    project.conversation_read_at = None
    return project.id


def old_key(work: UnitOfWork, number: int) -> int:
    actor = _stranger(work, number, is_local=True)
    key = ActorKey(key_id=f"{actor.uri}#old", actor_id=actor.id, public_pem="a key")
    key.retired_at = now() - LONG_AGO
    work.session.add(key)
    return actor.id


def comparison(work: UnitOfWork, number: int) -> int:
    return _added(work, Comparison(actor_id=_stranger(work, number).id, outcome=""))


def departure(work: UnitOfWork, number: int) -> int:
    return _added(work, ActorDeletion(actor_id=_stranger(work, number).id, host=_host(number)))


def happening(work: UnitOfWork, number: int) -> int:
    return _added(
        work,
        NotificationEvent(kind="project.published", by_user_id=number, at=now(), to=[], roles=[]),
    )


def notice(work: UnitOfWork, number: int) -> int:
    happened = NotificationEvent(kind="project.published", at=now(), state="told")
    work.session.add(happened)
    work.session.flush()
    person = _person(work, number)
    row = Notification(user_id=person.id, happening_id=happened.id, topic="projects", at=now())
    row.waits_for = "once"
    return _added(work, row)


def webhook_message(work: UnitOfWork, number: int) -> int:
    url = f"https://{_host(number)}/hook"
    hook = Webhook(user_id=_person(work, number).id, url=url, events=["project.published"])
    work.session.add(hook)
    work.session.flush()
    # Of nothing that somebody could have hidden since.
    message = WebhookMessage(webhook_id=hook.id, event=WebhookEvent.test, body='{"data": {}}')
    return _added(work, message)


def password(work: UnitOfWork, number: int) -> int:
    return _added(work, PasswordReset(email=f"nobody{number}@aldermoor.example"))


def mail(work: UnitOfWork, number: int) -> int:
    return _added(work, Mail(recipient=f"p{number}@a.example", subject="A subject", text="Text."))


def marked(work: UnitOfWork, number: int) -> int:
    project = _project(work, number)
    work.session.flush()
    work.session.info.pop(QUEUED_PROJECTS_KEY)  # else it is indexed as it is published
    return project.id


def saved_search(work: UnitOfWork, number: int) -> int:
    search = SavedSearch(user_id=_person(work, number).id, name="Bins", asked="q=bins")
    search.checked_at = now() - LONG_AGO
    return _added(work, search)


def deleted(work: UnitOfWork, number: int) -> int:
    uri = f"https://{_host(number)}/gone/{number}"
    actor = _stranger(work, number)
    work.session.add(RemoteTombstone(uri=uri, actor_id=actor.id, at=now() - LONG_AGO))
    return actor.id


def plugin_job(work: UnitOfWork, _number: int) -> int:
    """A plugin was switched on a moment ago: it is brought up to date, and its job runs."""
    work.session.execute(delete(PluginJob))
    return 0


def long_write(work: UnitOfWork, number: int) -> int:
    """What waits for a server is given up, and nothing is left of it."""
    row = BatchedWrite(kind="give-up-host", subject=f"{number}.test", asked_at=now(), position=0)
    work.session.add(row)
    work.session.flush()
    return row.id
