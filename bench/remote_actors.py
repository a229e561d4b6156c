"""Actors of other servers, and what they send a node as people use it.

Every server is an address of its own on the loopback network, where `bench.followed_servers`
answers for all of them. The node knows the actors and their keys, and has allowed their servers
by name.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench.follow_burst import loopback_address
from bench.load_generator import request_bytes
from federation.addressing import PUBLIC_COLLECTION
from federation.signatures import PrivateKey, generate_rsa, public_pem, sign
from federation.vocabulary import Article, ProjectDetails
from node.access.permissions import OFFICER
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import now
from node.federating.models import Actor, ActorKey, Follow, InboxItem, Peer
from node.people import service as people
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import ProjectInput
from node.runtime import Node
from node.testing.nodes import role_email

ACTOR_COUNT, PROJECT_COUNT, FOLLOWED_COUNT = 1_000, 20, 50
INSERT_BATCH_SIZE = 10_000
# Actors share these keys, each under an id of its own: signing is not what is measured.
KEY_COUNT = 50
CONTEXT = "https://www.w3.org/ns/activitystreams"
COMMENT_TEXT = (
    "<p>We ask for the same thing twice, too. What did it cost you to change the form?</p>"
)
UNRELATED_NOTES_URL = "https://elsewhere.test/notes"

# What comes, of twenty messages. More than half of them are about something that the node shows.
COMMENT, LIKE, UPDATE, FOLLOW = "comment", "like", "update", "follow"
UNRELATED_NOTE, UNRELATED_LIKE, UNRELATED_SHARE = (
    "unrelated note",
    "unrelated like",
    "unrelated share",
)
MESSAGE_MIX = (
    COMMENT, UNRELATED_NOTE, LIKE, COMMENT, UNRELATED_NOTE, UPDATE, COMMENT, UNRELATED_LIKE, LIKE,
    UNRELATED_NOTE, COMMENT, UNRELATED_SHARE, UPDATE, UNRELATED_NOTE, COMMENT, LIKE, UNRELATED_LIKE,
    FOLLOW, UNRELATED_NOTE, COMMENT,
)  # fmt: skip
SHOWN_KINDS = frozenset({COMMENT, LIKE, UPDATE, FOLLOW})


@dataclass(frozen=True)
class InboxTarget:
    """To whom messages are sent: a host name, the id of an actor there, and where it takes them."""

    host: str
    actor: str
    inbox: str


NODE_TARGET = InboxTarget("aldermoor.test", "https://aldermoor.test/councils/aldermoor", "/inbox")


@dataclass(frozen=True)
class RemoteActor:
    """An actor of another server."""

    host: str
    uri: str
    key: PrivateKey


def create_actors(servers: int, port: int, pems: Sequence[str]) -> list[RemoteActor]:
    """`ACTOR_COUNT` actors, spread over so many servers, who share these private keys."""
    found = []
    for number, pem in zip(range(ACTOR_COUNT), cycle(pems), strict=False):
        host = f"{loopback_address(number % servers)}:{port}"
        uri = f"http://{host}/actors/{number}"
        found.append(RemoteActor(host, uri, PrivateKey(f"{uri}#main-key", pem)))
    return found


def generate_keys(number: int = KEY_COUNT) -> list[str]:
    """So many private keys: RSA, as every server has."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_generate_key, range(number), chunksize=5))


def _generate_key(_number: int) -> str:
    return generate_rsa()


def store_actors(node: Node, correspondents: Sequence[RemoteActor], stored: int = 0) -> list[str]:
    """Have `node` know them, follow the first `FOLLOWED_COUNT`, and have projects of its own, which
    its officer owns, and `stored` messages, of which as many are comments as in `MESSAGE_MIX`.
    Returns the ids of the projects.
    """
    with node.reading() as session:
        officer = people.require_by_email(session, role_email(OFFICER, "aldermoor"))
        by = officer.to_principal()
    with node.work(by=by) as work:
        session, council = work.session, councils.require_own(work.session)
        hosts = {one.host for one in correspondents}
        session.execute(insert(Peer), [{"host": host, "state": "allowed"} for host in hosts])
        rows = [_actor_row(one, number) for number, one in enumerate(correspondents)]
        session.execute(insert(Actor), rows)
        ids = dict(session.execute(select(Actor.uri, Actor.id)).all())
        session.execute(insert(ActorKey), [_key_row(one, ids[one.uri]) for one in correspondents])
        for one in correspondents[:FOLLOWED_COUNT]:
            follow = Follow(uri=f"{NODE_TARGET.actor}/follows/{ids[one.uri]}", state="accepted")
            follow.follower_id, follow.followed_id = council.actor_id, ids[one.uri]
            session.add_all([follow, Council(actor_id=ids[one.uri], name=f"Council at {one.host}")])
        own = [_publish_project(work, council, number) for number in range(PROJECT_COUNT)]
        _store_messages(session, sorted(ids.values()), own, stored)
        return own


def _store_messages(
    session: Session, actor_ids: Sequence[int], projects: Sequence[str], stored: int
) -> None:
    """Messages that came two days ago and were acted on."""
    at = now() - timedelta(days=2)
    rows = dict(session.execute(select(Project.uri, Project.id)).all())
    for start in range(0, stored, INSERT_BATCH_SIZE):
        numbers = range(start, min(start + INSERT_BATCH_SIZE, stored))
        messages = [_message_row(number, at) for number in numbers]
        session.execute(insert(InboxItem), messages)
        comments = [
            _comment_row(
                number, actor_ids[number % len(actor_ids)], projects[number % PROJECT_COUNT], at
            )
            for number in numbers
            if MESSAGE_MIX[number % len(MESSAGE_MIX)] == COMMENT
        ]
        for comment in comments:
            comment["project_id"] = rows[comment["in_reply_to"]]
        session.execute(insert(Comment), comments)


def _message_row(number: int, at: datetime) -> dict[str, Any]:
    uri = f"https://before.test/activities/{number}"
    return {
        "uri": uri,
        "actor_uri": "https://before.test/actors/1",
        "host": "before.test",
        "type": "Create",
        "object_uri": f"https://before.test/notes/{number}",
        "needs_fetch": False,
        "body": {"content": COMMENT_TEXT},
        "state": "done",
        "received_at": at,
        "due_at": at,
        "finished_at": at,
    }


def _comment_row(number: int, author_id: int, project: str, at: datetime) -> dict[str, Any]:
    uri = f"https://before.test/notes/{number}"
    return {
        "uri": uri,
        "url": uri,
        "author_id": author_id,
        "in_reply_to": project,
        "content": COMMENT_TEXT,
        "state": CommentState.shown,
        "published_at": at,
        "changed_at": at,
        "received_at": at,
    }


def _publish_project(work: Any, council: Council, number: int) -> str:
    text = ProjectInput(
        f"A missed bin, number {number}", "One form for all.", "alpha", "Why.", "public"
    )
    project = projects.create(work, council, text)
    projects.publish(work, project)
    return project.uri


def _actor_row(one: RemoteActor, number: int) -> dict[str, Any]:
    name = one.uri.rpartition("/")[2]
    kind = "Organization" if number < FOLLOWED_COUNT else "Person"
    return {
        "uri": one.uri,
        "kind": kind,
        "host": one.host,
        "username": name,
        "name": f"Council {name}",
        "url": one.uri,
        "inbox": f"{one.uri}/inbox",
        "shared_inbox": f"http://{one.host}/inbox",
    }


def _key_row(one: RemoteActor, actor_id: int) -> dict[str, Any]:
    return {"actor_id": actor_id, "key_id": one.key.key_id, "public_pem": public_pem(one.key.pem)}


class MessageSource:
    """What they send, each message new: `MESSAGE_MIX` again and again, by one actor after another,
    about some projects of `to`.
    """

    def __init__(
        self, correspondents: Sequence[RemoteActor], projects: Sequence[str], to: InboxTarget
    ) -> None:
        self._to = to
        self._authors = cycle(correspondents)
        self._followed = cycle(correspondents[:FOLLOWED_COUNT])
        self._followers = cycle(correspondents[FOLLOWED_COUNT:])
        self._projects = cycle(projects)
        self._kinds = cycle(MESSAGE_MIX)
        self._number = 0

    def next_requests(self, number: int) -> tuple[list[bytes], int]:
        """The next requests, signed now; and how many of them are about what the node shows."""
        kinds = list(islice(self._kinds, number))
        return [self._build_request(kind) for kind in kinds], sum(
            kind in SHOWN_KINDS for kind in kinds
        )

    def _build_request(self, kind: str) -> bytes:
        self._number += 1
        senders = {UPDATE: self._followed, FOLLOW: self._followers}
        sender = next(senders.get(kind, self._authors))
        document = {"@context": CONTEXT, "actor": sender.uri, **self._build_activity(kind, sender)}
        document["id"] = f"http://{sender.host}/activities/{self._number}"
        body = json.dumps(document).encode()
        url = f"https://{self._to.host}{self._to.inbox}"
        headers = sign("POST", url, {}, body, sender.key, now())
        headers = {"Host": self._to.host, "Content-Type": "application/activity+json", **headers}
        return request_bytes("POST", self._to.inbox, headers, body)

    def _build_activity(self, kind: str, sender: RemoteActor) -> dict[str, Any]:
        unrelated = f"{UNRELATED_NOTES_URL}/{self._number % 5_000}"
        match kind:
            case "comment":
                return self._build_note(sender, next(self._projects))
            case "unrelated note":
                return self._build_note(sender, unrelated)
            case "update":
                return {
                    "type": "Update",
                    "to": [PUBLIC_COLLECTION],
                    "object": self._build_project(sender),
                }
            case "follow":
                return {"type": "Follow", "object": self._to.actor}
            case "unrelated share":
                return {"type": "Announce", "to": [PUBLIC_COLLECTION], "object": unrelated}
        return {"type": "Like", "object": next(self._projects) if kind == LIKE else unrelated}

    def _build_note(self, sender: RemoteActor, about: str) -> dict[str, Any]:
        note = {
            "id": f"http://{sender.host}/notes/{self._number}",
            "type": "Note",
            "attributedTo": sender.uri,
            "inReplyTo": about,
            "content": COMMENT_TEXT,
            "published": now().isoformat(),
            "to": [PUBLIC_COLLECTION],
        }
        return {"type": "Create", "to": [PUBLIC_COLLECTION], "object": note}

    def _build_project(self, sender: RemoteActor) -> dict[str, Any]:
        details = ProjectDetails(
            summary="One form for all.", phase="beta", revision=f"r{self._number}"
        )
        return Article(
            id=f"http://{sender.host}/projects/{sender.uri.rpartition('/')[2]}",
            name="A missed bin, elsewhere",
            content=COMMENT_TEXT,
            attributed_to=sender.uri,
            to=(PUBLIC_COLLECTION,),
            updated=now(),
            project=details,
        ).dump(context=False)
