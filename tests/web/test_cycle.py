"""The life of a request: whoever only asks holds nobody up, and two who meet are told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import insert, select

from node.errors import ForbiddenError
from node.federating.models import Peer
from node.messages import msg
from node.request import PUBLIC, current_work, permission
from node.testing.nodes import Nodes, TestNode


@contextmanager
def somebody_writes(node: TestNode) -> Iterator[None]:
    """Meanwhile nobody else can write to the SQLite file."""
    with closing(sqlite3.connect(str(node.node.engine.url.database))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_strangers_do_not_wait_for_who_writes(nodes: Nodes) -> None:
    """And so they do not make others wait either, however often they come."""
    node = nodes.start("aldermoor")
    visitor = node.visitor()
    visitor.visit("/sign-in")
    with somebody_writes(node):
        answer = visitor.submit("sign-in", email="olu@example.org", password="not hers")
        assert answer.status_code == 200
        assert "not correct" in answer.text
        for address in ("/projects/new", "/councils/follow", "/nowhere", "/operator/peers"):
            answer = node.app.test_client().post(address)
            assert 300 <= answer.status_code < 500, "who waits in vain to write gets 503"


def test_two_who_do_the_same_at_once_are_told(nodes: Nodes) -> None:
    # An application that has answered takes no more addresses; no other test asks for this one.
    node = nodes.start("aldermoor", threads=15)

    @node.app.post("/twice/<at>")
    @permission(PUBLIC)
    def twice(at: str) -> str:
        work = current_work()
        work.session.add_all([Peer(host="a.test"), Peer(host="a.test")])
        if at == "once":
            work.session.flush()
        return "done"

    node.app.config["WTF_CSRF_ENABLED"] = False
    for at in ("once", "end"):
        answer = node.app.test_client().post(f"/twice/{at}")
        assert answer.status_code == 409
        assert "Someone else has changed this" in answer.text
        assert "default-src" in answer.headers["Content-Security-Policy"]
    with node.work() as work:
        work.session.execute(insert(Peer), [{"host": "a.test"}])


def test_of_a_request_that_fails_nothing_is_kept(nodes: Nodes) -> None:
    """However it fails, and whatever it had written by then."""
    node = nodes.start("aldermoor", threads=15)

    @node.app.post("/ends/<how>")
    @permission(PUBLIC)
    def ends(how: str) -> tuple[str, int]:
        current_work().session.add(Peer(host=f"{how}.test"))
        current_work().session.flush()
        if how == "raises":
            raise ForbiddenError(msg("You do not have permission to do this."))
        return "an answer", 200 if how == "well" else 422

    node.app.config["WTF_CSRF_ENABLED"] = False
    client = node.app.test_client()
    codes = [client.post(f"/ends/{how}").status_code for how in ("raises", "badly", "well")]
    assert codes == [403, 422, 200]
    with node.reading() as session:
        assert session.scalars(select(Peer.host)).all() == ["well.test"]
