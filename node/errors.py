"""The node's own errors: each has a code, a text that is safe to show a person, and no HTTP.

`node.web.error_pages` is the one place that turns a code into a status.
"""

from collections.abc import Mapping

from node.wording import Saying


class MoothallError(Exception):
    """The base of every error the node raises on purpose."""

    code = "error"

    def __init__(self, safe_text: str) -> None:
        super().__init__(safe_text)
        self.safe_text = safe_text


class SaidError(MoothallError):
    """An error that pages show, in the language of whoever reads them: its text is a saying."""

    safe_text: Saying

    def __init__(self, safe_text: Saying) -> None:
        super().__init__(safe_text)


class InvalidInputError(SaidError):
    """What was given cannot be used. `fields` maps a field's name to what is wrong with it."""

    code = "invalid"

    def __init__(self, safe_text: Saying, fields: Mapping[str, Saying] | None = None) -> None:
        super().__init__(safe_text)
        self.fields = dict(fields or {})


class ForbiddenError(SaidError):
    """The person is known, and may not do this."""

    code = "forbidden"


class NotFoundError(SaidError):
    """There is no such thing, or nobody may know that there is."""

    code = "not-found"


class GoneError(SaidError):
    """There was such a thing and it has been deleted."""

    code = "gone"


class ConflictError(SaidError):
    """Somebody else changed it since it was read."""

    code = "conflict"


class SettingsError(MoothallError):
    """The node cannot start with these settings."""

    code = "settings"


class UnreachableError(SettingsError):
    """What the node stands on does not answer, or not yet."""
