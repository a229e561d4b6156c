"""Nodes in one process talk without sockets, under the same rules for URLs."""

import json
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from node.outbound import InProcessTransport, OutboundClient, OutboundError, OutboundErrorCode


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answers with what it was asked."""
    if environ["PATH_INFO"] == "/moved":
        start_response("302 Found", [("Location", "/here")])
        return [b""]
    start_response("200 OK", [("Content-Type", "application/activity+json")])
    seen = {
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "host": environ["HTTP_HOST"],
        "scheme": environ["wsgi.url_scheme"],
        "type": environ.get("CONTENT_TYPE"),
        "signature": environ.get("HTTP_SIGNATURE"),
        "body": environ["wsgi.input"].read().decode(),
    }
    return [json.dumps(seen).encode()]


@pytest.fixture
def outbound() -> OutboundClient:
    return OutboundClient(
        user_agent="Moothall/test",
        private_hosts=["localhost:5101"],
        max_bytes=1000,
        transport=InProcessTransport({"a.example": application, "localhost:5101": application}),
    )


def test_a_post_reaches_the_application(outbound: OutboundClient) -> None:
    answer = outbound.post(
        "https://a.example/inbox?x=%C3%A9",
        b"{}",
        content_type="text/x",
        sign=lambda *_: {"Signature": "s"},
    )
    assert json.loads(answer.body) == {
        "method": "POST",
        "target": "/inbox?x=%C3%A9",
        "host": "a.example",
        "scheme": "https",
        "type": "text/x",
        "signature": "s",
        "body": "{}",
    }


def test_a_redirect_is_followed(outbound: OutboundClient) -> None:
    answer = outbound.get("http://localhost:5101/moved", accept="*/*")
    assert answer.url == "http://localhost:5101/here"
    assert json.loads(answer.body)["host"] == "localhost:5101"


def test_a_server_that_is_not_there_is_not_known(outbound: OutboundClient) -> None:
    with pytest.raises(OutboundError) as failed:
        outbound.get("https://b.example/", accept="*/*")
    assert failed.value.code == OutboundErrorCode.NAME_NOT_RESOLVED


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://a.example:8443/", "https://127.0.0.1/"]
)
def test_the_rules_for_urls_hold(outbound: OutboundClient, url: str) -> None:
    with pytest.raises(OutboundError) as refused:
        outbound.get(url, accept="*/*")
    assert refused.value.permanent
