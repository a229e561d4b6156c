"""The node's own errors. Each has a code and a text that is safe to show.

`node.web.error_pages` maps codes to HTTP status codes.
"""

from collections.abc import Mapping

from node.messages import Message


class MoothallError(Exception):
    """Base class of the errors that the node raises on purpose."""

    code = "error"

    def __init__(self, safe_text: str) -> None:
        super().__init__(safe_text)
        self.safe_text = safe_text


class UserFacingError(MoothallError):
    """An error that pages show, translated into the reader's language."""

    safe_text: Message

    def __init__(self, safe_text: Message) -> None:
        super().__init__(safe_text)


class InvalidInputError(UserFacingError):
    """The input is invalid. `fields` maps names of fields to what is wrong with their values."""

    code = "invalid"

    def __init__(self, safe_text: Message, fields: Mapping[str, Message] | None = None) -> None:
        super().__init__(safe_text)
        self.fields = dict(fields or {})


class ForbiddenError(UserFacingError):
    """The user does not have the permission that is needed."""

    code = "forbidden"


class NotFoundError(UserFacingError):
    """The object does not exist, or the viewer must not learn that it does."""

    code = "not-found"


class GoneError(UserFacingError):
    """The object has been deleted."""

    code = "gone"


class ConflictError(UserFacingError):
    """Someone else has changed the object since it was read."""

    code = "conflict"


class SettingsError(MoothallError):
    """The node cannot start with these settings."""

    code = "settings"


class DependencyUnreachableError(SettingsError):
    """The database or the job engine does not respond, or not yet."""
