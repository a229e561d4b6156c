"""A bad moment of this node's own database loses nothing, and sends nothing twice."""

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, select
from sqlalchemy.exc import OperationalError

from federation.vocabulary import Note
from node.federating.models import Delivery, InboxItem
from node.projects.models import Project
from node.queue.hourly_jobs import HourlyJob
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update
from node.webhooks.models import WebhookMessage
from tests.jobs.items import CASES, is_worked, let_time_pass, make, run
from tests.jobs.peers import Everybody
from tests.refusals.test_belief import article, followed

SENDING = {Delivery.JOB, WebhookMessage.JOB}
NEVER = sys.maxsize


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


def each_statement(databases: str) -> pytest.MarkDecorator:
    """On SQLite for each change. PostgreSQL takes twice as long: for each change, some are refused
    there (`some_are_refused`).
    """
    whole = ["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)]
    return pytest.mark.parametrize(databases, whole, indirect=True)


def some_are_refused(seed: str, refuse: Callable[[int], Refusal]) -> None:
    """The first statement, the last, which is a commit, and one between them."""
    total = refuse(NEVER).counted
    assert total > 2
    for number in (1, Random(seed).randrange(2, total), total):
        while not (refusal := refuse(number)).was_met:
            number = refusal.counted  # there may be fewer this time


@pytest.fixture(scope="module")
def everybody() -> Everybody:
    return Everybody({})


@pytest.fixture(scope="module")
def one(lasting_nodes: Nodes, everybody: Everybody) -> TestNode:
    lasting_nodes.apps = everybody
    return lasting_nodes.start("aldermoor", plugins=("checklists",), federation="open")


def nothing_is_lost(one: TestNode, everybody: Everybody, job: str, number: int) -> Refusal:
    """Refuse this statement of a job while it works on a new item, and let it try again."""
    item = make(one, job)
    with one.work() as work:  # what runs once an hour runs now
        work.session.execute(delete(HourlyJob))
    with refusing(one, number) as refusal:
        one.node.jobs.wake(job)
        one.node.jobs.run_pending()
    run(one, job)
    assert is_worked(one, job, item), f"refused statement {number}"
    if job in SENDING:
        assert sorted(everybody.posts) == sorted(set(everybody.posts)), "sent twice"
    return refusal


@pytest.mark.parametrize("job", CASES)
@each_statement("lasting_nodes")
def test_whichever_statement_of_a_job_is_refused_nothing_is_lost(
    one: TestNode, everybody: Everybody, job: str
) -> None:
    everybody.posts.clear()
    # As many as one item takes: jobs that look at everything take more with each round.
    total = nothing_is_lost(one, everybody, job, NEVER).counted
    assert total > 2
    for number in range(1, total + 1):
        if not nothing_is_lost(one, everybody, job, number).was_met:
            break


@pytest.mark.parametrize("lasting_nodes", ["postgresql"], indirect=True)
@pytest.mark.parametrize("job", CASES)
def test_some_statements_of_a_job_are_refused_and_nothing_is_lost(
    one: TestNode, everybody: Everybody, job: str
) -> None:
    everybody.posts.clear()
    some_are_refused(job, partial(nothing_is_lost, one, everybody, job))


def test_outages_do_not_use_up_the_attempts(one: TestNode) -> None:
    item = make(one, InboxItem.JOB)
    for _ in range(InboxItem.RETRY.max_attempts + 2):
        let_time_pass(one)
        with refusing(one, 4) as refusal:
            one.node.jobs.wake(InboxItem.JOB)
            one.node.jobs.run_pending()
        assert refusal.was_met
        assert not is_worked(one, InboxItem.JOB, item)
    run(one, InboxItem.JOB)
    assert is_worked(one, InboxItem.JOB, item)


def acknowledged_is_kept(node: TestNode, sender: FakeActor, number: int) -> Refusal:
    """A project and its update arrive, and this statement is refused while they are acted on."""
    project = article(sender, f"Project {number}")
    update = Note(
        id=sender.peer.new_id("updates"),
        content="<p>We tried it.</p>",
        attributed_to=sender.uri,
        project=project["id"],
    ).dump()
    for document in (project, update):
        assert sender.send(sender.build_activity("Create", document), node).status_code == 202
    with refusing(node, number) as refusal:
        node.node.jobs.wake(InboxItem.JOB)
        node.node.jobs.run_pending()
    run(node, InboxItem.JOB)
    with node.reading() as session:
        uris = {*session.scalars(select(Project.uri)), *session.scalars(select(Update.uri))}
    assert {project["id"], update["id"]} <= uris, f"refused statement {number}"
    return refusal


@each_statement("nodes")
def test_what_was_acknowledged_is_kept_whichever_statement_is_refused(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    sender = followed(node, FakePeer.join(nodes, "brackwell.test", node))
    for number in count(1):
        if not acknowledged_is_kept(node, sender, number).was_met:
            break
    assert number > 1


@pytest.mark.parametrize("nodes", ["postgresql"], indirect=True)
def test_what_was_acknowledged_is_kept_when_some_statements_are_refused(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    sender = followed(node, FakePeer.join(nodes, "brackwell.test", node))
    some_are_refused("inbox", partial(acknowledged_is_kept, node, sender))
