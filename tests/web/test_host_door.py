"""By which names a node answers: the first thing that is looked at."""

import pytest
from werkzeug.test import Client

from node.testing.nodes import Nodes, TestNode
from node.web.host_middleware import HostMiddleware


@pytest.fixture(scope="module", params=["https://aldermoor.test", "http://localhost:5101"])
def council(request: pytest.FixtureRequest, lasting_nodes: Nodes) -> TestNode:
    name = "aldermoor" if "aldermoor" in request.param else "brackwell"
    return lasting_nodes.start(name, base_url=request.param)


@pytest.fixture
def browser(council: TestNode) -> Client:
    return Client(HostMiddleware(council.app, council.node.settings))


pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True, scope="module")


def own(council: TestNode) -> str:
    return council.node.settings.authority


def test_its_own_name_however_it_is_written(council: TestNode, browser: Client) -> None:
    name = own(council)
    for host in (name, name.upper(), *([f"{name}:443", f"{name}."] if "." in name else [])):
        assert browser.get("/", headers={"Host": host}).status_code == 200, host


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost", "127.0.0.1", "[::1]:5100", "a" * 63 + ".example", "x:5101"],
)
def test_another_name_is_misdirected(host: str, council: TestNode, browser: Client) -> None:
    for path in ("/", "/actor", "/inbox", "/nowhere"):
        answer = browser.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert council.node.settings.base_url in answer.text
        assert host not in answer.text.replace(own(council), "")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a..b",
        ".",
        "..",
        "a" * 64,
        "a b",
        "a_b/c",
        "a@b",
        "a,b",
        "[::g]",
        "[1.2.3.4]",
        "a:x",
        "é",
    ],
)
def test_what_is_no_name_is_a_bad_request(host: str, browser: Client) -> None:
    answer = browser.get("/", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 400


def test_health_and_webfinger_are_answered_by_any_name(council: TestNode, browser: Client) -> None:
    for host in ("10.0.0.7", "10.0.0.7:5100", "council.gov.uk", "a..b"):
        for path in ("/healthz", "/readyz"):
            assert browser.get(path, headers={"Host": host}).text == "ok\n"
        resource = f"acct:{council.name}@{own(council)}"
        answer = browser.get(
            "/.well-known/webfinger", headers={"Host": host}, query_string={"resource": resource}
        )
        assert answer.status_code == 200
        assert host not in answer.text.replace(own(council), "")
