"""The language of a page: chosen with its switch, asked for by the browser, or the node's own."""

import re
from datetime import UTC, datetime

import pytest
from babel.dates import format_date
from sqlalchemy import select

from node.people.models import User
from node.testing.nodes import PASSWORD, Nodes, TestNode

WELSH = {"Accept-Language": "cy"}


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor")


def _lang(page: str) -> str:
    found = re.search(r'<html lang="(\w+)"', page)
    assert found
    return found[1]


def _link(page: str) -> str:
    """Where the switch of the page leads."""
    found = re.search(r'<a class="moothall-header__link" href="([^"]*)" hreflang="(\w+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_a_page_is_in_the_language_that_the_browser_asks_for(council: TestNode) -> None:
    client = council.app.test_client()
    assert _lang(client.get("/").text) == "en"
    assert _lang(client.get("/", headers=WELSH).text) == "cy"
    assert _lang(client.get("/", headers={"Accept-Language": "fr, cy;q=0.5"}).text) == "cy"
    assert _lang(client.get("/", headers={"Accept-Language": "en-GB, cy;q=0.5"}).text) == "en"
    assert _lang(client.get("/", headers={"Accept-Language": "fr"}).text) == "en"


def test_a_welsh_node_is_welsh_unless_somebody_chose_english(nodes: Nodes) -> None:
    """Almost every browser in Wales asks for English, because that is how it was installed: only
    the switch is a choice.
    """
    client = nodes.start("aldermoor", language="cy").app.test_client()
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert _lang(client.get("/").text) == "cy"
    assert _lang(client.get("/", headers=english).text) == "cy"
    assert _lang(client.get("/?lang=en", headers=english).text) == "en"
    assert _lang(client.get("/", headers=english).text) == "en"


def test_the_switch_keeps_the_page_and_is_remembered(council: TestNode) -> None:
    client = council.app.test_client()
    page = client.get("/projects?phase=alpha&origin=ours&phase=beta")
    assert _link(page.text) == "/projects?phase=alpha&phase=beta&origin=ours&lang=cy"
    page = client.get(_link(page.text))
    assert _lang(page.text) == "cy"
    assert 'lang="cy" aria-current="true">Cymraeg</span>' in page.text
    assert _link(page.text) == "/projects?phase=alpha&phase=beta&origin=ours&lang=en"
    assert _lang(client.get("/councils").text) == "cy"
    assert _lang(client.get("/councils", headers={"Accept-Language": "en"}).text) == "cy"
    assert _lang(client.get("/?lang=en").text) == "en"
    assert _lang(client.get("/").text) == "en"


def test_the_choice_is_kept_for_a_year_in_a_cookie_of_this_node(council: TestNode) -> None:
    answer = council.app.test_client().get("/?lang=cy")
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if "language" in each)
    assert cookie.startswith("moothall_language")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=31536000" in cookie


@pytest.mark.parametrize("given", ["", "fr", "CY", "../", "cy\0", "x" * 5000])
def test_no_other_language_is_chosen(council: TestNode, given: str) -> None:
    client = council.app.test_client()
    client.set_cookie(council.node.settings.cookie_name("language"), "nonsense")
    answer = client.get("/", query_string={"lang": given})
    assert _lang(answer.text) == "en"
    assert not answer.headers.getlist("Set-Cookie")


def test_pages_that_are_not_there_have_the_switch_too(council: TestNode) -> None:
    client = council.app.test_client()
    page = client.get("/no/such%20page%5c?a=b", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert _link(page.text) == "/no/such%20page%5C?a=b&lang=cy"


def test_no_address_leads_to_another_server(council: TestNode) -> None:
    page = council.app.test_client().get("/%2Fexample.org/x", headers={"Accept": "text/html"})
    assert _link(page.text).startswith("/example.org/x?")


def test_the_answer_to_a_form_leads_back_to_a_page_that_can_be_opened(council: TestNode) -> None:
    visitor = council.visitor("officer")
    visitor.visit("/projects/new?lang=cy")
    visitor.submit(title="")
    assert visitor.page.status_code == 400
    assert _lang(visitor.text) == "cy"
    assert _link(visitor.text) == "/projects/new?lang=en"


def test_messages_of_services_and_plugins_are_in_welsh_too(council: TestNode) -> None:
    visitor = council.visitor("officer")
    visitor.visit("/projects/new?lang=cy")
    visitor.submit(title="", summary="x" * 300)
    assert "Rhowch enw’r prosiect" in visitor.text
    assert "Rydych wedi defnyddio 300 nod. Defnyddiwch 200 neu lai." in visitor.text
    assert "Rhestrau gwirio" in visitor.text
    assert "Ni ddaethpwyd o hyd i’r prosiect." in visitor.visit("/projects/none").text


def test_dates_are_welsh_too(council: TestNode) -> None:
    visitor = council.visitor("officer")
    visitor.visit("/projects/new?lang=en")
    visitor.submit(title="Bins", summary="Bins.", phase="alpha", then="publish")
    english = visitor.page.text
    welsh = visitor.visit(visitor.page.request.path + "?lang=cy").text
    month = format_date(datetime.now(UTC), "MMMM", locale="cy")
    assert f" {month} 20" in welsh
    assert "heddiw am" in welsh.lower()
    assert "today at" in english.lower()


def test_caches_are_told_what_a_page_depends_on(council: TestNode) -> None:
    client = council.app.test_client()
    answer = client.get("/")
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    document = client.get(
        f"/councils/{council.name}", headers={"Accept": "application/activity+json"}
    )
    assert "Accept-Language" not in document.vary
    with client.get("/static/moothall.css") as style:
        assert "Accept-Language" not in style.vary


@pytest.mark.parametrize("path", ["/", "/projects", "/nowhere", "/portfolio/calendar.ics"])
def test_a_response_states_its_language(council: TestNode, path: str) -> None:
    client = council.app.test_client()
    for language in ("cy", "en"):
        response = client.get(path, headers={"Accept-Language": language})
        assert response.headers["Content-Language"] == language


def test_programs_are_answered_in_english(council: TestNode) -> None:
    headers = WELSH | {"Accept": "application/json"}
    for address in ("/projects/none", "/councils/nobody", "/nothing"):
        answer = council.app.test_client().get(address, headers=headers)
        assert answer.status_code == 404
        assert "not found" in answer.text or "nothing at this address" in answer.text


def test_the_language_that_a_person_chose_is_kept_with_their_account(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    first = node.visitor("officer")
    assert _lang(first.visit("/").text) == "en"
    first.visit("/councils?lang=cy")
    assert 'value="cy" checked' in first.visit("/notices/choices").text, "of emails too"
    elsewhere = node.visitor()
    assert _lang(elsewhere.visit("/").text) == "en"
    elsewhere.visit("/sign-in")
    elsewhere.submit("sign-in", email="officer@aldermoor.example", password=PASSWORD)
    assert _lang(elsewhere.visit("/").text) == "cy"
    another = node.visitor()
    another.visit("/?lang=cy")
    another.visit("/sign-in")
    another.submit("sign-in", email="operator@aldermoor.example", password=PASSWORD)
    with node.reading() as session:
        kept = dict(session.execute(select(User.email, User.language)).all())
    assert kept == {"officer@aldermoor.example": "cy", "operator@aldermoor.example": "cy"}
