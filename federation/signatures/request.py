"""A request as it came over the wire, without a web framework."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class Headers:
    """Header fields by name, in any case. Several of one name are joined (RFC 9110 section 5.3)."""

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key, line = name.lower(), value.strip(" \t")
            self._values[key] = f"{self._values[key]}, {line}" if key in self._values else line

    def get(self, name: str) -> str | None:
        return self._values.get(name.lower())

    def items(self) -> Iterable[tuple[str, str]]:
        """Names in lower case, with their values."""
        return self._values.items()

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


def request_target(url: str) -> str:
    """The path of `url` with its query, exactly as sent: what signatures call the target."""
    rest = url.partition("#")[0].partition("://")[2]
    start = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    target = rest[start:]
    return target if target.startswith("/") else f"/{target}"


@dataclass(frozen=True)
class SignedRequest:
    """What a signature can speak about.

    `scheme` and `authority` (`host` or `host:port`) are our own as configured, never what the
    sender claims; `target` is the path with its query exactly as received; `body` the exact bytes.
    """

    method: str
    scheme: str
    authority: str
    target: str
    headers: Headers
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str | None:
        """The query without its question mark; None where there is no question mark."""
        _, mark, query = self.target.partition("?")
        return query if mark else None

    @property
    def has_content(self) -> bool:
        """Whether there is, or should be, a body that a digest must speak for."""
        return bool(self.body) or self.method.upper() not in {"GET", "HEAD"}
