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

from node.federating.models import Delivery, InboxItem
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from node.updates.models import Update
from node.webhooks.models import WebhookMessage
from tests.federation.test_main_job import follow, publish
from tests.federation.test_updates import written
from tests.jobs.items import CASES, is_worked, make, run
from tests.jobs.peers import Everybody

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
        with refusing(one, 4) as refusal:
            run(one, InboxItem.JOB)
        assert refusal.was_met
    run(one, InboxItem.JOB)
    assert is_worked(one, InboxItem.JOB, item)


def test_what_was_acknowledged_is_kept_whichever_statement_is_refused(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    for number in count(1):
        address = publish(here, f"Project {number}")
        written(here.visitor("officer"), address, changed="We tried it.")
        run(here, Delivery.JOB)
        with refusing(there, number) as refusal:
            there.node.jobs.wake(InboxItem.JOB)
            there.node.jobs.work_off()
        run(there, InboxItem.JOB)
        with there.reading() as session:
            titles = session.scalars(select(Project.title)).all()
            updates = session.scalars(select(Update.id)).all()
        assert (f"Project {number}" in titles, len(updates)) == (True, number), number
        if not refusal.was_met:
            break
