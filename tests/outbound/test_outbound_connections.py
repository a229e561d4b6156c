"""Connections: one look-up, the judged address dialled, connections used again."""

import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from node.outbound import OutboundError, OutboundErrorCode
from tests.outbound.clients import Clients
from tests.outbound.peers import Peers, response


class Answers:
    """A resolver whose answers for one name change, as an attacker's do."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0)


def test_must_25_the_address_that_was_judged_is_the_one_dialled(
    serve: Peers, client: Clients
) -> None:
    peer = serve()
    trap = serve(address="127.0.0.2", port=peer.port)
    names = Answers(["127.0.0.1"], ["127.0.0.2"])
    client(peer, resolver=names).get(peer.url, accept="*/*")
    assert names.asked == ["peer.example"]
    assert (peer.connections, trap.connections) == (1, 0)


def test_a_name_is_judged_again_for_each_new_connection(serve: Peers, client: Clients) -> None:
    peer = serve()
    names = Answers(["127.0.0.1"], ["169.254.169.254"])
    outbound = client(peer, resolver=names)
    outbound.get(peer.url, accept="*/*")
    peer.hang_up()
    with pytest.raises(OutboundError) as refused:
        outbound.get(peer.url, accept="*/*")
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS
    assert len(names.asked) == 2


def test_the_guard_is_in_the_client_that_is_used(client: Clients) -> None:
    names = Answers(["127.0.0.1"])
    outbound = client(resolver=names)
    with pytest.raises(OutboundError) as refused:
        outbound.get("https://moothall.aldermoor.gov.uk/actor", accept="*/*")
    assert names.asked == ["moothall.aldermoor.gov.uk"]
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS


def test_a_connection_is_used_again(serve: Peers, client: Clients) -> None:
    peer = serve()
    names = Answers(["127.0.0.1"])
    outbound = client(peer, resolver=names)
    for _ in range(3):
        assert outbound.post(peer.url, b"{}", content_type="application/json").status == 200
    assert peer.connections == 1


def test_an_idle_connection_that_was_closed_is_replaced(serve: Peers, client: Clients) -> None:
    peer = serve()
    outbound = client(peer)
    outbound.get(peer.url, accept="*/*")
    peer.hang_up()
    assert outbound.get(peer.url, accept="*/*").status == 200
    assert peer.connections == 2


def test_threads_share_one_client(serve: Peers, client: Clients) -> None:
    peer = serve()
    outbound = client(peer)

    def send(number: int) -> int:
        return outbound.post(peer.url, b"%d" % number, content_type="application/json").status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(200))) == {200}
    assert peer.connections <= 8
    assert sorted(int(request.rpartition(b"\r\n")[2]) for request in peer.requests) == list(
        range(200)
    )


def test_the_next_address_is_tried_when_one_does_not_answer(serve: Peers, client: Clients) -> None:
    peer = serve()
    outbound = client(peer, names={"peer.example": ["127.0.0.3", "::1", "127.0.0.1"]})
    assert outbound.get(peer.url, accept="*/*").status == 200


@pytest.mark.parametrize("answer", [[], OSError("no such name"), UnicodeError("label too long")])
def test_a_name_without_addresses_is_not_known(
    client: Clients, answer: list[str] | Exception
) -> None:
    def resolve(host: str) -> list[str]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(OutboundError) as failed:
        client(resolver=resolve).get("https://peer.example/", accept="*/*")
    assert failed.value.code == OutboundErrorCode.NAME_NOT_RESOLVED
    assert not failed.value.permanent


def test_a_server_that_is_not_there_is_unreachable(serve: Peers, client: Clients) -> None:
    peer = serve()
    outbound = client(peer)
    peer.close()
    with pytest.raises(OutboundError) as failed:
        outbound.get(peer.url, accept="*/*")
    assert failed.value.code == OutboundErrorCode.UNREACHABLE
    assert not failed.value.permanent


def test_a_connection_that_breaks_is_a_typed_error(serve: Peers, client: Clients) -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise OSError("closed without a word")

    peer = serve(reset)
    with pytest.raises(OutboundError) as failed:
        client(peer).get(peer.url, accept="*/*")
    assert failed.value.code == OutboundErrorCode.UNREACHABLE


def test_proxies_and_passwords_of_the_environment_are_ignored(
    serve: Peers, client: Clients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    peer, proxy = serve(), serve()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine peer.example login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client(peer).get(peer.url, accept="*/*")
    assert (peer.connections, proxy.connections) == (1, 0)
    assert "authorization" not in peer.last[1]


def test_cookies_are_not_kept(serve: Peers, client: Clients) -> None:
    peer = serve(response(set_cookie="session=1; Path=/"))
    outbound = client(peer)
    outbound.get(peer.url, accept="*/*")
    outbound.get(peer.url, accept="*/*")
    assert len(peer.requests) == 2
    assert "cookie" not in peer.last[1]
