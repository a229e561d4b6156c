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
from node.federating.readers import Reader
from node.projects import service
from node.projects.models import Project
from node.request import current_work
from node.search import for_programs
from node.search.narrowing import filter_of
from node.search.service import MOST, find, ordered
from node.search.wanted import Wanted
from node.text import one_line


@dataclass(frozen=True)
class Page:
    """One page of projects. `number` counts from 1; `next_url` is empty on the last."""

    projects: list[Project]
    number: int
    pages: int
    total: int
    next_url: str


def asked(reader: Reader) -> Page:
    """The page of projects that the current request asks for. Raises `InvalidInputError`."""
    return _page(for_programs.wanted(), reader)


def of_council(reader: Reader, council: Council) -> Page:
    return _page(replace(for_programs.wanted(), council=council.id), reader)


def all_asked(reader: Reader) -> list[Project]:
    """All projects that the current request asks for, the first `MOST`."""
    session, wanted = current_work().session, for_programs.wanted()
    if wanted.chosen_order:
        return ordered(session, wanted, reader, 0, MOST)
    return service.newest(session, filter_of(session, wanted, reader), MOST)


def _page(wanted: Wanted, reader: Reader) -> Page:
    """In an order that is chosen, of no more than `MOST`, as in the finder."""
    session, number = current_work().session, request.args.get("page", 1, type=int)
    page: Any
    if wanted.chosen_order:
        page = find(session, wanted, reader, number)
    else:
        page = service.listed(session, filter_of(session, wanted, reader), number)
    onward = next_url(page.number, page.pages)
    return Page(page.projects, page.number, page.pages, page.total, onward)


def page_of_search() -> str:
    """The page of the finder with what the current request asks for."""
    query = for_programs.wanted().query
    return here(url_for("projects.index")) + (f"?{query}" if query else "")


def next_url(number: int, pages: int) -> str:
    """Where the next page is; "" after the last."""
    if number >= pages:
        return ""
    asked_for = [pair for pair in request.args.items(multi=True) if pair[0] != "page"]
    return here(f"{request.path}?{urlencode([*asked_for, ('page', number + 1)])}")


def here(path: str) -> str:
    """An address at this node: what the settings say it is, whatever name it was asked by."""
    return current_work().settings.base_url + path


def headline(html: str) -> str:
    """The first line of what an update says."""
    paragraph = re.search(r"<(?:p|li)>(.*?)</(?:p|li)>", html, re.DOTALL)
    plain = unescape(re.sub(r"<[^>]*>", "", paragraph[1])) if paragraph else ""
    return one_line(plain, 120)
