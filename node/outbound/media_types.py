"""Content types: reading what a server says it sent."""

from collections.abc import Collection
from email.message import Message

# ActivityPub section 3.2 and the WebFinger document's type (RFC 7033 section 10.2).
AS2 = (
    "application/activity+json",
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
)
JRD = ("application/jrd+json", "application/json")


def matches(content_type: str, wanted: Collection[str]) -> bool:
    """Whether `content_type` is one of the `wanted` types, with at least that one's parameters.

    A parameter's value is a list of words, as `profile` is (RFC 6906).
    """
    media_type, parameters = _parse(content_type)
    for expected_type, expected in map(_parse, wanted):
        if media_type == expected_type and all(
            words <= parameters.get(name, frozenset()) for name, words in expected.items()
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
