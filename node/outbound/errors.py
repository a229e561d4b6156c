"""Errors of requests to other servers."""

from enum import StrEnum

from node.errors import MoothallError
from node.messages import msg


class OutboundErrorCode(StrEnum):
    """Why a request has no usable response."""

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


# Codes that would reveal names and servers inside the node's own network.
_INTERNAL_CODES = frozenset(
    {
        OutboundErrorCode.FORBIDDEN_ADDRESS,
        OutboundErrorCode.FORBIDDEN_SERVER,
        OutboundErrorCode.NAME_NOT_RESOLVED,
        OutboundErrorCode.UNREACHABLE,
        OutboundErrorCode.TLS,
        OutboundErrorCode.TIMEOUT,
        OutboundErrorCode.PROTOCOL_ERROR,
    }
)


class OutboundError(MoothallError):
    """A request has no usable response. `permanent`: a retry cannot succeed."""

    def __init__(self, code: OutboundErrorCode, safe_text: str, *, permanent: bool = False) -> None:
        super().__init__(safe_text)
        self.code = code
        self.permanent = permanent

    @property
    def text_for_officers(self) -> str:
        """The text for the officer who entered the address.

        Names problems with the address itself; any other error becomes a general sentence, so that
        nothing about the internal network is revealed.
        """
        if self.code not in _INTERNAL_CODES:
            return self.safe_text
        return msg(
            "Nothing could be read at that address. Enter the public name of a "
            "server that responds."
        )


def timeout_error() -> OutboundError:
    """The error for a request that passed its deadline, at any stage."""
    return OutboundError(OutboundErrorCode.TIMEOUT, msg("The server did not respond in time."))
