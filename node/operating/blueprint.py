"""The blueprint of the operator's pages and their paging."""

from typing import TypeVar

from flask import Blueprint, request
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from node.pagination import Page, page_by_key
from node.request import current_work, parse_row_id

PAGE_SIZE = 50

blueprint = Blueprint("operating", __name__, url_prefix="/operator", template_folder="templates")

Row = TypeVar("Row")


def requested_page(query: Select[Row], key: InstrumentedAttribute[int]) -> Page[Row]:
    """The rows of `query`, newest first by the row id `key`, below the requested `before`."""
    before = request.args.get("before", type=parse_row_id)
    return page_by_key(current_work().session, query, key, before, PAGE_SIZE, descending=True)
