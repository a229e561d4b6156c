"""The node's own errors: each has a code, a text that is safe to show a person, and no HTTP.

`node.web.error_pages` is the one place that turns a code into a status.
"""


class MoothallError(Exception):
    """The base of every error the node raises on purpose."""

    code = "error"

    def __init__(self, safe_text: str) -> None:
        super().__init__(safe_text)
        self.safe_text = safe_text


class InvalidInputError(MoothallError):
    """What was given cannot be used. `fields` maps a field's name to what is wrong with it."""

    code = "invalid"

    def __init__(self, safe_text: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(safe_text)
        self.fields = fields or {}


class ForbiddenError(MoothallError):
    """The person is known, and may not do this."""

    code = "forbidden"


class NotFoundError(MoothallError):
    """There is no such thing, or nobody may know that there is."""

    code = "not-found"


class GoneError(MoothallError):
    """There was such a thing and it has been deleted."""

    code = "gone"


class ConflictError(MoothallError):
    """Somebody else changed it since it was read."""

    code = "conflict"


class SettingsError(MoothallError):
    """The node cannot start with these settings."""

    code = "settings"
