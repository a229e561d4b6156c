"""The projects that match the search parameters of the current request, page by page. Default
order: last changed first.
"""

import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from node.access.viewer import Viewer
from node.councils.models import Council
from node.pagination import Page
from node.projects import service
from node.projects.models import Project
from node.request import current_work, page_number
from node.search import api_params
from node.search.search_params import SearchParams
from node.search.service import MAX_RESULTS, find_projects, list_ordered
from node.search.sql_filters import to_project_filter
from node.text import one_line


def load_requested_page(viewer: Viewer) -> Page[Project]:
    """The requested page of matching projects. Raises `InvalidInputError`."""
    return _build_page(api_params.parse_request_params(), viewer)


def load_council_page(viewer: Viewer, council: Council) -> Page[Project]:
    return _build_page(replace(api_params.parse_request_params(), council=council.id), viewer)


def list_all_requested(viewer: Viewer) -> list[Project]:
    """The first `MAX_RESULTS` matching projects. Raises `InvalidInputError`."""
    session, params = current_work().session, api_params.parse_request_params()
    if params.chosen_order:
        return list_ordered(session, params, viewer, 0, MAX_RESULTS)
    return service.list_newest(session, to_project_filter(session, params, viewer), MAX_RESULTS)


def _build_page(params: SearchParams, viewer: Viewer) -> Page[Project]:
    """The requested page. In an order other than last changed, only `MAX_RESULTS` can be read."""
    session, number = current_work().session, page_number()
    if params.chosen_order:
        return find_projects(session, params, viewer, number)
    return service.list_page(session, to_project_filter(session, params, viewer), number)


def project_list_url() -> str:
    """The URL of the project list with the search of the current request."""
    query = api_params.parse_request_params().query_string
    return absolute_url(url_for("projects.index")) + (f"?{query}" if query else "")


def next_url(page: Page[Any], parameter: str = "page") -> str | None:
    """The URL of the page after this one, by the parameter that requests pages; None on the last
    page.
    """
    if page.next is None:
        return None
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] != parameter]
    return absolute_url(f"{request.path}?{urlencode([*pairs, (parameter, page.next)])}")


def absolute_url(path: str) -> str:
    """An absolute URL under the server's base URL, whatever host the request used."""
    return current_work().settings.base_url + path


def first_line(html: str) -> str:
    """The first line of an update's text, at most 120 characters."""
    paragraph = re.search(r"<(?:p|li)>(.*?)</(?:p|li)>", html, re.DOTALL)
    plain = unescape(re.sub(r"<[^>]*>", "", paragraph[1])) if paragraph else ""
    return one_line(plain, 120)
