"""The client under test, with names that lead to loopback."""

from collections.abc import Collection, Mapping, Sequence

from node.outbound import OutboundClient, Resolver
from tests.outbound.peers import Peer


class Clients:
    """Makes clients that find `peer.example` (and what `names` adds), and closes them in the end.

    They may talk to the `private` peers and to `private_hosts`; a `resolver` replaces the names.
    """

    def __init__(self) -> None:
        self._made: list[OutboundClient] = []

    def __call__(
        self,
        *private: Peer,
        names: Mapping[str, Sequence[str]] | None = None,
        private_hosts: Collection[str] = (),
        timeout: float = 5.0,
        ca_file: str | None = None,
        resolver: Resolver | None = None,
    ) -> OutboundClient:
        known = {"peer.example": ["127.0.0.1"], **(names or {})}

        def resolve(host: str) -> Sequence[str]:
            if host not in known:
                raise OSError("no such name")
            return known[host]

        self._made.append(
            OutboundClient(
                user_agent="Moothall/test",
                private_hosts=[*private_hosts, *(peer.authority for peer in private)],
                timeout=timeout,
                ca_file=ca_file,
                resolver=resolver or resolve,
            )
        )
        return self._made[-1]

    def close(self) -> None:
        for made in self._made:
            made.close()
