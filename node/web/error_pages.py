"""The one place that turns errors into answers.

A person gets a page in the house style, a program a problem document (RFC 9457).
"""

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
from node.db import UNAVAILABLE, db
from node.errors import MoothallError
from node.federating.views.asking import unproven
from node.languages import said
from node.logs import DATABASE_TROUBLE
from node.unsaved import views as unsaved
from node.web.site import Site
from node.wording import Saying, of_library, say

PROBLEM = "application/problem+json"
# What a client may ask for or send that shows that it is a program.
MACHINE_TYPES = (
    PROBLEM,
    "application/json",
    "application/activity+json",
    "application/ld+json",
    "application/jrd+json",
)
MACHINE_PATHS = ("/.well-known/", "/nodeinfo/", "/api/")
INBOX = "/inbox"
FAILED = "Try again later. The problem has been recorded for the people who run this node."
STATUS = {"invalid": 400, "forbidden": 403, "not-found": 404, "conflict": 409, "gone": 410}
# What the header Retry-After asks for when the database is busy or down, in seconds.
RETRY_AFTER = 30
# These describe the body that werkzeug would have sent.
BODY_HEADERS = {"content-type", "content-length"}

log = structlog.get_logger(__name__)


class Words(NamedTuple):
    """What an error page says: a heading, and what one can do."""

    heading: Saying
    advice: Saying


WORDS = {
    400: Words(
        say("There is a problem with the information you sent"),
        say("Go back, check what you entered and try again. Nothing was changed."),
    ),
    401: Words(say("Sign in to see this page"), say("You need to sign in first.")),
    403: Words(
        say("You do not have access to this page"),
        say(
            "Your account does not have permission for this. If you need it, ask "
            "this server’s operator."
        ),
    ),
    404: Words(
        say("Page not found"),
        say(
            "If you typed the address, check that it is correct. "
            "If you pasted it, check that it is complete."
        ),
    ),
    405: Words(
        say("This page does not work that way"),
        say("Go back and use the links and buttons on the page."),
    ),
    409: Words(
        say("Someone else has changed this"),
        say("Go back, check what changed and try again."),
    ),
    410: Words(
        say("This has been deleted"),
        say("This content has been permanently removed."),
    ),
    412: Words(
        say("Someone else has changed this"),
        say("Get the latest version, then send your change again."),
    ),
    413: Words(
        say("The text or file is too large"),
        say("Go back and send less text or a smaller file. Nothing was changed."),
    ),
    415: Words(
        say("This type of content is not accepted"),
        say("Go back and use the form on the page."),
    ),
    428: Words(
        say("Say which version you are changing"),
        say("Send the ETag of the version you read in the If-Match header."),
    ),
    429: Words(
        say("Too many attempts"),
        say("Wait a few minutes and try again. Nothing was changed."),
    ),
    500: Words(
        say("Sorry, there is a problem with this site"),
        say(
            "Wait a few minutes and try again. We have recorded the problem for "
            "the people who run this site."
        ),
    ),
    503: Words(
        say("Sorry, this site is busy"),
        say("Wait a minute and try again. If you filled in a form, go back and send it again."),
    ),
}
# What a program is told instead, which has no page to go back to.
FOR_PROGRAMS = {
    404: "There is nothing at this address.",
    405: "The header Allow says what can be done at this address.",
    413: "Send less at once. Nothing was changed.",
    415: "Send JSON, with the content type application/json.",
    503: "Try again after as many seconds as Retry-After says.",
}
EXPIRED = Words(
    say("This form was open for too long"),
    say("Go back, reload the page and send the form again. Nothing was changed."),
)


def register(app: Flask) -> None:
    """Answer every error of `app` in the house style."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(MoothallError, _own)
    app.register_error_handler(FederationError, _federation)
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(IntegrityError, conflict)
    for unavailable_error in UNAVAILABLE:
        app.register_error_handler(unavailable_error, unavailable)
    app.register_error_handler(InternalServerError, _internal)


def wants_document() -> bool:
    """Whether the request comes from a program, which gets a problem document instead of a page."""
    if request.mimetype in MACHINE_TYPES:
        return True
    if request.path.endswith(INBOX) and not _browses():
        return True
    if request.path.startswith(MACHINE_PATHS):
        return True
    return (
        request.accept_mimetypes.best_match(("text/html", *MACHINE_TYPES), "text/html")
        != "text/html"
    )


def _browses() -> bool:
    """Whether the caller opens an address and asks for a page by name, as browsers do."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.accept_mimetypes.values()


def problem(status: int, detail: str, **members: Any) -> Response:
    """A problem document; `members` are its extension members (RFC 9457, section 3.2)."""
    title = HTTP_STATUS_CODES.get(status, "Error")
    document = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        **members,
    }
    return Response(json.dumps(document, ensure_ascii=False), status, content_type=PROBLEM)


def _http(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    words = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    advice = FOR_PROGRAMS.get(status, words.advice) if wants_document() else words.advice
    answer = _answer(status, words, advice)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in BODY_HEADERS:
            answer.headers[name] = value
    return answer


def _csrf(_: CSRFError) -> AnyResponse:
    """Whoever was signed out meanwhile signs in again, and whoever was not goes on from here: what
    was typed is kept.
    """
    if not wants_document() and (again := unsaved.after_expiry()) is not None:
        return _chosen(again)
    return _answer(400, EXPIRED, EXPIRED.advice, code="form-expired")


def _own(error: MoothallError) -> AnyResponse:
    status = STATUS.get(error.code, 500)
    # Whoever signs and is not believed would not know why there is nothing.
    if status == 404 and (refusal := unproven()) is not None:
        return refused(refusal)
    if status == 500:
        log.error("unexpected error", code=error.code, text=error.safe_text)
        return _internal(InternalServerError())
    fields = getattr(error, "fields", {})
    members = {"fields": fields} if fields else {}
    return _answer(status, WORDS[status], error.safe_text, code=error.code, **members)


def conflict(_error: IntegrityError | None = None) -> Response:
    """Two did the same thing at the same moment, and the other was first."""
    db.session.rollback()
    return _answer(409, WORDS[409], WORDS[409].advice, code="conflict")


def refused(refusal: Refusal) -> Response:
    """Why a message is not taken."""
    answer = problem(refusal.status, refusal.safe_text, reason=refusal.reason.value)
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def _federation(error: FederationError) -> AnyResponse:
    return _answer(400, WORDS[400], of_library(error))


def failed() -> Response:
    """A failure of ours, for a program. The words are in English, outside of any page."""
    return problem(500, FAILED)


def unavailable(error: Exception) -> Response:
    """The database is busy or down: a page or a problem document says when to try again."""
    return _chosen(busy(error, None if wants_document() else _plain_page(503)))


def busy(error: Exception, page: Response | None = None) -> Response:
    """The same outside of any page, for a program."""
    DATABASE_TROUBLE.error("The database is not available: %s", error)
    answer = page or problem(503, FOR_PROGRAMS[503])
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _internal(error: InternalServerError) -> AnyResponse:
    """The last resort."""
    if isinstance(error.original_exception, UNAVAILABLE):
        return unavailable(error.original_exception)
    return _chosen(problem(500, WORDS[500].advice) if wants_document() else _plain_page(500))


def _plain_page(status: int) -> Response:
    """An error page that asks nothing of the database, which may be what is broken."""
    words = WORDS[status]
    # Not `render_template`: that runs the context processors, which read the database.
    template = current_app.jinja_env.get_template("error.html")
    page = template.render(
        site=g.get("site", Site()), heading=said(words.heading), text=said(words.advice), fields={}
    )
    return Response(page, status)


def _answer(status: int, words: Words, detail: str, **members: Any) -> Response:
    if wants_document():
        return _chosen(problem(status, detail, **members))
    page = render_template(
        "error.html",
        heading=said(words.heading),
        text=said(detail),
        fields={name: said(text) for name, text in members.get("fields", {}).items()},
    )
    return _chosen(Response(page, status))


def _chosen(response: Response) -> Response:
    """Tell caches that another caller may get another answer at the same address."""
    response.vary.add("Accept")
    return response
