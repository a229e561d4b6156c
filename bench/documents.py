"""What other servers read most often, beside a bare Flask view that answers with as much."""

from collections.abc import Iterator
from functools import partial
from itertools import repeat

from bench.alternating_load import alternate
from bench.load_generator import request_bytes
from bench.memory import describe_resident_memory
from bench.nodes import created_node
from bench.servers import baseline_server, node_server

DOCUMENT_PATHS = {
    "WebFinger": "/.well-known/webfinger?resource=acct:aldermoor@aldermoor.test",
    "the node's actor": "/actor",
    "the council's actor": "/councils/aldermoor",
}
HEADERS = {"Host": "aldermoor.test", "Accept": "application/activity+json"}


def measure() -> Iterator[tuple[str, str]]:
    with (
        created_node() as (settings, _key),
        baseline_server() as limit,
        node_server(settings) as node,
    ):
        plain = request_bytes("GET", "/document", HEADERS)
        yield "the node's memory, before", describe_resident_memory(node.process_id)
        for what, target in DOCUMENT_PATHS.items():
            asked = request_bytes("GET", target, HEADERS)
            bare, documents = alternate(limit, node, partial(_repeat_requests, plain, asked))
            assert set(documents.statuses) == {200}, documents.statuses
            yield "a bare Flask view", bare.summarise()
            yield what, documents.summarise(baseline=bare)
        yield "the node's memory, after", describe_resident_memory(node.process_id)


def _repeat_requests(plain: bytes, asked: bytes) -> tuple[Iterator[bytes], Iterator[bytes]]:
    return repeat(plain), repeat(asked)
