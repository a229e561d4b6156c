"""Webhooks: what is sent, to whom, signed how, and what happens when delivery fails."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask, Response, request
from sqlalchemy import select

from node.councils.service import require_own
from node.database.tables import now
from node.messages import msg
from node.outbound import OutboundError, OutboundErrorCode
from node.people import service as people
from node.projects import service
from node.projects.validation import ProjectInput, to_input
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from node.webhooks import delivery
from node.webhooks.models import Webhook, WebhookMessage
from tests.pages.test_importing import look_up

URL = "https://hooks.test/moothall"
NO_ANSWER = (
    "Nothing could be read at that address. Enter the public name of a server that responds."
)
EVENTS = ["project.published", "project.updated", "project.deleted", "update.published"]


@dataclass
class Listener:
    """A program that receives webhooks; `status` is how it responds."""

    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    def types(self) -> list[str]:
        return [payload["type"] for payload in self.payloads()]


@pytest.fixture
def council(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.fixture
def listener(nodes: Nodes, council: TestNode) -> Iterator[Listener]:
    listener, app = Listener(), Flask("hooks")

    @app.post("/moothall")
    def receive() -> Response:
        listener.requests.append((dict(request.headers), request.data))
        return Response("Internal words", listener.status)

    nodes.apps["hooks.test"] = app.wsgi_app
    yield listener
    del nodes.apps["hooks.test"]


@pytest.fixture
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


def add(visitor: Visitor, url: str = URL, *, events: list[str] = EVENTS, **more: str) -> str:
    """Add a webhook on the page. Returns the secret that is shown."""
    visitor.visit("/account/webhooks")
    form = visitor.form("webhooks/new")
    data: dict[str, Any] = form.values | {"url": url, "events": events} | more
    visitor.page = visitor.client.post(form.action, data=data)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", visitor.page.text)
    return secret[0] if secret else ""


def publish(council: TestNode, title: str, visibility: str = "public") -> str:
    with council.app.app_context(), council.work() as work:
        text = ProjectInput(title, "In short.", "beta", "At length.", visibility)
        project = service.create(work, require_own(work.session), text)
        service.publish(work, project)
        return project.token


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """The signature by the specification of Standard Webhooks, computed without our code."""
    signed = b".".join(
        [headers["Webhook-Id"].encode(), headers["Webhook-Timestamp"].encode(), body]
    )
    key = b64decode(secret.removeprefix("whsec_"))
    return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()


def settle(council: TestNode) -> None:
    while council.node.jobs.run_pending():
        pass


def hook_of(council: TestNode) -> Webhook:
    with council.reading() as session:
        hook = session.scalars(select(Webhook)).one()
        session.expunge(hook)
    return hook


def message_of(council: TestNode) -> WebhookMessage:
    """The newest message."""
    with council.reading() as session:
        query = select(WebhookMessage).order_by(WebhookMessage.id.desc())
        message = session.scalars(query).first()
        assert message is not None
        session.expunge(message)
    return message


def test_project_events_are_sent_and_signed(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    secret = add(officer)
    token = publish(council, "Bin days")
    officer.visit(f"/projects/{token}/updates/new")
    officer.submit("updates/new", changed="It works.")
    settle(council)
    officer.visit(f"/projects/{token}/delete")
    officer.submit("delete")
    settle(council)
    # Messages are sent in parallel, so their order is not fixed.
    data = {payload["type"]: payload["data"] for payload in listener.payloads()}
    assert sorted(listener.types()) == sorted(data)
    published, deleted = data["project.published"], data["project.deleted"]
    update = data["update.published"]
    assert published["title"] == "Bin days"
    assert published["token"] == update["project"].rpartition("/")[2] == deleted["token"] == token
    assert update["changed"] == "It works."
    assert "title" not in deleted
    for headers, body in listener.requests:
        assert headers["Webhook-Signature"] == signature(secret, headers, body)
        assert abs(int(headers["Webhook-Timestamp"]) - now().timestamp()) < 60
    assert len({headers["Webhook-Id"] for headers, _ in listener.requests}) == 3


def test_only_selected_events_of_public_projects_are_sent(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    add(officer, events=["project.published"])
    publish(council, "Secret", "private")
    publish(council, "For councils", "peers")
    token = publish(council, "For all")
    settle(council)
    officer.visit(f"/projects/{token}/delete")
    officer.submit("delete")
    settle(council)
    assert [payload["data"]["title"] for payload in listener.payloads()] == ["For all"]


def test_webhook_for_all_projects_gets_private_ones(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    add(officer, tells_all="y")
    publish(council, "Secret", "private")
    settle(council)
    assert [payload["data"]["title"] for payload in listener.payloads()] == ["Secret"]


def test_project_made_private_is_sent_as_deleted(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    add(officer)
    token = publish(council, "Bin days")
    for visibility in ("private", "public"):
        with council.app.app_context(), council.work() as work:
            project = service.get_for_update(work.session, token)
            text = replace(to_input(project), visibility=visibility)
            service.update(work, project, text, project.version)
    settle(council)
    assert sorted(listener.types()) == [
        "project.deleted",
        "project.published",
        "project.published",
    ]
    (deleted,) = (
        payload["data"] for payload in listener.payloads() if payload["type"] == "project.deleted"
    )
    assert set(deleted) == {"token", "id"}


@pytest.mark.parametrize("how", ["private", "deleted"])
def test_waiting_messages_about_hidden_project_are_not_sent(
    council: TestNode, officer: Visitor, listener: Listener, how: str
) -> None:
    """The messages were created while the project was public."""
    add(officer)
    listener.status = 503
    token = publish(council, "Bin days")
    officer.visit(f"/projects/{token}/updates/new")
    officer.submit("updates/new", changed="It works.")
    settle(council)
    count = len(listener.requests)
    assert sorted(listener.types()) == ["project.published", "update.published"]
    with council.app.app_context(), council.work() as work:
        project = service.get_for_update(work.session, token)
        if how == "deleted":
            service.delete(work, project)
        else:
            text = replace(to_input(project), visibility="private")
            service.update(work, project, text, project.version)
        for message in work.session.scalars(select(WebhookMessage)):
            message.due_at = now()
    listener.status = 204
    settle(council)
    assert listener.types()[count:] == ["project.deleted"]


def test_failed_delivery_is_retried_and_shown_on_page(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    add(officer)
    listener.status = 503
    publish(council, "Bin days")
    council.node.jobs.run_pending()
    first = message_of(council)
    assert (first.state, first.attempts, first.status) == ("pending", 1, 503)
    assert first.due_at > now()
    officer.visit(f"/account/webhooks/{hook_of(council).id}")
    assert '503 <span lang="en">Service Unavailable</span>' in officer.text
    assert "Failing since" in officer.text
    assert "Internal words" not in officer.text
    listener.status = 200
    with council.work() as work:
        work.session.scalars(select(WebhookMessage)).one().due_at = now()
    delivery.run_job(council.node)
    again = message_of(council)
    assert (again.state, again.attempts, again.status) == ("delivered", 2, 200)
    assert len({headers["Webhook-Id"] for headers, _ in listener.requests}) == 1
    assert hook_of(council).failing_since is None


@pytest.mark.parametrize("status, days", [(410, 0), (500, 6)])
def test_webhook_is_switched_off_after_failures(
    council: TestNode, officer: Visitor, listener: Listener, status: int, days: int
) -> None:
    add(officer)
    listener.status = status
    with council.work() as work:
        hook = work.session.scalars(select(Webhook)).one()
        hook.failing_since = now() - timedelta(days=days) if days else None
    publish(council, "Bin days")
    council.node.jobs.run_pending()
    number = hook_of(council).id
    assert hook_of(council).off_at is not None
    count = len(listener.requests)
    publish(council, "More bins")
    settle(council)
    assert len(listener.requests) == count
    officer.visit(f"/account/webhooks/{number}")
    officer.submit("/on")
    listener.status = 204
    officer.submit("/test")
    settle(council)
    assert listener.types()[-1] == "test"


def test_new_and_old_secret_both_sign_at_first(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    old = add(officer)
    number = hook_of(council).id
    officer.submit("/secret")
    new = re.search(r"whsec_[A-Za-z0-9+/=]+", officer.text)
    assert new
    assert new[0] != old
    officer.visit(f"/account/webhooks/{number}")
    assert "whsec_" not in officer.text
    officer.submit("/test")
    settle(council)
    headers, body = listener.requests[-1]
    both = {signature(new[0], headers, body), signature(old, headers, body)}
    assert set(headers["Webhook-Signature"].split()) == both
    with council.work() as work:
        hook = work.session.scalars(select(Webhook)).one()
        hook.changed_secret_at = now() - timedelta(days=2)
    officer.visit(f"/account/webhooks/{number}")
    officer.submit("/test")
    settle(council)
    headers, body = listener.requests[-1]
    assert headers["Webhook-Signature"] == signature(new[0], headers, body)


@pytest.mark.parametrize(
    "url, message",
    [
        ("http://hooks.test/", "Only https addresses"),
        ("https://127.0.0.1/", NO_ANSWER),
        ("https://hooks.test:8443/", "Only the standard https port can be used"),
        ("https://user:word@hooks.test/", "This address cannot be used"),
        ("javascript:alert(1)", "This address cannot be used"),
        ("", "Enter an address that begins with https://"),
        ("https://hooks.test/" + "x" * 3_000, "This address cannot be used"),
    ],
)
def test_invalid_addresses(officer: Visitor, url: str, message: str) -> None:
    assert add(officer, url) == ""
    assert officer.page.status_code == 400
    assert message in officer.text


def test_private_host_of_settings_is_not_allowed_for_webhooks(
    nodes: Nodes, listener: Listener
) -> None:
    council = nodes.start("brackwell", private_hosts=("localhost:5410",))
    nodes.apps["localhost:5410"] = nodes.apps["hooks.test"]
    officer, private = council.visitor("officer"), "http://localhost:5410/moothall"
    assert add(officer, private) == ""
    assert "Only https addresses" in officer.text
    look_up(officer, "http://localhost:5410/a/publiccode.yml")
    assert "Only https addresses" in officer.text
    add(officer)
    with council.work() as work:
        work.session.scalars(select(Webhook)).one().url = private
    publish(council, "Bin days")
    settle(council)
    assert listener.requests == []
    assert message_of(council).state == "failed"


def test_error_does_not_reveal_internal_names(
    nodes: Nodes, council: TestNode, officer: Visitor
) -> None:
    def refuse(*_request: object) -> list[bytes]:
        raise OutboundError(OutboundErrorCode.FORBIDDEN_ADDRESS, msg("It is internal."))

    nodes.apps["inside.test"] = refuse
    for host in ("inside.test", "unknown.test"):
        add(officer, f"https://{host}/")
        officer.submit("/test")
    settle(council)
    with council.reading() as session:
        attempts = [(row.status, row.answer) for row in session.scalars(select(WebhookMessage))]
    assert attempts == [(None, NO_ANSWER)] * 2
    assert NO_ANSWER in officer.visit(f"/account/webhooks/{message_of(council).webhook_id}").text


def test_events_must_be_selected(officer: Visitor) -> None:
    add(officer, events=["test"])
    assert officer.page.status_code == 400
    assert "Select which events to send" in officer.text


def test_only_operator_sees_webhooks_of_others(
    council: TestNode, officer: Visitor, listener: Listener
) -> None:
    operator = council.visitor("operator")
    add(operator)
    number = hook_of(council).id
    link = f'href="/account/webhooks/{number}"'
    assert link not in officer.visit("/account/webhooks").text
    assert officer.visit(f"/account/webhooks/{number}").status_code == 404
    assert add(officer)
    page = operator.visit("/account/webhooks").text
    assert link in page
    assert f'href="/account/webhooks/{number + 1}"' in page
    operator.visit(f"/account/webhooks/{number}")
    operator.submit("/remove")
    publish(council, "Bin days")
    settle(council)
    assert len(listener.requests) == 1


@pytest.mark.parametrize("when", ["queued", "sent"])
def test_nothing_is_sent_after_role_is_removed(
    nodes: Nodes, council: TestNode, listener: Listener, officer: Visitor, when: str
) -> None:
    """The role is checked when the event happens and again when the message is sent."""
    add(officer, tells_all="y")
    if when == "sent":
        publish(council, "Meanwhile", "private")
    with council.work() as work:
        user = people.require_by_email(work.session, "officer@aldermoor.example")
        people.grant_role(work, user, "moderator")
        user.roles[:] = [role for role in user.roles if role.name == "moderator"]
    if when == "queued":
        publish(council, "Afterwards", "private")
    nodes.run_until_idle()
    assert listener.requests == []
    with council.reading() as session:
        states = [message.state for message in session.scalars(select(WebhookMessage))]
    assert states == (["failed"] if when == "sent" else [])
