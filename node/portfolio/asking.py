"""What a visitor asked to see: scopes, months and pages, from the address of a page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for

from node.councils import service as councils
from node.councils.models import Council
from node.federating.views.asking import current_reader
from node.languages import PARAMETER
from node.portfolio.scope import Scope
from node.request import current_node, current_work, row_id
from node.search import service as search
from node.search.facets import DAYS, Chosen, Days, Facet, ahead, chosen, facets
from node.search.wanted import Wanted, read
from node.wording import Saying

LONDON = ZoneInfo("Europe/London")
MONTH = re.compile(r"(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """A scope, and the council that it is cut down to, if it is. `errors` are by parameter."""

    scope: Scope
    council: Council | None
    errors: Mapping[str, Saying]

    @property
    def wanted(self) -> Wanted:
        return self.scope.wanted

    @property
    def phase(self) -> str:
        """The phase that was chosen, if it is one."""
        return self.wanted.phase[0] if len(self.wanted.phase) == 1 else ""

    @property
    def beside(self) -> list[Chosen]:
        """What was chosen in the finder besides council, origin and phase."""
        if not self.wanted.narrows:
            return []
        found = chosen(self.wanted, self.facets)
        return [one for one in found if self._is_beside(one.without)]

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """All that the finder narrows down by."""
        return facets(search.councils(current_work().session), current_node().hooks.facets)

    @property
    def days(self) -> tuple[Days, ...]:
        """The spans of time that the finder narrows down by."""
        return DAYS

    @property
    def ahead(self) -> Mapping[str, Mapping[int, str]]:
        """For each span that is ahead: the same choice for so many months from today."""
        return ahead(self.wanted, today())

    @property
    def of_page(self) -> list[tuple[str, str]]:
        """The query parameters of the page itself, such as a month: a form keeps them."""
        others = {item.name for item in fields(Wanted)} | {"page", PARAMETER}
        return [pair for pair in request.args.items(multi=True) if pair[0] not in others]

    def _is_beside(self, without: Wanted) -> bool:
        kept = self.wanted
        has_phase = not self.phase or without.phase == kept.phase
        return has_phase and (without.origin, without.council) == (kept.origin, kept.council)

    def finder(self, **changes: Any) -> str:
        """The address of the list of the same projects, with some of it changed."""
        query = replace(self.wanted, **changes).query
        return url_for("projects.index") + (f"?{query}" if query else "")


def asked() -> Asked:
    """The choice in the query string, as the finder reads it; what is not a choice is left out."""
    wanted, error = read(request.args.items(multi=True))
    wanted = replace(wanted, sort="")
    number = wanted.council
    session = current_work().session
    council = councils.by_number(session, number) if number is not None else None
    return Asked(Scope(current_reader(), wanted), council, error.fields if error else {})


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
