"""What other servers read most often, beside a bare Flask view that answers with as much."""

from collections.abc import Iterator
from functools import partial
from itertools import repeat

from bench.load import request_bytes
from bench.memory import resident
from bench.nodes import founded
from bench.servers import bare_server, node_server
from bench.turns import by_turns

WANTED = {
    "WebFinger": "/.well-known/webfinger?resource=acct:aldermoor@aldermoor.test",
    "the node's actor": "/actor",
    "the council's actor": "/councils/aldermoor",
}
HEADERS = {"Host": "aldermoor.test", "Accept": "application/activity+json"}


def measure() -> Iterator[tuple[str, str]]:
    with founded() as (settings, _key), bare_server() as limit, node_server(settings) as node:
        plain = request_bytes("GET", "/document", HEADERS)
        yield "the node's memory, before", resident(node.process)
        for what, target in WANTED.items():
            asked = request_bytes("GET", target, HEADERS)
            bare, documents = by_turns(limit, node, partial(_endlessly, plain, asked))
            assert set(documents.statuses) == {200}, documents.statuses
            yield "a bare Flask view", bare.told()
            yield what, documents.told(beside=bare)
        yield "the node's memory, after", resident(node.process)


def _endlessly(plain: bytes, asked: bytes) -> tuple[Iterator[bytes], Iterator[bytes]]:
    return repeat(plain), repeat(asked)
