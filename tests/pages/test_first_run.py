"""The first-run page: who may open it, what it asks, and that it does all or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node import schema_migrations
from node.app import create_app, get_node
from node.councils.models import Council
from node.data_folder import get_secret_key
from node.federating.models import Actor
from node.people.models import User
from node.people.sign_in import first_run_token
from node.testing.nodes import TestNode, make_settings
from node.testing.visitor import Visitor
from tests.accessibility import markup

ANSWERS = {
    "name": "Aldermoor Council",
    "slug": "aldermoor",
    "colour": "#1D5B4F",
    "gss_code": "e06000037",
    "person_name": "Olu Operator",
    "email": "Olu@Aldermoor.example",
    "password": "three random words",
}


@pytest.fixture
def fresh(database_url: str, tmp_path: Path) -> Iterator[TestNode]:
    """A node that is not set up yet."""
    app = create_app(make_settings("aldermoor", database_url, tmp_path))
    node = get_node(app)
    schema_migrations.upgrade(node.engine, node.hooks)
    yield TestNode("aldermoor", app)
    node.engine.dispose()
    node.outbound.close()


def address(fresh: TestNode) -> str:
    return f"/first-run?token={first_run_token(get_secret_key(fresh.node.settings))}"


def open_page(fresh: TestNode) -> Visitor:
    visitor = fresh.visitor()
    assert visitor.visit(address(fresh)).status_code == 200
    return visitor


def count_rows(fresh: TestNode) -> int:
    with fresh.reading() as session:
        return sum(
            session.scalar(select(func.count()).select_from(row)) or 0
            for row in (Council, Actor, User)
        )


def test_a_node_is_set_up_once(fresh: TestNode) -> None:
    visitor = open_page(fresh)
    home_page = fresh.visitor().visit("/").text
    assert "ready to be set up" in home_page
    assert markup.errors(home_page) == markup.errors(visitor.text) == []
    page = visitor.submit("first-run", **ANSWERS)
    assert (page.status_code, page.request.path) == (200, "/")
    for text in ("Your server is ready.", "Aldermoor Council", "Olu Operator"):
        assert text in page.text
    assert visitor.visit("/operator/peers").status_code == 200
    council = visitor.client.get(
        "/councils/aldermoor", headers={"Accept": "application/activity+json"}
    )
    assert council.get_json()["name"] == "Aldermoor Council"
    before = count_rows(fresh)
    for place in (address(fresh), "/first-run"):
        assert visitor.visit(place).status_code == 404
    visitor.visit("/projects/new")
    token = visitor.form().values["csrf_token"]
    again = visitor.client.post("/first-run", data=ANSWERS | {"csrf_token": token})
    assert again.status_code == 404
    assert count_rows(fresh) == before
    other = fresh.visitor()
    other.visit("/sign-in")
    page = other.submit("sign-in", email="olu@aldermoor.example", password=ANSWERS["password"])
    assert "Olu Operator" in page.text


def test_the_page_only_opens_with_the_token_from_the_console(fresh: TestNode) -> None:
    visitor = open_page(fresh)
    form = visitor.form("first-run")
    for token in ("", "wrong", "é", "\0", address(fresh).rpartition("=")[2].upper()):
        refused = visitor.client.get("/first-run", query_string={"token": token})
        assert refused.status_code == 403
        assert "Open the address that the server printed when it started." in refused.text
        sent = form.values | ANSWERS | {"token": token}
        assert visitor.client.post("/first-run", data=sent).status_code == 403
    assert visitor.client.get("/first-run").status_code == 403
    assert count_rows(fresh) == 0


def test_errors_are_shown_and_input_is_kept(fresh: TestNode) -> None:
    visitor = open_page(fresh)
    wrong = {
        "name": "",
        "slug": "Alder Moor!",
        "colour": "green",
        "gss_code": "E1",
        "person_name": "O" * 201,
        "email": "olu",
        "password": "too short",
    }
    page = visitor.submit("first-run", **wrong)
    assert page.status_code == 400
    for name in wrong:
        assert f'<a href="#{name}">' in page.text, name
    values = visitor.form("first-run").values
    assert {name: values[name] for name in wrong} == wrong | {"password": ""}
    assert "too short" not in page.text
    assert count_rows(fresh) == 0
    visitor.submit("first-run", **ANSWERS | {"slug": "follow"})
    assert '<a href="#slug">' in visitor.text
    for name in ("name", "person_name", "password"):
        visitor.submit("first-run", **ANSWERS | {name: "a moot\0 hall of oak"})
        assert f'<a href="#{name}">' in visitor.text
    assert count_rows(fresh) == 0
    assert visitor.submit("first-run", **ANSWERS).status_code == 200


def test_every_page_responds_before_the_set_up(fresh: TestNode) -> None:
    visitor = fresh.visitor()
    for place in ("/", "/projects", "/councils", "/checklists", "/healthz", "/readyz", "/sign-in"):
        assert visitor.visit(place).status_code == 200, place
    for place in ("/actor", "/councils/aldermoor", "/councils/aldermoor/projects", "/nothing"):
        response = visitor.client.get(place, headers={"Accept": "application/activity+json"})
        assert response.status_code == 404, place
