"""Search parameters of the current request, as feeds, exports and the API read them."""

from collections.abc import Iterator
from dataclasses import replace

from flask import request

from node.councils import service as councils
from node.request import current_work
from node.search.search_params import SearchParams, parse

COUNCIL_PARAM = "council"
# An id that no council has: filtering by it finds nothing.
UNKNOWN_COUNCIL_ID = -1


def parse_request_params(*, strictly: bool = False) -> SearchParams:
    """The search parameters in the query string of the current request.

    A council may be given by its actor URI as well as by its number; an unknown URI finds nothing.
    Raises `InvalidInputError` for values that cannot be read.
    """
    params, error = parse(_query_pairs(), strictly=strictly)
    if error:
        raise error
    uri = _council_uri()
    if not uri:
        return params
    council = councils.by_actor_uri(current_work().session, uri) if "\0" not in uri else None
    return replace(params, council=council.id if council else UNKNOWN_COUNCIL_ID)


def _query_pairs() -> Iterator[tuple[str, str]]:
    for name, value in request.args.items(multi=True):
        if not (name == COUNCIL_PARAM and ":" in value):
            yield name, value


def _council_uri() -> str:
    return next((value for value in request.args.getlist(COUNCIL_PARAM) if ":" in value), "")
