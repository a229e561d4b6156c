"""Validates the values of settings. Each `check_…` raises `SettingsError`."""

import re
from datetime import date
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from node import review_schedule
from node.errors import SettingsError

EMAIL_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# An API key of GOV.UK Notify: name, service id and secret, separated by hyphens.
NOTIFY_KEY = re.compile(rf"(?:.*-)?(?P<service>{UUID})-(?P<secret>{UUID})")
# Minimum length of a secret key, and number of distinct characters in it, which 32 random
# hexadecimal digits nearly always exceed.
MIN_SECRET_BYTES, MIN_DISTINCT_CHARACTERS = 32, 8
DATABASE_SCHEMES = ("postgresql+psycopg://", "sqlite:///")
# SQLite databases that other processes cannot see and that are lost with their process.
IN_MEMORY_DATABASES = {None, "", ":memory:"}
# The smallest and the largest value of each setting that is a number.
ALLOWED_RANGES = {
    "threads": (1, 1000),
    "delivery_threads": (1, 1000),
    "lease_seconds": (30, 86_400),
    "compare_hours": (1, 1000),
    # A forwarded message is accepted for 14 days, and has to be recognised for as long.
    "inbox_days": (14, 3650),
    "stale_weeks": (1, review_schedule.MAX_WEEKS),
    "escalate_weeks": (1, review_schedule.MAX_WEEKS),
    "archive_weeks": (2, review_schedule.MAX_WEEKS),
    "silent_days": (1, 3650),
    "smtp_port": (1, 65_535),
    "session_idle_hours": (1, 720),
    "session_days": (1, 365),
}


def check_base_url(url: str) -> None:
    scheme, _, authority = url.partition("://")
    if scheme not in {"http", "https"} or not is_authority(authority):
        raise SettingsError(
            "base_url must be an address such as https://moothall.example.gov.uk,"
            f" in lower case and without a path: {url!r}."
        )


def is_database_url(url: str) -> bool:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return False
    is_in_memory = parsed.drivername == "sqlite" and parsed.database in IN_MEMORY_DATABASES
    return url.startswith(DATABASE_SCHEMES) and not is_in_memory


def is_authority(text: str, *, with_port: bool = False) -> bool:
    """Whether `text` is `host` or `host:port`, and nothing else, in lower case."""
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        return False
    return (
        bool(parts.hostname)
        and parts.netloc == text == text.lower()
        and "@" not in text
        and text.isprintable()
        and " " not in text
        and port != 0
        and (port is not None or not (with_port or text.endswith(":")))
    )


def check_mail(backend: str, sender: str, key: str, template: str) -> None:
    """Check the settings that the mail backend needs."""
    if sender and not EMAIL_ADDRESS.fullmatch(sender):
        raise SettingsError("mail_from must be an address, such as moothall@example.gov.uk.")
    if backend == "smtp" and not sender:
        raise SettingsError("With mail = smtp, mail_from must be set.")
    if backend == "notify" and not NOTIFY_KEY.fullmatch(key):
        raise SettingsError("With mail = notify, notify_key must be an API key of GOV.UK Notify.")
    if backend == "notify" and not template:
        raise SettingsError("With mail = notify, notify_template must be the id of a template.")


def check_secret(key: str) -> None:
    """Check that a secret key, unless it is empty, is long and looks random."""
    if key and (len(key.encode()) < MIN_SECRET_BYTES or len(set(key)) < MIN_DISTINCT_CHARACTERS):
        raise SettingsError(
            f"secret_key must be random and have at least {MIN_SECRET_BYTES} bytes:"
            " use the output of `openssl rand -hex 32`."
        )


def check_proxy(address: str) -> None:
    """Check that `address` is empty or the IP address of one machine."""
    try:
        is_valid = not address or not ip_address(address).is_unspecified
    except ValueError:
        is_valid = False
    if not is_valid:
        raise SettingsError(
            "trusted_proxy must be the IP address of the proxy, such as 127.0.0.1, because a"
            f" trusted machine can claim to be any visitor: {address!r}."
        )


def check_date(name: str, value: str) -> None:
    """Check that `value` is empty or a date such as 2026-11-26."""
    try:
        if value:
            date.fromisoformat(value)
    except ValueError as error:
        raise SettingsError(f"{name} must be a date such as 2026-11-26: {value!r}.") from error
