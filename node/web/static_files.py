"""Versioned addresses of static files, so that browsers can cache them for a year."""

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
    """Add versions to the addresses of static files, and Cache-Control to their responses."""
    app.url_defaults(_add_version)
    app.after_request(_add_cache_control)


def content_version(content: bytes) -> str:
    """The version in the address of a file with this content: a hash."""
    return hashlib.sha256(content).hexdigest()[:16]


def set_cache_control(response: Response, version: str) -> Response:
    """Cache `response` for a year if the request is for its current `version`; else revalidate."""
    response.headers["Cache-Control"] = (
        CACHE_FOR_A_YEAR if request.args.get(VERSION_PARAMETER) == version else REVALIDATE
    )
    return response


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if VERSION_PARAMETER not in values and (
        version := _version_of(endpoint, str(values.get("filename", "")))
    ):
        values[VERSION_PARAMETER] = version


def _add_cache_control(response: Response) -> Response:
    if response.status_code not in {200, 304}:  # the file name may be invalid
        return response
    filename = str((request.view_args or {}).get("filename", ""))
    version = _version_of(request.endpoint or "", filename)
    return set_cache_control(response, version) if version else response


def _version_of(endpoint: str, filename: str) -> str | None:
    """The version of a static file; None if it does not exist, or `endpoint` serves no files."""
    blueprint, _, name = endpoint.rpartition(".")
    if name != STATIC_ENDPOINT:
        return None
    owner = current_app.blueprints.get(blueprint) if blueprint else current_app
    path = safe_join(owner.static_folder, filename) if owner and owner.static_folder else None
    return _version_of_file(path) if path and Path(path).is_file() else None


@cache
def _version_of_file(path: str) -> str:
    return content_version(Path(path).read_bytes())
