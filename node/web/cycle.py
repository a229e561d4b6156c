"""The life of a web request: its id, its permission, and its one commit."""

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

from node.db import UNAVAILABLE, begin_reading, db, end_reading
from node.errors import ForbiddenError, NotFoundError
from node.people import session_cookies
from node.people.permissions import may
from node.request import LARGEST_ROW_ID, PUBLIC, is_for_servers
from node.unsaved import views as unsaved
from node.web import security_headers
from node.web.error_pages import conflict, unavailable, wants_document
from node.wording import say

log = structlog.get_logger("node.access")

# Views that belong to the frameworks and cannot carry a mark of ours.
OPEN_TO_ALL = frozenset({"security.login", "security.logout"})
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def register(app: Flask) -> None:
    """To be called before `app` gets views."""
    app.url_map.converters["int"] = RowId
    app.teardown_request(_end)


class RowId(IntegerConverter):
    """A number in an address: the number of a row, as far as the database counts."""

    def __init__(self, map: Map, max: int = LARGEST_ROW_ID, **options: Any) -> None:  # noqa: A002
        super().__init__(map, max=max, **options)


def check_every_view_is_marked(app: Flask) -> None:
    """Raises `RuntimeError` for a view that does not say who may use it."""
    for endpoint in app.view_functions:
        if permission_of(app, endpoint) is None:
            raise RuntimeError(f"the view {endpoint} has no permission")


def permission_of(app: Flask, endpoint: str) -> str | None:
    """The permission that `endpoint` needs; None for one that carries no mark."""
    if endpoint in OPEN_TO_ALL or endpoint.endswith(".static"):
        return PUBLIC
    return getattr(app.view_functions[endpoint], "permission", None)


def surround(app: Flask) -> None:
    """Put the cycle around the hooks that are on `app` by now.

    Those are for people: forms, sessions, signing in. Other servers have none of that, ask often,
    and are answered without it.
    """
    before, after = app.before_request_funcs[None], app.after_request_funcs[None]
    first, last = list(before), list(reversed(after))  # as Flask runs them

    def admit() -> Any:
        _begin()
        if not is_for_servers():
            for hook in first:
                if (answer := hook()) is not None:
                    return answer
        return _check_permission()

    def finish(response: Response) -> Response:
        unsaved.show_again(response)
        response = _commit(response)
        session_cookies.note_seen()
        if is_for_servers():
            security_headers.harden_document(response)
        else:
            for hook in last:
                response = hook(response)
        return _note(response)

    before[:], after[:] = [admit], [finish]


def request_id(given: str) -> str:
    """The name of a request in the logs: what a proxy calls it, or one of our own."""
    return given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"


def _begin() -> None:
    g.request_id = request_id(request.headers.get("X-Request-Id", ""))
    g.started = time.monotonic()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    g.reading = begin_reading()
    if "\0" in request.path:  # which no database would look up
        raise NotFoundError(say("This page does not exist. Check the web address."))


def _check_permission() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    needed = permission_of(current_app, request.endpoint)
    if needed is not None and may(needed):
        _let_write()
        return None
    if current_user.is_authenticated:
        raise ForbiddenError(say("You do not have permission to do this."))
    if wants_document():
        raise Unauthorized
    return unsaved.after_signing_in() or _sign_in()


def _sign_in() -> ResponseReturnValue:
    flash(_("Sign in to see this page."), "error")
    back = request.full_path.rstrip("?") if request.method in READING else url_for("pages.home")
    return redirect(url_for("security.login", next=back))


def _let_write() -> None:
    """From here on, a request that may change something can write; before, nobody waited for it.

    Signing in only reads, and takes its time over a password.
    """
    if request.method in READING or request.endpoint in OPEN_TO_ALL:
        return
    if hasattr(current_app.view_functions.get(request.endpoint or ""), "only_reads"):
        return
    if _used_database():
        db.session.rollback()
    end_reading(g.pop("reading"))


def _commit(response: Response) -> Response:
    """The only commit of a web request: nothing is kept of one that failed."""
    if response.status_code == 303:
        unsaved.forget_what_is_saved()
    work = g.pop("work", None)
    if response.status_code < 400 and request.method not in READING:
        try:
            if work:
                work.commit()
            elif _used_database():
                db.session.commit()
        except IntegrityError:
            return conflict()
        except UNAVAILABLE as error:
            return unavailable(error)
    elif _used_database():
        db.session.rollback()
    return response


def _note(response: Response) -> Response:
    """Give the answer its id, and note in the log how it went."""
    response.headers["X-Request-Id"] = g.get("request_id", "")
    # How other servers fare with us is on the operator's pages.
    if response.status_code >= 400 or not is_for_servers():
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round((time.monotonic() - g.get("started", time.monotonic())) * 1000, 1),
        )
    return response


def _end(_error: BaseException | None) -> None:
    g.pop("work", None)
    if _used_database():
        db.session.rollback()
    token = g.pop("reading", None)
    if token is not None:
        end_reading(token)


def _used_database() -> bool:
    return bool(db.session.registry.has())
