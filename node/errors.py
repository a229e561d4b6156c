"""The node's own errors: each has a code, a text that is safe to show a person, and no HTTP.

`node.web.error_pages` is the one place that turns a code into a status.
"""

from collections.abc import Mapping

from node.messages import Message


class MoothallError(Exception):
    """The base of every error the node raises on purpose."""

    code = "error"

    def __init__(self, safe_text: str) -> None:
        super().__init__(safe_text)
        self.safe_text = safe_text


class UserFacingError(MoothallError):
    """An error that pages show, in the language of whoever reads them: its text is a saying."""

    safe_text: Message

    def __init__(self, safe_text: Message) -> None:
        super().__init__(safe_text)


class InvalidInputError(UserFacingError):
    """What was given cannot be used. `fields` maps a field's name to what is wrong with it."""

    code = "invalid"

    def __init__(self, safe_text: Message, fields: Mapping[str, Message] | None = None) -> None:
        super().__init__(safe_text)
        self.fields = dict(fields or {})


class ForbiddenError(UserFacingError):
    """The person is known, and may not do this."""

    code = "forbidden"


class NotFoundError(UserFacingError):
    """There is no such thing, or nobody may know that there is."""

    code = "not-found"


class GoneError(UserFacingError):
    """There was such a thing and it has been deleted."""

    code = "gone"


class ConflictError(UserFacingError):
    """Somebody else changed it since it was read."""

    code = "conflict"


class SettingsError(MoothallError):
    """The node cannot start with these settings."""

    code = "settings"


class DependencyUnreachableError(SettingsError):
    """What the node stands on does not answer, or not yet."""
