"""What a program asks for in the address of a feed, a table or the API."""

from collections.abc import Iterator
from dataclasses import replace

from flask import request

from node.councils import service as councils
from node.request import current_work
from node.search.search_params import SearchParams, parse

COUNCIL_PARAM = "council"
# The number of no council.
NO_COUNCIL = -1


def parse_request_params(*, strictly: bool = False) -> SearchParams:
    """What is asked for, as the finder reads it; a council also by its id. Raises
    `InvalidInputError`.
    """
    found, error = parse(_pairs(), strictly=strictly)
    if error:
        raise error
    uri = _council_uri()
    if not uri:
        return found
    council = councils.by_actor_uri(current_work().session, uri) if "\0" not in uri else None
    return replace(found, council=council.id if council else NO_COUNCIL)


def _pairs() -> Iterator[tuple[str, str]]:
    for name, value in request.args.items(multi=True):
        if not (name == COUNCIL_PARAM and ":" in value):
            yield name, value


def _council_uri() -> str:
    return next((each for each in request.args.getlist(COUNCIL_PARAM) if ":" in each), "")
