"""Actors of other servers, and what they send a node as people use it.

Every server is an address of its own on the loopback network, where `bench.followed` answers for
all of them. The node knows the actors and their keys, and has allowed their servers by name.
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

from bench.followers import address
from bench.load import request_bytes
from federation.addressing import PUBLIC
from federation.signatures import PrivateKey, generate_rsa, public_pem, sign
from federation.vocabulary import Article, ProjectDetails
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.councils.models import Council
from node.db import now
from node.federating.models import Actor, ActorKey, Follow, InboxItem, Peer
from node.people.permissions import OFFICER
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import ProjectInput
from node.runtime import Node
from node.testing.nodes import role_email

ACTORS, PROJECTS, FOLLOWED = 1_000, 20, 50
PORTION = 10_000
# Actors share these keys, each under an id of its own: signing is not what is measured.
KEYS = 50
CONTEXT = "https://www.w3.org/ns/activitystreams"
TEXT = "<p>We ask for the same thing twice, too. What did it cost you to change the form?</p>"
ELSEWHERE = "https://elsewhere.test/notes"

# What comes, of twenty messages. More than half of them are about something that the node shows.
COMMENT, LIKE, UPDATE, FOLLOW = "comment", "like", "update", "follow"
UNRELATED_NOTE, UNRELATED_LIKE, UNRELATED_SHARE = (
    "unrelated note",
    "unrelated like",
    "unrelated share",
)
MIX = (
    COMMENT, UNRELATED_NOTE, LIKE, COMMENT, UNRELATED_NOTE, UPDATE, COMMENT, UNRELATED_LIKE, LIKE,
    UNRELATED_NOTE, COMMENT, UNRELATED_SHARE, UPDATE, UNRELATED_NOTE, COMMENT, LIKE, UNRELATED_LIKE,
    FOLLOW, UNRELATED_NOTE, COMMENT,
)  # fmt: skip
VISIBLE = frozenset({COMMENT, LIKE, UPDATE, FOLLOW})


@dataclass(frozen=True)
class Target:
    """To whom messages are sent: a host name, the id of an actor there, and where it takes them."""

    host: str
    actor: str
    inbox: str


NODE = Target("aldermoor.test", "https://aldermoor.test/councils/aldermoor", "/inbox")


@dataclass(frozen=True)
class Correspondent:
    """An actor of another server."""

    host: str
    uri: str
    key: PrivateKey


def invent(servers: int, port: int, pems: Sequence[str]) -> list[Correspondent]:
    """`ACTORS` actors, spread over so many servers, who share these private keys."""
    found = []
    for number, pem in zip(range(ACTORS), cycle(pems), strict=False):
        host = f"{address(number % servers)}:{port}"
        uri = f"http://{host}/actors/{number}"
        found.append(Correspondent(host, uri, PrivateKey(f"{uri}#main-key", pem)))
    return found


def new_keys(number: int = KEYS) -> list[str]:
    """So many private keys: RSA, as every server has."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_new_key, range(number), chunksize=5))


def _new_key(_number: int) -> str:
    return generate_rsa()


def introduce(node: Node, correspondents: Sequence[Correspondent], stored: int = 0) -> list[str]:
    """Have `node` know them, follow the first `FOLLOWED`, and have projects of its own, which its
    officer owns, and `stored` messages, of which as many are comments as in `MIX`. Returns the ids
    of the projects.
    """
    with node.work(by=role_email(OFFICER, "aldermoor")) as work:
        session, council = work.session, councils.require_own(work.session)
        hosts = {one.host for one in correspondents}
        session.execute(insert(Peer), [{"host": host, "state": "allowed"} for host in hosts])
        rows = [_row(one, number) for number, one in enumerate(correspondents)]
        session.execute(insert(Actor), rows)
        ids = dict(session.execute(select(Actor.uri, Actor.id)).all())
        session.execute(insert(ActorKey), [_key_row(one, ids[one.uri]) for one in correspondents])
        for one in correspondents[:FOLLOWED]:
            follow = Follow(uri=f"{NODE.actor}/follows/{ids[one.uri]}", state="accepted")
            follow.follower_id, follow.followed_id = council.actor_id, ids[one.uri]
            session.add_all([follow, Council(actor_id=ids[one.uri], name=f"Council at {one.host}")])
        own = [_publish(work, council, number) for number in range(PROJECTS)]
        _store(session, sorted(ids.values()), own, stored)
        return own


def _store(
    session: Session, actor_ids: Sequence[int], projects: Sequence[str], stored: int
) -> None:
    """Messages that came two days ago and were acted on."""
    at = now() - timedelta(days=2)
    rows = dict(session.execute(select(Project.uri, Project.id)).all())
    for start in range(0, stored, PORTION):
        numbers = range(start, min(start + PORTION, stored))
        messages = [_message(number, at) for number in numbers]
        session.execute(insert(InboxItem), messages)
        comments = [
            _comment(number, actor_ids[number % len(actor_ids)], projects[number % PROJECTS], at)
            for number in numbers
            if MIX[number % len(MIX)] == COMMENT
        ]
        for comment in comments:
            comment["project_id"] = rows[comment["in_reply_to"]]
        session.execute(insert(Comment), comments)


def _message(number: int, at: datetime) -> dict[str, Any]:
    uri = f"https://before.test/activities/{number}"
    return {
        "uri": uri,
        "actor_uri": "https://before.test/actors/1",
        "host": "before.test",
        "type": "Create",
        "object_uri": f"https://before.test/notes/{number}",
        "needs_fetch": False,
        "body": {"content": TEXT},
        "state": "done",
        "received_at": at,
        "due_at": at,
        "finished_at": at,
    }


def _comment(number: int, author_id: int, project: str, at: datetime) -> dict[str, Any]:
    uri = f"https://before.test/notes/{number}"
    return {
        "uri": uri,
        "url": uri,
        "author_id": author_id,
        "in_reply_to": project,
        "content": TEXT,
        "state": CommentState.shown,
        "published_at": at,
        "changed_at": at,
        "received_at": at,
    }


def _publish(work: Any, council: Council, number: int) -> str:
    text = ProjectInput(
        f"A missed bin, number {number}", "One form for all.", "alpha", "Why.", "public"
    )
    project = projects.create(work, council, text)
    projects.publish(work, project)
    return project.uri


def _row(one: Correspondent, number: int) -> dict[str, Any]:
    name = one.uri.rpartition("/")[2]
    kind = "Organization" if number < FOLLOWED else "Person"
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


def _key_row(one: Correspondent, actor_id: int) -> dict[str, Any]:
    return {"actor_id": actor_id, "key_id": one.key.key_id, "public_pem": public_pem(one.key.pem)}


class Post:
    """What they send, each message new: `MIX` again and again, by one actor after another, about
    some projects of `to`.
    """

    def __init__(
        self, correspondents: Sequence[Correspondent], projects: Sequence[str], to: Target
    ) -> None:
        self._to = to
        self._authors = cycle(correspondents)
        self._followed = cycle(correspondents[:FOLLOWED])
        self._followers = cycle(correspondents[FOLLOWED:])
        self._projects = cycle(projects)
        self._kinds = cycle(MIX)
        self._number = 0

    def take(self, number: int) -> tuple[list[bytes], int]:
        """The next requests, signed now; and how many of them are about what the node shows."""
        kinds = list(islice(self._kinds, number))
        return [self._request(kind) for kind in kinds], sum(kind in VISIBLE for kind in kinds)

    def _request(self, kind: str) -> bytes:
        self._number += 1
        senders = {UPDATE: self._followed, FOLLOW: self._followers}
        sender = next(senders.get(kind, self._authors))
        document = {"@context": CONTEXT, "actor": sender.uri, **self._activity(kind, sender)}
        document["id"] = f"http://{sender.host}/activities/{self._number}"
        body = json.dumps(document).encode()
        url = f"https://{self._to.host}{self._to.inbox}"
        headers = sign("POST", url, {}, body, sender.key, now())
        headers = {"Host": self._to.host, "Content-Type": "application/activity+json", **headers}
        return request_bytes("POST", self._to.inbox, headers, body)

    def _activity(self, kind: str, sender: Correspondent) -> dict[str, Any]:
        unrelated = f"{ELSEWHERE}/{self._number % 5_000}"
        match kind:
            case "comment":
                return self._note(sender, next(self._projects))
            case "unrelated note":
                return self._note(sender, unrelated)
            case "update":
                return {"type": "Update", "to": [PUBLIC], "object": self._project(sender)}
            case "follow":
                return {"type": "Follow", "object": self._to.actor}
            case "unrelated share":
                return {"type": "Announce", "to": [PUBLIC], "object": unrelated}
        return {"type": "Like", "object": next(self._projects) if kind == LIKE else unrelated}

    def _note(self, sender: Correspondent, about: str) -> dict[str, Any]:
        note = {
            "id": f"http://{sender.host}/notes/{self._number}",
            "type": "Note",
            "attributedTo": sender.uri,
            "inReplyTo": about,
            "content": TEXT,
            "published": now().isoformat(),
            "to": [PUBLIC],
        }
        return {"type": "Create", "to": [PUBLIC], "object": note}

    def _project(self, sender: Correspondent) -> dict[str, Any]:
        details = ProjectDetails(
            summary="One form for all.", phase="beta", revision=f"r{self._number}"
        )
        return Article(
            id=f"http://{sender.host}/projects/{sender.uri.rpartition('/')[2]}",
            name="A missed bin, elsewhere",
            content=TEXT,
            attributed_to=sender.uri,
            to=(PUBLIC,),
            updated=now(),
            project=details,
        ).dump(context=False)
