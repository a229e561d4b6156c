"""Where the pages of the portfolio stand, and how their templates write days."""

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
    """A name on at most two lines of a picture, which does not break lines itself."""
    return textwrap.wrap(text, longest, max_lines=2, placeholder="…")
