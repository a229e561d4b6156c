"""What a name may lead to (must 25)."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis.strategies import ip_addresses

from node.outbound import OutboundError, OutboundErrorCode
from node.outbound.ip_addresses import can_connect
from tests.outbound.clients import Clients
from tests.outbound.peers import Peers

LOCAL = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "::1",
    "fc00::1",
]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%1",
    "fec0::1",
    "ff02::1",
    "not-an-address",
    "127.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "2130706433",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "51.140.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("address", LOCAL + NEVER)
def test_must_25_a_name_that_leads_to_an_address_that_is_not_public_is_refused(
    client: Clients, address: str
) -> None:
    outbound = client(names={"evil.example": [address]})
    with pytest.raises(OutboundError) as refused:
        outbound.get("https://evil.example/", accept="*/*")
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS
    assert address not in refused.value.safe_text


@pytest.mark.parametrize("address", NEVER)
def test_must_25_permission_for_a_private_host_is_for_loopback_and_private_addresses_alone(
    serve: Peers, client: Clients, address: str
) -> None:
    peer = serve()
    outbound = client(peer, names={"peer.example": [address]})
    with pytest.raises(OutboundError) as refused:
        outbound.get(peer.url, accept="*/*")
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS


@pytest.mark.parametrize("address", LOCAL)
def test_permission_for_a_private_host_covers_local_addresses(address: str) -> None:
    assert can_connect(address, allow_private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert can_connect(address, allow_private=False)


@pytest.mark.parametrize(
    "addresses", [("8.8.8.8", "127.0.0.1"), ("127.0.0.1", "8.8.8.8"), ("8.8.8.8", "fe80::1%2")]
)
def test_one_bad_address_among_good_ones_is_enough(
    client: Clients, addresses: tuple[str, ...]
) -> None:
    outbound = client(names={"evil.example": addresses})
    with pytest.raises(OutboundError) as refused:
        outbound.post("https://evil.example/inbox", b"{}", content_type="application/json")
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS
    assert not refused.value.permanent


@given(ip_addresses())
def test_must_25_nothing_the_registries_call_special_may_be_connected_to(
    address: IPv4Address | IPv6Address,
) -> None:
    if can_connect(str(address), allow_private=False):
        assert address.is_global
        assert not address.is_multicast
        assert getattr(address, "ipv4_mapped", None) is None
        assert getattr(address, "sixtofour", None) is None
        assert getattr(address, "teredo", None) is None


@given(ip_addresses(v=4))
def test_must_25_an_ipv4_address_in_any_ipv6_dress_is_refused(address: IPv4Address) -> None:
    inside = int(address)
    for prefix, shift in [
        ("::", 0),
        ("::ffff:0:0", 0),
        ("64:ff9b::", 0),
        ("2002::", 80),
        ("64:ff9b:1::", 0),
    ]:
        dressed = IPv6Address(int(IPv6Address(prefix)) | inside << shift)
        assert not can_connect(str(dressed), allow_private=False)


def test_a_private_host_is_none_for_addresses_that_officers_enter(client: Clients) -> None:
    outbound = client(private_hosts=["peer.example:443"])
    with pytest.raises(OutboundError) as refused:
        outbound.public_only.get("https://peer.example/", accept="*/*")
    assert refused.value.code == OutboundErrorCode.FORBIDDEN_ADDRESS
