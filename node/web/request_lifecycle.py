"""The lifecycle of a web request: its id, the check of its permission, and its single commit."""

import random
import re
import time
from typing import Any

import structlog
from flask import Flask, Response, current_app, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.exc import IntegrityError
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import Unauthorized
from werkzeug.routing import IntegerConverter, Map

from node.access.permissions import has_permission
from node.database.engine import UNAVAILABLE_ERRORS, begin_read_only, end_read_only
from node.database.tables import db
from node.errors import ForbiddenError, NotFoundError
from node.messages import msg
from node.people import session_cookies
from node.request import MAX_ROW_ID, PUBLIC, is_server_request
from node.unsaved import views as unsaved
from node.web import security_headers
from node.web.error_pages import conflict_response, unavailable_response, wants_problem_document

log = structlog.get_logger("node.access")

# Views of Flask-Security, which cannot declare a permission.
PUBLIC_ENDPOINTS = frozenset({"security.login", "security.logout"})
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9-]{8,64}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def register(app: Flask) -> None:
    """Set up converters and teardown. Call this before views are added to `app`."""
    app.url_map.converters["int"] = RowIdConverter
    app.teardown_request(_close_request)


class RowIdConverter(IntegerConverter):
    """The id of a row in a URL, up to the largest that the database can store."""

    def __init__(self, map: Map, max: int = MAX_ROW_ID, **options: Any) -> None:  # noqa: A002
        super().__init__(map, max=max, **options)


def check_view_permissions(app: Flask) -> None:
    """Raises `RuntimeError` for a view that declares no permission."""
    for endpoint in app.view_functions:
        if permission_of(app, endpoint) is None:
            raise RuntimeError(f"the view {endpoint} has no permission")


def permission_of(app: Flask, endpoint: str) -> str | None:
    """The permission that `endpoint` needs; None if its view declares none."""
    if endpoint in PUBLIC_ENDPOINTS or endpoint.endswith(".static"):
        return PUBLIC
    return getattr(app.view_functions[endpoint], "permission", None)


def wrap_hooks(app: Flask) -> None:
    """Run the lifecycle around the request hooks that `app` has now.

    Those hooks (forms, sessions, signing in) are for people. They are skipped for requests of other
    servers, which are frequent and need none of them.
    """
    before, after = app.before_request_funcs[None], app.after_request_funcs[None]
    before_hooks, after_hooks = list(before), list(reversed(after))  # in Flask's order

    def admit() -> Any:
        _begin_request()
        if not is_server_request():
            for hook in before_hooks:
                if (response := hook()) is not None:
                    return response
        return _check_permission()

    def finish(response: Response) -> Response:
        unsaved.set_status_of_restored_form(response)
        response = _commit(response)
        session_cookies.record_use()
        if is_server_request():
            security_headers.harden_document(response)
        else:
            for hook in after_hooks:
                response = hook(response)
        return _log_response(response)

    before[:], after[:] = [admit], [finish]


def request_id(header: str) -> str:
    """The id of a request in the logs: the proxy's, from X-Request-Id, or a new random one."""
    return header if REQUEST_ID_PATTERN.fullmatch(header) else f"{random.getrandbits(64):016x}"


def _begin_request() -> None:
    g.request_id = request_id(request.headers.get("X-Request-Id", ""))
    g.started = time.monotonic()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    g.reading = begin_read_only()
    if "\0" in request.path:  # databases cannot look it up
        raise NotFoundError(msg("This page does not exist. Check the web address."))


def _check_permission() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    permission = permission_of(current_app, request.endpoint)
    if permission is not None and has_permission(permission):
        _allow_writes()
        return None
    if current_user.is_authenticated:
        raise ForbiddenError(msg("You do not have permission to do this."))
    if wants_problem_document():
        raise Unauthorized
    return unsaved.keep_for_sign_in() or _redirect_to_sign_in()


def _redirect_to_sign_in() -> ResponseReturnValue:
    flash(_("Sign in to see this page."), "error")
    next_page = (
        request.full_path.rstrip("?") if request.method in SAFE_METHODS else url_for("pages.home")
    )
    return redirect(url_for("security.login", next=next_page))


def _allow_writes() -> None:
    """Let the rest of a request with an unsafe method write. Until now it held no write lock.

    Signing in stays read-only, since it takes long to check a password.
    """
    if request.method in SAFE_METHODS or request.endpoint in PUBLIC_ENDPOINTS:
        return
    if hasattr(current_app.view_functions.get(request.endpoint or ""), "only_reads"):
        return
    if _used_database():
        db.session.rollback()
    end_read_only(g.pop("reading"))


def _commit(response: Response) -> Response:
    """Commit a request with an unsafe method that succeeded; roll back any other."""
    if response.status_code == 303:
        unsaved.delete_saved_input()
    work = g.pop("work", None)
    if response.status_code < 400 and request.method not in SAFE_METHODS:
        try:
            if work:
                work.commit()
            elif _used_database():
                db.session.commit()
        except IntegrityError:
            return conflict_response()
        except UNAVAILABLE_ERRORS as error:
            return unavailable_response(error)
    elif _used_database():
        db.session.rollback()
    return response


def _log_response(response: Response) -> Response:
    """Add the request's id to the response, and log the request."""
    response.headers["X-Request-Id"] = g.get("request_id", "")
    # Successful requests of other servers are not logged: the operator's pages summarise them.
    if response.status_code >= 400 or not is_server_request():
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round((time.monotonic() - g.get("started", time.monotonic())) * 1000, 1),
        )
    return response


def _close_request(_error: BaseException | None) -> None:
    g.pop("work", None)
    if _used_database():
        db.session.rollback()
    token = g.pop("reading", None)
    if token is not None:
        end_read_only(token)


def _used_database() -> bool:
    return bool(db.session.registry.has())
