"""Which URLs are requested at all."""

from collections.abc import Callable

import pytest

from node.outbound import OutboundClient, OutboundError, OutboundErrorCode
from tests.outbound.clients import Clients
from tests.outbound.peers import Peers

REFUSED = [
    ("http://peer.example/", OutboundErrorCode.FORBIDDEN_SCHEME),
    ("ftp://peer.example/", OutboundErrorCode.FORBIDDEN_SCHEME),
    ("file:///etc/passwd", OutboundErrorCode.FORBIDDEN_SCHEME),
    ("gopher://peer.example:70/", OutboundErrorCode.FORBIDDEN_SCHEME),
    ("javascript:alert(1)", OutboundErrorCode.FORBIDDEN_SCHEME),
    ("https://peer.example:22/", OutboundErrorCode.FORBIDDEN_PORT),
    ("https://peer.example:8443/", OutboundErrorCode.FORBIDDEN_PORT),
    ("https://peer.example:80/", OutboundErrorCode.FORBIDDEN_PORT),
    ("https://peer.example:0/", OutboundErrorCode.FORBIDDEN_PORT),
    ("https://2130706433/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://0x7f.1/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://0X7F000001/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://127.1/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://0177.0.0.1/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://127.0.0.1/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://0/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://8.8.8.8/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://[::1]/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://[::ffff:127.0.0.1]/", OutboundErrorCode.FORBIDDEN_ADDRESS),
    ("https://[fe80::1%25eth0]/", OutboundErrorCode.BAD_URL),
    ("https://localhost./", OutboundErrorCode.BAD_URL),
    ("https://127.0.0.1./", OutboundErrorCode.BAD_URL),
    ("https://127。0。0。1/", OutboundErrorCode.BAD_URL),
    ("https://ⓛocalhost/", OutboundErrorCode.BAD_URL),
    ("https://peer.example/café", OutboundErrorCode.BAD_URL),
    ("https://peer.example@127.0.0.1/", OutboundErrorCode.BAD_URL),
    ("https://user:password@peer.example/", OutboundErrorCode.BAD_URL),
    ("https://peer.example\\@evil.example/", OutboundErrorCode.BAD_URL),
    ("https://peer.example%2eevil.example/", OutboundErrorCode.BAD_URL),
    ("https://peer..example/", OutboundErrorCode.BAD_URL),
    ("https://.peer.example/", OutboundErrorCode.BAD_URL),
    ("https://" + "a" * 64 + ".example/", OutboundErrorCode.BAD_URL),
    ("https://" + "a." * 130 + "example/", OutboundErrorCode.BAD_URL),
    ("https://peer.example/a\r\nX-Injected: 1", OutboundErrorCode.BAD_URL),
    ("https://peer.example/a\nb", OutboundErrorCode.BAD_URL),
    ("https://peer.example/a b", OutboundErrorCode.BAD_URL),
    ("https://peer.example/\x00", OutboundErrorCode.BAD_URL),
    ("https://peer\t.example/", OutboundErrorCode.BAD_URL),
    (" https://peer.example/", OutboundErrorCode.FORBIDDEN_SCHEME),
    ("https://peer.example:٤٤٣/", OutboundErrorCode.BAD_URL),
    ("https://peer.example:-1/", OutboundErrorCode.BAD_URL),
    ("https://peer.example:443443443/", OutboundErrorCode.BAD_URL),
    ("https://[::1/", OutboundErrorCode.BAD_URL),
    ("https:///path", OutboundErrorCode.BAD_URL),
    ("https:peer.example", OutboundErrorCode.BAD_URL),
    ("https://", OutboundErrorCode.BAD_URL),
    ("//peer.example/", OutboundErrorCode.BAD_URL),
    ("peer.example", OutboundErrorCode.BAD_URL),
    ("", OutboundErrorCode.BAD_URL),
    ("https://peer.example/" + "a" * 2048, OutboundErrorCode.BAD_URL),
]


@pytest.mark.parametrize("url,code", REFUSED)
def test_must_25_a_url_is_refused_before_its_name_is_looked_up(
    client: Clients, url: str, code: OutboundErrorCode
) -> None:
    looked_up: list[str] = []

    def look_up(host: str) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    outbound = client(resolver=look_up)
    calls: tuple[Callable[[], object], ...] = (
        lambda: outbound.get(url, accept="*/*"),
        lambda: outbound.post(url, b"{}", content_type="application/json"),
    )
    for call in calls:
        with pytest.raises(OutboundError) as refused:
            call()
        assert refused.value.code == code
        assert refused.value.permanent
    assert looked_up == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST"])
def test_the_machine_itself_is_refused_with_the_real_resolver(host: str) -> None:
    outbound = OutboundClient(user_agent="Moothall/test")
    with pytest.raises(OutboundError) as refused:
        outbound.get(f"https://{host}/", accept="*/*")
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS


@pytest.mark.parametrize(
    "given,line,url",
    [
        (
            "http://PEER.example:{port}/a?b=c#d",
            "GET /a?b=c HTTP/1.1",
            "http://peer.example:{port}/a?b=c",
        ),
        ("HTTP://peer.example:{port}", "GET / HTTP/1.1", "http://peer.example:{port}/"),
        ("http://peer.example:{port}?q=1", "GET /?q=1 HTTP/1.1", "http://peer.example:{port}/?q=1"),
        (
            "http://peer.example:{port}/%C3%A9?",
            "GET /%C3%A9? HTTP/1.1",
            "http://peer.example:{port}/%C3%A9?",
        ),
    ],
)
def test_a_url_is_sent_without_its_fragment(
    serve: Peers, client: Clients, given: str, line: str, url: str
) -> None:
    peer = serve()
    answer = client(peer).get(given.format(port=peer.port), accept="*/*")
    assert peer.last[0] == line
    assert peer.last[1]["host"] == peer.authority
    assert answer.url == url.format(port=peer.port)


def test_permission_for_a_private_host_is_for_that_authority_alone(
    serve: Peers, client: Clients
) -> None:
    peer, neighbour = serve(), serve()
    outbound = client(peer, names={"other.example": ["127.0.0.1"]})
    assert outbound.get(peer.url, accept="*/*").status == 200
    for url, code in [
        (neighbour.url, OutboundErrorCode.FORBIDDEN_SCHEME),
        (f"http://other.example:{peer.port}/", OutboundErrorCode.FORBIDDEN_SCHEME),
        (f"https://other.example:{peer.port}/", OutboundErrorCode.FORBIDDEN_PORT),
        (f"http://127.0.0.1:{peer.port}/", OutboundErrorCode.FORBIDDEN_SCHEME),
        ("http://peer.example/", OutboundErrorCode.FORBIDDEN_SCHEME),
        ("https://peer.example/", OutboundErrorCode.FORBIDDEN_ADDRESS),
        (f"http://{peer.authority}@other.example:{peer.port}/", OutboundErrorCode.BAD_URL),
    ]:
        with pytest.raises(OutboundError) as refused:
            outbound.get(url, accept="*/*")
        assert (url, refused.value.code) == (url, code)
    assert (peer.connections, neighbour.connections) == (1, 0)
