"""Turns errors into responses: a page for people, a problem document (RFC 9457) for programs."""

import json
from typing import Any, NamedTuple

import structlog
from flask import Flask, Response, current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response as AnyResponse

from federation.errors import FederationError, Refusal
from node.database.engine import UNAVAILABLE_ERRORS
from node.database.tables import db
from node.errors import MoothallError
from node.federating.views.current_viewer import signature_refusal
from node.languages import translate
from node.logs import DATABASE_LOGGER
from node.messages import Message, message_from, msg
from node.unsaved import views as unsaved
from node.web.layout import LayoutContext

PROBLEM_TYPE = "application/problem+json"
# Media types that only programs accept or send.
PROGRAM_TYPES = (
    PROBLEM_TYPE,
    "application/json",
    "application/activity+json",
    "application/ld+json",
    "application/jrd+json",
)
PROGRAM_PATHS = ("/.well-known/", "/nodeinfo/", "/api/")
INBOX_SUFFIX = "/inbox"
FAILURE_DETAIL = "Wait a few minutes and try again. We have recorded the problem for the operator."
STATUS_BY_CODE = {"invalid": 400, "forbidden": 403, "not-found": 404, "conflict": 409, "gone": 410}
# Sent in Retry-After when the database is busy or down.
RETRY_AFTER_SECONDS = 30
# Headers of Werkzeug's own error body, which we replace.
BODY_HEADERS = {"content-type", "content-length"}

log = structlog.get_logger(__name__)


class ErrorText(NamedTuple):
    """The texts of an error page: a heading, and what the reader can do."""

    heading: Message
    advice: Message


ERROR_TEXTS = {
    400: ErrorText(
        msg("There is a problem with the information you sent"),
        msg("Go back, check what you entered and try again. Nothing was changed."),
    ),
    401: ErrorText(msg("Sign in to see this page"), msg("You need to sign in first.")),
    403: ErrorText(
        msg("You do not have access to this page"),
        msg(
            "Your account does not have permission for this. If you need it, ask "
            "the people who run this site."
        ),
    ),
    404: ErrorText(
        msg("Page not found"),
        msg(
            "If you typed the address, check that it is correct. "
            "If you pasted it, check that it is complete."
        ),
    ),
    405: ErrorText(
        msg("This page does not work that way"),
        msg("Go back and use the links and buttons on the page."),
    ),
    409: ErrorText(
        msg("Someone else has changed this"),
        msg("Go back, check what changed and try again."),
    ),
    410: ErrorText(
        msg("This has been deleted"),
        msg("This content has been permanently removed."),
    ),
    412: ErrorText(
        msg("Someone else has changed this"),
        msg("Get the latest version, then send your change again."),
    ),
    413: ErrorText(
        msg("The text or file is too large"),
        msg("Go back and send less text or a smaller file. Nothing was changed."),
    ),
    415: ErrorText(
        msg("This type of content is not accepted"),
        msg("Go back and use the form on the page."),
    ),
    428: ErrorText(
        msg("Say which version you are changing"),
        msg("Send the ETag of the version you read in the If-Match header."),
    ),
    429: ErrorText(
        msg("Too many attempts"),
        msg("Wait a few minutes and try again. Nothing was changed."),
    ),
    500: ErrorText(
        msg("Sorry, there is a problem with this site"),
        msg(
            "Wait a few minutes and try again. We have recorded the problem for "
            "the people who run this site."
        ),
    ),
    503: ErrorText(
        msg("Sorry, this site is busy"),
        msg("Wait a minute and try again. If you filled in a form, go back and send it again."),
    ),
}
# Advice for programs, if it differs: they have no page to go back to.
PROBLEM_DETAILS = {
    400: "Check that the request is valid, then send it again. Nothing was changed.",
    401: "Send a valid token in the Authorization header.",
    409: "Someone else has changed this. Read it again, then repeat your change.",
    404: "There is nothing at this address.",
    405: "Use one of the methods in the Allow header.",
    413: "Send a smaller request body. Nothing was changed.",
    415: "Send JSON with the content type application/json.",
    503: "Wait for the number of seconds in the Retry-After header, then try again.",
}
FORM_EXPIRED = ErrorText(
    msg("This form was open for too long"),
    msg("Go back, reload the page and send the form again. Nothing was changed."),
)


def register(app: Flask) -> None:
    """Handle all errors of `app`."""
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(CSRFError, _handle_csrf_error)
    app.register_error_handler(MoothallError, _handle_moothall_error)
    app.register_error_handler(FederationError, _handle_federation_error)
    app.register_error_handler(Refusal, refusal_response)
    app.register_error_handler(IntegrityError, conflict_response)
    for unavailable_error in UNAVAILABLE_ERRORS:
        app.register_error_handler(unavailable_error, unavailable_response)
    app.register_error_handler(InternalServerError, _handle_internal_error)


def wants_problem_document() -> bool:
    """Whether the client is a program, which gets a problem document instead of a page."""
    if request.mimetype in PROGRAM_TYPES:
        return True
    if request.path.endswith(INBOX_SUFFIX) and not _wants_html():
        return True
    if request.path.startswith(PROGRAM_PATHS):
        return True
    return (
        request.accept_mimetypes.best_match(("text/html", *PROGRAM_TYPES), "text/html")
        != "text/html"
    )


def _wants_html() -> bool:
    """Whether the client explicitly accepts HTML, as browsers do when they open an address."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.accept_mimetypes.values()


def problem_response(status: int, detail: str, **members: Any) -> Response:
    """A problem document; `members` are its extension members (RFC 9457, section 3.2)."""
    title = HTTP_STATUS_CODES.get(status, "Error")
    document = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        **members,
    }
    return Response(json.dumps(document, ensure_ascii=False), status, content_type=PROBLEM_TYPE)


def _handle_http_error(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    texts = ERROR_TEXTS.get(status) or ERROR_TEXTS[400 if status < 500 else 500]
    response = _error_response(status, texts, _choose_advice(status, texts))
    for name, value in error.get_headers(request.environ):
        if name.lower() not in BODY_HEADERS:
            response.headers[name] = value
    return response


def _choose_advice(status: int, texts: ErrorText | None = None) -> str:
    """What the client can do about an error: the advice of `texts`, or other words for programs."""
    advice = (texts or ERROR_TEXTS[status]).advice
    return PROBLEM_DETAILS.get(status, advice) if wants_problem_document() else advice


def _handle_csrf_error(_: CSRFError) -> AnyResponse:
    """Keep the text of an expired form: it is shown again, after signing in if that is needed."""
    if not wants_problem_document() and (restored := unsaved.handle_expired_form()) is not None:
        return _vary_on_accept(restored)
    return _error_response(400, FORM_EXPIRED, FORM_EXPIRED.advice, code="form-expired")


def _handle_moothall_error(error: MoothallError) -> AnyResponse:
    status = STATUS_BY_CODE.get(error.code, 500)
    # Tell a server whose signature was refused, since a 404 would not explain why.
    if status == 404 and (refusal := signature_refusal()) is not None:
        return refusal_response(refusal)
    if status == 500:
        log.error("unexpected error", code=error.code, text=error.safe_text)
        return _handle_internal_error(InternalServerError())
    fields = getattr(error, "fields", {})
    members = {"fields": fields} if fields else {}
    return _error_response(status, ERROR_TEXTS[status], error.safe_text, code=error.code, **members)


def conflict_response(_error: IntegrityError | None = None) -> Response:
    """409: another request has inserted the same unique key at the same time."""
    db.session.rollback()
    return _error_response(409, ERROR_TEXTS[409], _choose_advice(409), code="conflict")


def refusal_response(refusal: Refusal) -> Response:
    """A problem document with the reason for which a message or signature is refused."""
    response = problem_response(refusal.status, refusal.safe_text, reason=refusal.reason.value)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _handle_federation_error(error: FederationError) -> AnyResponse:
    return _error_response(400, ERROR_TEXTS[400], message_from(error))


def failure_response() -> Response:
    """A problem document for an internal error, in English, outside of Flask's request."""
    return problem_response(500, FAILURE_DETAIL)


def unavailable_response(error: Exception) -> Response:
    """503, as a page or a problem document, when the database is busy or down."""
    return _vary_on_accept(
        busy_response(error, None if wants_problem_document() else _render_static_page(503))
    )


def busy_response(error: Exception, page: Response | None = None) -> Response:
    """503 with `page` as its body, or else a problem document. Needs no Flask request."""
    DATABASE_LOGGER.error("The database is not available: %s", error)
    response = page or problem_response(503, PROBLEM_DETAILS[503])
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _handle_internal_error(error: InternalServerError) -> AnyResponse:
    """The handler of all unhandled exceptions."""
    if isinstance(error.original_exception, UNAVAILABLE_ERRORS):
        return unavailable_response(error.original_exception)
    return _vary_on_accept(
        problem_response(500, ERROR_TEXTS[500].advice)
        if wants_problem_document()
        else _render_static_page(500)
    )


def _render_static_page(status: int) -> Response:
    """An error page that does not use the database, which may be what failed."""
    texts = ERROR_TEXTS[status]
    # Not `render_template`: that runs the context processors, which read the database.
    template = current_app.jinja_env.get_template("error.html")
    page = template.render(
        site=g.get("site", LayoutContext()),
        heading=translate(texts.heading),
        text=translate(texts.advice),
        fields={},
    )
    return Response(page, status)


def _error_response(status: int, texts: ErrorText, detail: str, **members: Any) -> Response:
    if wants_problem_document():
        return _vary_on_accept(problem_response(status, detail, **members))
    page = render_template(
        "error.html",
        heading=translate(texts.heading),
        text=translate(detail),
        fields={name: translate(text) for name, text in members.get("fields", {}).items()},
    )
    return _vary_on_accept(Response(page, status))


def _vary_on_accept(response: Response) -> Response:
    """Tell caches that the response depends on the Accept header."""
    response.vary.add("Accept")
    return response
