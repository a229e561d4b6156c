"""Content types: comparing the Content-Type of a response with the expected ones."""

from collections.abc import Collection
from email.message import Message

# ActivityPub section 3.2 and the WebFinger document's type (RFC 7033 section 10.2).
AS2_MEDIA_TYPES = (
    "application/activity+json",
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
)
JRD_MEDIA_TYPES = ("application/jrd+json", "application/json")


def matches(content_type: str, accepted: Collection[str]) -> bool:
    """Whether `content_type` is one of `accepted` and has at least the same parameters.

    The value of a parameter is a list of words, as for `profile` (RFC 6906).
    """
    media_type, parameters = _parse(content_type)
    for expected_type, expected_parameters in map(_parse, accepted):
        if media_type == expected_type and all(
            expected_words <= parameters.get(name, frozenset())
            for name, expected_words in expected_parameters.items()
        ):
            return True
    return False


def _parse(content_type: str) -> tuple[str, dict[str, frozenset[str]]]:
    message = Message()
    message["content-type"] = content_type
    (media_type, _), *parameters = message.get_params(failobj=[("", "")])
    return media_type.lower(), {
        name.lower(): frozenset(value.split()) for name, value in parameters
    }
