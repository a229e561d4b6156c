"""Mutations of real exports: one value is wrong or missing."""

from copy import deepcopy
from typing import Any

ABSENT = object()


def with_wrong(document: Any, place: str, wrong: Any) -> Any:
    """`document` with `wrong` at `place` ("items.0.id"), or nothing there if it is `ABSENT`."""
    *parts, last = place.split(".")
    changed = parent = deepcopy(document)
    for part in parts:
        parent = parent[int(part) if part.isdecimal() else part]
    if wrong is ABSENT:
        del parent[last]
    else:
        parent[last] = wrong
    return changed
