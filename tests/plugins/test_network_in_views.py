"""A plugin's view or command does not keep a transaction open while it waits for the network."""

import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from node.plugin_admin import failures
from node.plugin_admin.models import PluginJob
from node.plugin_api.offline import NetworkInTransactionError
from node.testing.nodes import Nodes, TestNode

from .conftest import Install

CODE = """
import socket
from flask import render_template_string

PORT = 0
FORM = (
    "<form method=post action=/orchard/{{ what }}>"
    "<input type=hidden name=csrf_token value='{{ csrf_token() }}'></form>"
)
blueprint = Blueprint("orchard", __name__, url_prefix="/orchard")

@hookimpl
def register_blueprints(): return [blueprint]

@hookimpl
def register_jobs(): return [ScheduledJob("weather", lambda work: None)]

def fetch():
    with socket.create_connection(("127.0.0.1", PORT)):
        return "fetched"

def write(work):
    run_job_soon(work, "weather")
    work.session.flush()

@blueprint.get("/form/<what>")
@permission(PUBLIC)
def form(what): return render_template_string(FORM, what=what)

@blueprint.post("/writes-first")
@permission(PUBLIC)
def writes_first():
    with work("orchard") as part:
        write(part)
    return fetch()

@blueprint.post("/inside")
@permission(PUBLIC)
def inside():
    with work("orchard") as part:
        write(part)
        return fetch()

@blueprint.post("/fetches-first")
@permission(PUBLIC)
def fetches_first():
    answer = fetch()
    with work("orchard") as part:
        write(part)
    return answer

@blueprint.get("/shows")
@permission(PUBLIC)
def shows():
    with work("orchard") as part:
        councils(part)
    return fetch()
"""


@pytest.fixture
def here(install: Install, nodes: Nodes) -> Iterator[TestNode]:
    install("orchard", CODE)
    node = nodes.start("aldermoor", plugins=("orchard",))
    with socket.create_server(("127.0.0.1", 0)) as server:
        orchard: Any = sys.modules["plugin_orchard"]
        orchard.PORT = server.getsockname()[1]
        yield node


@pytest.mark.parametrize("view", ["writes-first", "inside"])
def test_a_view_that_wrote_cannot_use_the_network(here: TestNode, view: str) -> None:
    """It gets an error that says what to do; nothing is kept, and the operator sees it."""
    here.app.testing = False
    visitor = here.visitor()
    visitor.visit(f"/orchard/form/{view}")
    assert visitor.submit().status_code == 500
    with here.reading() as session:
        assert session.scalars(select(PluginJob)).all() == []
        (failure,) = failures.list_failures(session)
    assert (failure.plugin, failure.hook) == ("orchard", view.replace("-", "_"))
    assert "cannot be used inside a transaction: have the `prepare` of a job" in failure.error


def test_a_view_that_has_not_begun_to_write_can(here: TestNode) -> None:
    visitor = here.visitor()
    assert visitor.visit("/orchard/shows").text == "fetched"
    visitor.visit("/orchard/form/fetches-first")
    assert visitor.submit().text == "fetched"
    with here.reading() as session:
        assert [row.name for row in session.scalars(select(PluginJob))] == ["weather"]


def test_a_command_cannot_use_the_network_inside_its_transaction(here: TestNode) -> None:
    orchard = sys.modules["plugin_orchard"]
    with here.app.app_context():
        with pytest.raises(NetworkInTransactionError), orchard.work("orchard"):
            orchard.fetch()
        assert orchard.fetch() == "fetched"
