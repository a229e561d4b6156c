"""Which IP addresses may be connected to (IANA special-purpose address registries, RFC 6890)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own agent, answering on a public address
        "169.254.0.0/16",  # link-local, and where clouds keep credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Excludes mapped, compatible, translated (NAT64), unique local, link-local, site-local and
# multicast addresses.
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_NOT_PUBLIC_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_LOCAL_IPV4 = tuple(
    IPv4Network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_LOCAL_IPV6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
_METADATA_IPV6 = IPv6Address("fd00:ec2::254")


def can_connect(address: str, *, allow_private: bool) -> bool:
    """Whether a numeric address is public or, if `private` is set, loopback or private."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public(parsed) or (allow_private and _is_local(parsed))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_IPV4)
    return (
        address.scope_id is None
        and address in _PUBLIC_IPV6
        and not any(address in network for network in _NOT_PUBLIC_IPV6)
    )


def _is_local(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _LOCAL_IPV4)
    return (
        address.scope_id is None
        and address != _METADATA_IPV6
        and any(address in network for network in _LOCAL_IPV6)
    )
