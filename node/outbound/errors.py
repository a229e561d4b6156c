"""What can go wrong on the way to another server."""

from enum import StrEnum

from node.errors import MoothallError
from node.messages import msg


class OutboundCode(StrEnum):
    """Why there is no answer."""

    BAD_URL = "bad_url"
    BAD_HEADER = "bad_header"
    FORBIDDEN_SCHEME = "forbidden_scheme"
    FORBIDDEN_PORT = "forbidden_port"
    FORBIDDEN_ADDRESS = "forbidden_address"
    FORBIDDEN_SERVER = "forbidden_server"
    NAME_NOT_RESOLVED = "name_not_resolved"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL_ERROR = "protocol_error"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    WRONG_CONTENT_TYPE = "wrong_content_type"


# What tells of names and servers inside the network in which the node stands.
_INTERNAL_CODES = frozenset(
    {
        OutboundCode.FORBIDDEN_ADDRESS,
        OutboundCode.FORBIDDEN_SERVER,
        OutboundCode.NAME_NOT_RESOLVED,
        OutboundCode.UNREACHABLE,
        OutboundCode.TLS,
        OutboundCode.TIMEOUT,
        OutboundCode.PROTOCOL_ERROR,
    }
)


class OutboundError(MoothallError):
    """No usable answer. `permanent` when the same request will never get one."""

    def __init__(self, code: OutboundCode, safe_text: str, *, permanent: bool = False) -> None:
        super().__init__(safe_text)
        self.code = code
        self.permanent = permanent

    @property
    def text_for_officers(self) -> str:
        """What whoever chose the address may know: what is wrong with the address as such, and
        otherwise no more than that there is no answer.
        """
        if self.code not in _INTERNAL_CODES:
            return self.safe_text
        return msg(
            "Nothing could be read at that address. Enter the public name of a "
            "server that responds."
        )


def timed_out() -> OutboundError:
    """The request as a whole took too long, wherever it was."""
    return OutboundError(OutboundCode.TIMEOUT, msg("The server did not respond in time."))
