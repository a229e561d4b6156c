"""HTTP requests as they were received, independent of a web framework."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class Headers:
    """Case-insensitive header fields. Repeated fields are joined (RFC 9110 section 5.3)."""

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
    """The request target of `url`: its path with its query, exactly as sent."""
    rest = url.partition("#")[0].partition("://")[2]
    start = min(
        (index for index in (rest.find("/"), rest.find("?")) if index >= 0), default=len(rest)
    )
    target = rest[start:]
    return target if target.startswith("/") else f"/{target}"


@dataclass(frozen=True)
class SignedRequest:
    """The parts of a request that a signature can cover.

    `scheme` and `authority` (`host` or `host:port`) come from our configuration, never from the
    sender. `target` is the path with its query, and `body` the bytes, exactly as received.
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
        """The query without its question mark; None if there is no question mark."""
        _, separator, query = self.target.partition("?")
        return query if separator else None

    @property
    def has_content(self) -> bool:
        """Whether the request has, or should have, a body that a digest must cover."""
        return bool(self.body) or self.method.upper() not in {"GET", "HEAD"}
