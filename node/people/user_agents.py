"""What a browser calls itself, in words that people recognise a device by. Pure.

Of the hundreds of browsers, these few are what people use; a library that knows the others holds
some megabytes of patterns. Of another, nothing is said.
"""

from typing import NamedTuple

# In this order: many also call themselves by the names that follow.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


class Device(NamedTuple):
    """A browser and the system it runs on; empty where they are not known."""

    browser: str
    system: str


def parse_device(user_agent: str) -> Device:
    """The device that sends this User-Agent header (RFC 9110, section 10.1.5)."""
    return Device(_first_match(BROWSERS, user_agent), _first_match(SYSTEMS, user_agent))


def _first_match(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for part, name in names if part in user_agent), "")
