"""Every other server there may be: it takes what is sent, and has nothing to show."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from node.testing.fake_peer import FakePeer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Everybody(dict[str, Any]):
    """The applications of known hosts, and one for each host that nobody made."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.posts: list[str] = []

    def get(self, host: str, _default: Any = None) -> Any:
        return self.setdefault(host, self._stranger(host))

    def _stranger(self, host: str) -> Any:
        peer = FakePeer(host)

        def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                self.posts.append(host)
            return peer(environ, start_response)

        return answer
