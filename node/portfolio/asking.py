"""What a visitor asked to see: scopes, months and pages, from the address of a page."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for

from node.councils import service as councils
from node.councils.models import Council
from node.federating.views.asking import current_reader
from node.portfolio.scope import ORIGINS, Scope
from node.projects.models import Phase
from node.request import current_node, current_work, row_id

LONDON = ZoneInfo("Europe/London")
MONTH = re.compile(r"(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """A scope, and the council that it is cut down to, if it is."""

    scope: Scope
    council: Council | None


def asked() -> Asked:
    """The choice in the query string; what is not a choice is not heard."""
    reader = current_reader()
    origin = request.args.get("origin", "all")
    number = request.args.get("council", type=row_id)
    session = current_work().session
    council = councils.by_number(session, number) if number is not None else None
    return Asked(
        Scope(
            reader,
            origin=origin if origin in ORIGINS else "all",
            council_id=council.id if council else None,
            phase=request.args.get("phase", type=Phase),
        ),
        council,
    )


def asked_month(name: str) -> date | None:
    """The first day of the month in the query string, such as `2026-11`."""
    found = MONTH.fullmatch(request.args.get(name, ""))
    return date(int(found[1]), int(found[2]), 1) if found else None


def today() -> date:
    """The day it is in London."""
    return datetime.now(UTC).astimezone(LONDON).date()


def page_number() -> int:
    return request.args.get("page", 1, type=row_id)


def public_address(endpoint: str, **values: Any) -> str:
    """The whole address of a page, as it is known outside, whatever name it was asked by."""
    return f"{current_node().settings.base_url}{url_for(endpoint, **values)}"
