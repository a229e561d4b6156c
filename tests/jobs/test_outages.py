"""A bad moment of this node's own database loses nothing, and sends nothing twice."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from federation.vocabulary import Note
from node.federating.models import Delivery, InboxItem
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer
from node.updates.models import Update
from node.webhooks.models import WebhookMessage
from tests.jobs.items import CASES, is_worked, let_time_pass, make, run
from tests.jobs.peers import Everybody
from tests.refusals.test_belief import article, followed

SENDING = {Delivery.JOB, WebhookMessage.JOB}


@dataclass
class Refusal:
    """The database refuses one statement or commit, the one with this number."""

    number: int
    counted: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def was_met(self) -> bool:
        return self.counted >= self.number

    def statement(self, *_about: Any) -> None:
        if self._is_next():
            raise OperationalError("a statement", None, sqlite3.OperationalError("disk is full"))

    def commit(self, connection: Connection) -> None:
        if self._is_next():
            connection.connection.rollback()
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk is full"))

    def _is_next(self) -> bool:
        with self.lock:
            self.counted += 1
            return self.counted == self.number


@contextmanager
def refusing(one: TestNode, number: int) -> Iterator[Refusal]:
    """The database of a node refuses one statement."""
    refusal, engine = Refusal(number), one.node.engine
    listeners = {"before_cursor_execute": refusal.statement, "commit": refusal.commit}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield refusal
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


@pytest.fixture(scope="module")
def everybody() -> Everybody:
    return Everybody({})


@pytest.fixture(scope="module")
def one(lasting_nodes: Nodes, everybody: Everybody) -> TestNode:
    lasting_nodes.apps = everybody
    return lasting_nodes.start("aldermoor", plugins=("checklists",), federation="open")


@pytest.mark.parametrize("job", CASES)
def test_whichever_statement_of_a_job_is_refused_nothing_is_lost(
    one: TestNode, everybody: Everybody, job: str
) -> None:
    everybody.posts.clear()
    for number in count(1):
        item = make(one, job)
        with refusing(one, number) as refusal:
            one.node.jobs.wake(job)
            one.node.jobs.work_off()
        run(one, job)
        assert is_worked(one, job, item), f"refused statement {number}"
        if not refusal.was_met:
            break
    assert number > 1
    if job in SENDING:
        assert sorted(everybody.posts) == sorted(set(everybody.posts)), "sent twice"


def test_outages_do_not_use_up_the_attempts(one: TestNode) -> None:
    item = make(one, InboxItem.JOB)
    for _ in range(InboxItem.MAX_ATTEMPTS + 2):
        let_time_pass(one)
        with refusing(one, 4) as refusal:
            one.node.jobs.wake(InboxItem.JOB)
            one.node.jobs.work_off()
        assert refusal.was_met
        assert not is_worked(one, InboxItem.JOB, item)
    run(one, InboxItem.JOB)
    assert is_worked(one, InboxItem.JOB, item)


def test_what_was_acknowledged_is_kept_whichever_statement_is_refused(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    sender = followed(node, Peer.join(nodes, "brackwell.test", node))
    for number in count(1):
        project = article(sender, f"Project {number}")
        update = Note(
            id=sender.peer.new_id("updates"),
            content="<p>We tried it.</p>",
            attributed_to=sender.uri,
            project=project["id"],
        ).dump()
        for document in (project, update):
            assert sender.send(sender.says("Create", document), node).status_code == 202
        with refusing(node, number) as refusal:
            node.node.jobs.wake(InboxItem.JOB)
            node.node.jobs.work_off()
        run(node, InboxItem.JOB)
        with node.reading() as session:
            uris = {*session.scalars(select(Project.uri)), *session.scalars(select(Update.uri))}
        assert {project["id"], update["id"]} <= uris, f"refused statement {number}"
        if not refusal.was_met:
            break
