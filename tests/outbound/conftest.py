"""Clients and the servers they talk to, put away after each test."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.outbound.clients import Clients
from tests.outbound.peers import Peers


@pytest.fixture
def serve() -> Iterator[Peers]:
    with closing(Peers()) as peers:
        yield peers


@pytest.fixture
def client() -> Iterator[Clients]:
    with closing(Clients()) as clients:
        yield clients
