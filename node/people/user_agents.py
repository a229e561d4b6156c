"""Names browsers and systems from User-Agent headers, so that users recognise their devices. Pure.

Covers the few browsers that people use; a library for all would add megabytes of patterns. Others
stay unnamed.
"""

from typing import NamedTuple

# In this order: many user agents also contain names further down.
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
    """A browser and the system it runs on; each empty if unknown."""

    browser: str
    system: str


def parse_device(user_agent: str) -> Device:
    """The device that sends this User-Agent header (RFC 9110, section 10.1.5)."""
    return Device(_find_first_name(BROWSERS, user_agent), _find_first_name(SYSTEMS, user_agent))


def _find_first_name(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for pattern, name in names if pattern in user_agent), "")
