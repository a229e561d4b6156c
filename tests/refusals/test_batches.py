"""Messages that arrive together are stored together, and one that cannot be fails alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.exc import DataError

from node.federating.models import InboxItem
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode

MOST_TRIES = 50


@contextmanager
def refusing(node: TestNode, word: str) -> Iterator[list[str]]:
    """The database refuses to store what holds this word. Yields the statements that were to."""
    refused: list[str] = []

    def look(_connection: Any, _cursor: Any, statement: str, rows: Any, *_more: Any) -> None:
        if statement.startswith("INSERT INTO inbox_item") and word in repr(rows):
            refused.append(statement)
            raise DataError(statement, None, Exception("refused"))

    event.listen(node.node.engine, "before_cursor_execute", look)
    try:
        yield refused
    finally:
        event.remove(node.node.engine, "before_cursor_execute", look)


def post(node: TestNode, sender: FakeActor, about: str) -> tuple[str, int]:
    message = sender.build_activity("Like", f"https://{sender.peer.host}/{about}")
    return message["id"], sender.send(message, node).status_code


def test_a_message_that_cannot_be_stored_fails_alone(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    node.app.testing = False
    try:
        sender = FakePeer.join(nodes, "brackwell.test", node).actor()
        assert post(node, sender, "first")[1] == 202
        with refusing(node, "poisoned") as refused, ThreadPoolExecutor(8) as pool:
            for _ in range(MOST_TRIES):
                alone = len(refused)
                sent = [pool.submit(post, node, sender, "well") for _ in range(7)]
                bad = pool.submit(post, node, sender, "poisoned").result()
                well = [one.result() for one in sent]
                assert [status for _, status in well] == [202] * 7
                assert bad[1] >= 500
                if len(refused) > alone + 1:  # with others at first, and then by itself
                    break
        assert len(refused) > alone + 1, "never together with another"
        with node.reading() as session:
            stored = set(session.scalars(select(InboxItem.uri)))
        assert {uri for uri, _ in well} <= stored
        assert bad[0] not in stored
    finally:
        node.app.testing = True
