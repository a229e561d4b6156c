"""Properties that a document must have."""

from collections.abc import Collection, Mapping
from typing import Any

from federation.errors import DocumentError
from federation.origin import MAX_LEN_URL
from federation.properties import id_of, ids_of, type_of


def required_id(document: Mapping[str, Any], name: str) -> str:
    """The id in a property. Raises `DocumentError` if it is missing or too long."""
    uri = id_of(document.get(name))
    if uri is None:
        raise DocumentError(name, "missing")
    if len(uri) > MAX_LEN_URL:
        raise DocumentError(name, "too long")
    return uri


def required_author(document: Mapping[str, Any]) -> str:
    """The id of the first author. Raises `DocumentError` if there is none."""
    authors = ids_of(document.get("attributedTo"))
    return required_id({"attributedTo": authors[0] if authors else None}, "attributedTo")


def required_type(document: Mapping[str, Any], known: Collection[str] = ()) -> str:
    """The type of a document. Raises `DocumentError` if it is missing or not in `known`."""
    type_name = type_of(document)
    if not type_name:
        raise DocumentError("type", "missing")
    if known and type_name not in known:
        raise DocumentError("type", f"not {' or '.join(known)}")
    return type_name
