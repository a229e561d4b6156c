"""Errors in messages and documents, each with a sentence that is safe to show."""

from dataclasses import dataclass
from enum import StrEnum


class FederationError(Exception):
    """Base class of the errors that this library raises for bad input."""

    def __init__(self, safe_text: str) -> None:
        super().__init__(safe_text)
        self.safe_text = safe_text


class AddressError(FederationError, ValueError):
    """An address (URL, host or `@name@host`) is malformed or not allowed."""


class DocumentError(FederationError):
    """The property `property_name` of a document is missing or unreadable; `problem` says why."""

    def __init__(self, property_name: str, problem: str) -> None:
        super().__init__(f"Problem with “{property_name}” in the document: {problem}.")
        self.property_name = property_name
        self.problem = problem


class RefusalReason(StrEnum):
    """Why a message was refused. `REFUSAL_RESPONSES` holds the status and text for each."""

    too_large = "too_large"
    wrong_type = "wrong_type"
    host_not_allowed = "host_not_allowed"
    not_json = "not_json"
    not_activity = "not_activity"
    digest_missing = "digest_missing"
    digest_wrong = "digest_wrong"
    date_missing = "date_missing"
    date_outside_window = "date_outside_window"
    signature_missing = "signature_missing"
    signature_scheme_unknown = "signature_scheme_unknown"
    signature_malformed = "signature_malformed"
    signature_incomplete = "signature_incomplete"
    signature_algorithm = "signature_algorithm"
    signature_wrong = "signature_wrong"
    wrong_host = "wrong_host"
    key_not_found = "key_not_found"
    key_gone = "key_gone"
    key_unreachable = "key_unreachable"
    key_unusable = "key_unusable"
    key_not_owned = "key_not_owned"
    actor_not_key_owner = "actor_not_key_owner"
    actor_blocked = "actor_blocked"
    origin_mismatch = "origin_mismatch"
    too_many = "too_many"
    too_many_keys = "too_many_keys"
    busy = "busy"
    proof_missing = "proof_missing"
    proof_malformed = "proof_malformed"
    proof_wrong = "proof_wrong"


@dataclass(frozen=True)
class RefusalResponse:
    """The response to a refused message.

    `permanent`: the same message will always be refused. `retry_after`: seconds until the sender
    may try again.
    """

    status: int
    text: str
    permanent: bool = True
    retry_after: int | None = None


REFUSAL_RESPONSES: dict[RefusalReason, RefusalResponse] = {
    RefusalReason.too_large: RefusalResponse(
        413, "The message is larger than this server accepts."
    ),
    RefusalReason.wrong_type: RefusalResponse(
        415, "The content type is not an ActivityPub content type."
    ),
    RefusalReason.host_not_allowed: RefusalResponse(
        403, "This server does not exchange data with yours.", permanent=False
    ),
    RefusalReason.not_json: RefusalResponse(400, "The body cannot be read as a JSON object."),
    RefusalReason.not_activity: RefusalResponse(400, "The body is not an activity."),
    RefusalReason.digest_missing: RefusalResponse(401, "The request has no digest of its body."),
    RefusalReason.digest_wrong: RefusalResponse(
        401, "The digest is not a correct SHA-256 digest of the body."
    ),
    RefusalReason.date_missing: RefusalResponse(401, "The request has no date."),
    RefusalReason.date_outside_window: RefusalResponse(
        401, "The date cannot be read, is too old or is in the future.", permanent=False
    ),
    RefusalReason.signature_missing: RefusalResponse(401, "The request is not signed."),
    RefusalReason.signature_scheme_unknown: RefusalResponse(
        401, "The request uses an unknown signature scheme."
    ),
    RefusalReason.signature_malformed: RefusalResponse(401, "The signature cannot be read."),
    RefusalReason.signature_incomplete: RefusalResponse(
        401, "The signature does not cover all the required parts of the request."
    ),
    RefusalReason.signature_algorithm: RefusalResponse(
        401, "The signature algorithm is not accepted."
    ),
    RefusalReason.signature_wrong: RefusalResponse(401, "The signature does not match."),
    RefusalReason.wrong_host: RefusalResponse(401, "The request is meant for another server."),
    RefusalReason.key_not_found: RefusalResponse(
        401, "The key could not be found.", permanent=False
    ),
    RefusalReason.key_gone: RefusalResponse(401, "The key no longer exists."),
    RefusalReason.key_unreachable: RefusalResponse(
        503, "The server that holds the key is not responding.", permanent=False, retry_after=60
    ),
    RefusalReason.key_unusable: RefusalResponse(401, "The key cannot be used."),
    RefusalReason.key_not_owned: RefusalResponse(
        401, "The actor that owns the key does not list it."
    ),
    RefusalReason.actor_not_key_owner: RefusalResponse(403, "The actor did not sign this message."),
    RefusalReason.actor_blocked: RefusalResponse(403, "The actor is blocked on this server."),
    RefusalReason.origin_mismatch: RefusalResponse(
        403, "The actor is not allowed to act for this object."
    ),
    RefusalReason.too_many: RefusalResponse(
        429, "Too many messages from your server are waiting.", permanent=False, retry_after=60
    ),
    RefusalReason.too_many_keys: RefusalResponse(
        429,
        "Too many keys from your server were requested in the last minute.",
        permanent=False,
        retry_after=60,
    ),
    RefusalReason.busy: RefusalResponse(
        503, "This server is busy.", permanent=False, retry_after=10
    ),
    RefusalReason.proof_missing: RefusalResponse(401, "The document has no integrity proof."),
    RefusalReason.proof_malformed: RefusalResponse(401, "The integrity proof cannot be read."),
    RefusalReason.proof_wrong: RefusalResponse(401, "The integrity proof does not match."),
}


class Refusal(FederationError):
    """A message is refused for `reason`. `detail` is for the operator's log, not for the sender."""

    def __init__(self, reason: RefusalReason, detail: str = "") -> None:
        super().__init__(REFUSAL_RESPONSES[reason].text)
        self.reason = reason
        self.detail = detail

    @property
    def status(self) -> int:
        """The HTTP status to answer with."""
        return REFUSAL_RESPONSES[self.reason].status

    @property
    def permanent(self) -> bool:
        """Whether the same message will always be refused."""
        return REFUSAL_RESPONSES[self.reason].permanent

    @property
    def retry_after(self) -> int | None:
        """Seconds until the message may be sent again; None if unknown."""
        return REFUSAL_RESPONSES[self.reason].retry_after

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason.value
