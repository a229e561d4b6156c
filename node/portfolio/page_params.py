"""Parses the parameters of portfolio pages: search, council, month and page number."""

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
    """The scope of a page, the council it is limited to, if any, and errors by parameter."""

    scope: PortfolioScope
    council: Council | None
    errors: Mapping[str, Message]

    @property
    def search_params(self) -> SearchParams:
        return self.scope.search_params

    @property
    def phase(self) -> str:
        """The selected phase; "" if none or several are selected."""
        return self.search_params.phase[0] if len(self.search_params.phase) == 1 else ""

    @property
    def other_filters(self) -> list[SelectedFilter]:
        """The selected filters other than council, origin and phase, which have their own links."""
        if not self.search_params.is_narrowed:
            return []
        selected = list_selected_filters(self.search_params, self.facets)
        return [item for item in selected if self._is_other_filter(item.without)]

    @cached_property
    def facets(self) -> tuple[SearchFacet, ...]:
        """The facets of the project search."""
        return build_facets(
            search.list_shown_councils(current_work().session), current_node().hooks.facets
        )

    @property
    def days(self) -> tuple[DateRangeFilter, ...]:
        """The date ranges of the project search."""
        return DATE_RANGES

    @property
    def months_ahead_queries(self) -> Mapping[str, Mapping[int, str]]:
        """Query strings of this search by date range and number of months from today."""
        return months_ahead_queries(self.search_params, today())

    @property
    def page_pairs(self) -> list[tuple[str, str]]:
        """The parameters of the page itself, such as a month, which the filter form must keep."""
        others = {item.name for item in fields(SearchParams)} | {"page", LANGUAGE_PARAMETER}
        return [pair for pair in request.args.items(multi=True) if pair[0] not in others]

    def _is_other_filter(self, without: SearchParams) -> bool:
        current = self.search_params
        has_phase = not self.phase or without.phase == current.phase
        return has_phase and (without.origin, without.council) == (current.origin, current.council)

    def project_list_url(self, **changes: Any) -> str:
        """The URL of the project list with the same search, with `changes` to its parameters."""
        query = replace(self.search_params, **changes).query_string
        return url_for("projects.index") + (f"?{query}" if query else "")


def parse_params() -> PortfolioParams:
    """The parameters of the current request, without invalid values, which `errors` reports."""
    params, error = parse(request.args.items(multi=True))
    params = replace(params, sort="")
    council_id = params.council
    session = current_work().session
    council = councils.by_id(session, council_id) if council_id is not None else None
    return PortfolioParams(
        PortfolioScope(current_viewer(), params), council, error.fields if error else {}
    )


def parse_month(name: str) -> date | None:
    """The first day of the month in the parameter `name`, such as `2026-11`; None if invalid."""
    match = MONTH_PATTERN.fullmatch(request.args.get(name, ""))
    return date(int(match[1]), int(match[2]), 1) if match else None


def today() -> date:
    """Today's date in London."""
    return datetime.now(UTC).astimezone(LONDON).date()


def page_number() -> int:
    return request.args.get("page", 1, type=parse_row_id)


def public_url(endpoint: str, **values: Any) -> str:
    """The absolute URL of a page under the server's base URL, whatever host the request used."""
    return f"{current_node().settings.base_url}{url_for(endpoint, **values)}"
