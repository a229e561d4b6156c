"""The projects that an address asks for as the finder would be asked, page by page: last changed
first, or in the order that it chooses.
"""

import re
from dataclasses import dataclass, replace
from html import unescape
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from node.councils.models import Council
from node.federating.viewer import Viewer
from node.projects import service
from node.projects.models import Project
from node.request import current_work
from node.search import api_params
from node.search.search_params import SearchParams
from node.search.service import MAX_RESULTS, find_projects, list_ordered
from node.search.sql_filters import to_project_filter
from node.text import one_line


@dataclass(frozen=True)
class FeedPage:
    """One page of projects. `number` counts from 1; `next_url` is empty on the last."""

    projects: list[Project]
    number: int
    pages: int
    total: int
    next_url: str


def requested_page(reader: Viewer) -> FeedPage:
    """The page of projects that the current request asks for. Raises `InvalidInputError`."""
    return _build_page(api_params.parse_request_params(), reader)


def council_page(reader: Viewer, council: Council) -> FeedPage:
    return _build_page(replace(api_params.parse_request_params(), council=council.id), reader)


def list_all_requested(reader: Viewer) -> list[Project]:
    """All projects that the current request asks for, the first `MOST`."""
    session, wanted = current_work().session, api_params.parse_request_params()
    if wanted.chosen_order:
        return list_ordered(session, wanted, reader, 0, MAX_RESULTS)
    return service.list_newest(session, to_project_filter(session, wanted, reader), MAX_RESULTS)


def _build_page(wanted: SearchParams, reader: Viewer) -> FeedPage:
    """In an order that is chosen, of no more than `MOST`, as in the finder."""
    session, number = current_work().session, request.args.get("page", 1, type=int)
    page: Any
    if wanted.chosen_order:
        page = find_projects(session, wanted, reader, number)
    else:
        page = service.list_page(session, to_project_filter(session, wanted, reader), number)
    onward = next_url(page.number, page.pages)
    return FeedPage(page.projects, page.number, page.pages, page.total, onward)


def finder_url() -> str:
    """The page of the finder with what the current request asks for."""
    query = api_params.parse_request_params().query_string
    return absolute_url(url_for("projects.index")) + (f"?{query}" if query else "")


def next_url(number: int, pages: int) -> str:
    """Where the next page is; "" after the last."""
    if number >= pages:
        return ""
    asked_for = [pair for pair in request.args.items(multi=True) if pair[0] != "page"]
    return absolute_url(f"{request.path}?{urlencode([*asked_for, ('page', number + 1)])}")


def absolute_url(path: str) -> str:
    """An address at this node: what the settings say it is, whatever name it was asked by."""
    return current_work().settings.base_url + path


def headline(html: str) -> str:
    """The first line of what an update says."""
    paragraph = re.search(r"<(?:p|li)>(.*?)</(?:p|li)>", html, re.DOTALL)
    plain = unescape(re.sub(r"<[^>]*>", "", paragraph[1])) if paragraph else ""
    return one_line(plain, 120)
