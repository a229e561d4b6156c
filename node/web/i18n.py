"""Languages: English now. Every visible string is marked for translation: Welsh comes next."""

from flask import Flask
from flask_babel import Babel

DEFAULT_LOCALE = "en_GB"
TIMEZONE = "Europe/London"


def register(app: Flask) -> None:
    """Set up translation and the zone in which times are shown."""
    Babel(app, default_locale=DEFAULT_LOCALE, default_timezone=TIMEZONE)
