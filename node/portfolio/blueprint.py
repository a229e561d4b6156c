"""The blueprint of the portfolio pages, and template filters for dates and labels."""

import textwrap
from datetime import date

from flask import Blueprint
from flask_babel import format_date

blueprint = Blueprint("portfolio", __name__, template_folder="templates")


@blueprint.app_template_filter("month")
def month(on: date) -> str:
    """`November 2026`."""
    return str(format_date(on, "MMMM y"))


@blueprint.app_template_filter("short_month")
def short_month(on: date) -> str:
    """`Nov 26`."""
    return str(format_date(on, "MMM yy"))


@blueprint.app_template_filter("weekday")
def weekday(on: date) -> str:
    """`Mon`."""
    return str(format_date(on, "EEE"))


@blueprint.app_template_filter("picture_lines")
def picture_lines(text: str, longest: int) -> list[str]:
    """Wrap a name to at most two lines of `longest` characters, since SVG does not wrap text."""
    return textwrap.wrap(text, longest, max_lines=2, placeholder="…")
