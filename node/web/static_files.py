"""Static files under addresses that change with their content: browsers keep them for a year."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

CACHE_FOR_A_YEAR = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
STATIC_ENDPOINT = "static"
VERSION_PARAMETER = "v"


def register(app: Flask) -> None:
    """Give every static file its version, and say how long it may be kept."""
    app.url_defaults(_add_version)
    app.after_request(_add_cache_control)


def content_version(content: bytes) -> str:
    """The version of a content, as it stands in an address."""
    return hashlib.sha256(content).hexdigest()[:16]


def set_cache_control(response: Response, current: str) -> Response:
    """Let `response` be kept for a year if asked for by its `current` version, else not at all."""
    response.headers["Cache-Control"] = (
        CACHE_FOR_A_YEAR if request.args.get(VERSION_PARAMETER) == current else REVALIDATE
    )
    return response


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if VERSION_PARAMETER not in values and (
        found := _version_of(endpoint, str(values.get("filename", "")))
    ):
        values[VERSION_PARAMETER] = found


def _add_cache_control(response: Response) -> Response:
    if response.status_code not in {200, 304}:  # the name may be one that no file can have
        return response
    found = _version_of(request.endpoint or "", str((request.view_args or {}).get("filename", "")))
    return set_cache_control(response, found) if found else response


def _version_of(endpoint: str, filename: str) -> str | None:
    """The version of a static file; None if there is none, or `endpoint` serves no files."""
    blueprint, _, name = endpoint.rpartition(".")
    if name != STATIC_ENDPOINT:
        return None
    owner = current_app.blueprints.get(blueprint) if blueprint else current_app
    path = safe_join(owner.static_folder, filename) if owner and owner.static_folder else None
    return _version_of_file(path) if path and Path(path).is_file() else None


@cache
def _version_of_file(path: str) -> str:
    return content_version(Path(path).read_bytes())
