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
from node.federating.views.current_viewer import current_viewer
from node.languages import LANGUAGE_PARAMETER
from node.messages import Message
from node.portfolio.scope import PortfolioScope
from node.request import current_node, current_work, parse_row_id
from node.search import service as search
from node.search.facets import (
    DATE_RANGES,
    DateRangeFilter,
    SearchFacet,
    SelectedFilter,
    build_facets,
    list_selected_filters,
    months_ahead_queries,
)
from node.search.search_params import SearchParams, parse

LONDON = ZoneInfo("Europe/London")
MONTH_PATTERN = re.compile(r"(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class PortfolioParams:
    """A scope, and the council that it is cut down to, if it is. `errors` are by parameter."""

    scope: PortfolioScope
    council: Council | None
    errors: Mapping[str, Message]

    @property
    def search_params(self) -> SearchParams:
        return self.scope.search_params

    @property
    def phase(self) -> str:
        """The phase that was chosen, if it is one."""
        return self.search_params.phase[0] if len(self.search_params.phase) == 1 else ""

    @property
    def other_filters(self) -> list[SelectedFilter]:
        """What was chosen in the finder besides council, origin and phase."""
        if not self.search_params.is_narrowed:
            return []
        found = list_selected_filters(self.search_params, self.facets)
        return [one for one in found if self._is_other_filter(one.without)]

    @cached_property
    def facets(self) -> tuple[SearchFacet, ...]:
        """All that the finder narrows down by."""
        return build_facets(
            search.list_shown_councils(current_work().session), current_node().hooks.facets
        )

    @property
    def days(self) -> tuple[DateRangeFilter, ...]:
        """The spans of time that the finder narrows down by."""
        return DATE_RANGES

    @property
    def months_ahead(self) -> Mapping[str, Mapping[int, str]]:
        """For each span that is ahead: the same choice for so many months from today."""
        return months_ahead_queries(self.search_params, today())

    @property
    def page_pairs(self) -> list[tuple[str, str]]:
        """The query parameters of the page itself, such as a month: a form keeps them."""
        others = {item.name for item in fields(SearchParams)} | {"page", LANGUAGE_PARAMETER}
        return [pair for pair in request.args.items(multi=True) if pair[0] not in others]

    def _is_other_filter(self, without: SearchParams) -> bool:
        kept = self.search_params
        has_phase = not self.phase or without.phase == kept.phase
        return has_phase and (without.origin, without.council) == (kept.origin, kept.council)

    def finder_url(self, **changes: Any) -> str:
        """The address of the list of the same projects, with some of it changed."""
        query = replace(self.search_params, **changes).query_string
        return url_for("projects.index") + (f"?{query}" if query else "")


def parse_params() -> PortfolioParams:
    """The choice in the query string, as the finder reads it; what is not a choice is left out."""
    wanted, error = parse(request.args.items(multi=True))
    wanted = replace(wanted, sort="")
    number = wanted.council
    session = current_work().session
    council = councils.by_id(session, number) if number is not None else None
    return PortfolioParams(
        PortfolioScope(current_viewer(), wanted), council, error.fields if error else {}
    )


def parse_month(name: str) -> date | None:
    """The first day of the month in the query string, such as `2026-11`."""
    found = MONTH_PATTERN.fullmatch(request.args.get(name, ""))
    return date(int(found[1]), int(found[2]), 1) if found else None


def today() -> date:
    """The day it is in London."""
    return datetime.now(UTC).astimezone(LONDON).date()


def page_number() -> int:
    return request.args.get("page", 1, type=parse_row_id)


def public_url(endpoint: str, **values: Any) -> str:
    """The whole address of a page, as it is known outside, whatever name it was asked by."""
    return f"{current_node().settings.base_url}{url_for(endpoint, **values)}"
