"""Authentication, scopes, rate limits and conditional requests of the API."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    BadRequest,
    PreconditionFailed,
    PreconditionRequired,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

from node.access.permissions import EDIT, is_allowed
from node.access.viewer import ANONYMOUS, Viewer, viewer_with_roles
from node.errors import ForbiddenError, InvalidInputError
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.people.attempt_limits import AttemptLimiter
from node.people.models import User
from node.principal import Via
from node.request import PUBLIC, current_node, current_work, for_servers, json_bytes, permission
from node.rest import service
from node.rest.models import ApiToken, TokenScope

EXTENSION_KEY = "moothall-api"
WINDOW_SECONDS = 60.0
# Requests per window, for each token and for each address without one.
MAX_PER_TOKEN, MAX_PER_ADDRESS = 600, 120
JSON_TYPES = ("application/json", "application/merge-patch+json")
DEFAULT_LIMIT, MAX_LIMIT = 20, 100

WRITE_METHODS = frozenset({"POST", "PATCH"})

ViewFunction = TypeVar("ViewFunction", bound=Callable[..., Any])


class ApiRateLimits:
    """Counters of API requests, kept per process."""

    def __init__(self) -> None:
        self.by_token = AttemptLimiter(MAX_PER_TOKEN, WINDOW_SECONDS)
        self.by_address = AttemptLimiter(MAX_PER_ADDRESS, WINDOW_SECONDS)


def init_rate_limits(state: BlueprintSetupState) -> None:
    state.app.extensions[EXTENSION_KEY] = ApiRateLimits()


def api_view(scope: TokenScope | None = None) -> Callable[[ViewFunction], ViewFunction]:
    """Decorate a view of the API. Without `scope` no token is needed, but one may show more."""

    def decorate(view: ViewFunction) -> ViewFunction:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            token = _authenticate()
            if scope is not None:
                _require_scope(token, scope)
            response = view(*args, **kwargs)
            if isinstance(response, Response) and token is None:
                response.headers["Access-Control-Allow-Origin"] = "*"
            return response

        return cast("ViewFunction", for_servers(permission(PUBLIC)(wrapper)))

    return decorate


def api_viewer() -> Viewer:
    """The viewer of the current request: the owner of a token with the scope read, anonymous for
    other tokens, or the server that signed the request.
    """
    token: ApiToken | None = g.get("api_token")
    if token is None:
        return current_viewer()
    if TokenScope.read not in token.scopes:
        return ANONYMOUS
    return viewer_with_roles((role.name for role in token.user.roles), current_node().hooks)


def token_owner() -> User:
    """The owner of the request's token, in a view with a scope."""
    token: ApiToken = g.api_token
    return token.user


def _authenticate() -> ApiToken | None:
    """The token of the request, if it has one. Raises `Unauthorized` for an invalid token and
    `TooManyRequests` above the rate limit.
    """
    limits: ApiRateLimits = current_app.extensions[EXTENSION_KEY]
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        _check_rate(limits.by_address, request.remote_addr or "")
        return None
    work = current_work()
    token = (
        service.find_valid(work.session, secret.strip()) if kind.casefold() == "bearer" else None
    )
    if token is None:
        # Guessed tokens count against the address.
        _check_rate(limits.by_address, request.remote_addr or "")
        raise Unauthorized(www_authenticate=_build_challenge("invalid_token"))
    _check_rate(limits.by_token, str(token.id))
    if service.should_record_use(token):
        token_id = token.id
        work.pause()
        service.record_use(current_node(), token_id)
        token = service.find_valid(work.session, secret.strip())
    g.api_token = token
    if token is not None:
        work.by = token.user.to_principal(Via.token)
    return token


def _check_rate(limiter: AttemptLimiter, key: str) -> None:
    wait = limiter.hit(key)
    if wait:
        raise TooManyRequests(retry_after=math.ceil(wait))


def _require_scope(token: ApiToken | None, scope: TokenScope) -> None:
    if token is None:
        raise Unauthorized(www_authenticate=_build_challenge())
    if scope not in token.scopes:
        raise ForbiddenError(msg("The token does not have the %(scope)s scope.", scope=scope.value))
    roles = [role.name for role in token.user.roles]
    if scope is not TokenScope.read and not is_allowed(roles, EDIT, current_node().hooks):
        raise ForbiddenError(msg("You do not have permission to do this."))


def _build_challenge(error: str = "") -> WWWAuthenticate:
    values: dict[str, str | None] = {"realm": "Moothall"}
    if error:
        values["error"] = error
    return WWWAuthenticate("bearer", values)


def parse_body(allowed: frozenset[str]) -> dict[str, Any]:
    """The JSON object in the request body.

    Raises `UnsupportedMediaType`, `BadRequest`, or `InvalidInputError` if it is not an object or
    has fields other than `allowed`.
    """
    if request.mimetype not in JSON_TYPES:
        raise UnsupportedMediaType
    try:
        body = request.get_json(force=True)
    except (RecursionError, ValueError) as error:
        raise BadRequest from error
    if not isinstance(body, dict):
        raise InvalidInputError(msg("The request body must be a JSON object."))
    unknown = sorted(set(body) - allowed)[:20]
    if unknown:
        message = msg("This field cannot be set")
        raise InvalidInputError(
            msg("The request body has fields that cannot be set."), dict.fromkeys(unknown, message)
        )
    return body


def parse_limit() -> int:
    """The page size that was requested, at most `MAX_LIMIT`. Raises `InvalidInputError`."""
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) > 0):
        errors = {"limit": msg("Must be a number from 1 to %(most)s", most=MAX_LIMIT)}
        raise InvalidInputError(msg("The request could not be read."), errors)
    return min(int(text), MAX_LIMIT)


def can_read() -> bool:
    """Whether the request's token has the scope read."""
    token: ApiToken | None = g.get("api_token")
    return token is not None and TokenScope.read in token.scopes


def make_etag(version: int, token: str) -> str:
    """The entity tag of a version of a project or update."""
    return f"{token}-{version}"


def require_match(version: int, token: str) -> None:
    """Require an If-Match header with the current version (RFC 9110, section 13.1.1).

    Raises `PreconditionRequired` (428, RFC 6585) if it is missing or `*`, which names no version,
    and `PreconditionFailed` (412) for another version.
    """
    if not request.headers.get("If-Match") or request.if_match.star_tag:
        raise PreconditionRequired
    if not request.if_match.contains(make_etag(version, token)):
        raise PreconditionFailed


def json_response(document: Any, status: int = 200, tag: str = "") -> Response:
    """A JSON response with an entity tag; 304 if the client has this version.

    After a write, a token without the scope read gets the tag but no body.
    """
    if tag and request.method in WRITE_METHODS and not can_read():
        response = Response(status=status if status == 201 else 204)
    else:
        response = Response(json_bytes(document), status, content_type="application/json")
    if tag:
        response.set_etag(tag)
    else:
        response.add_etag()
    is_public = g.get("api_token") is None and api_viewer() == ANONYMOUS
    response.headers["Cache-Control"] = "no-cache" if is_public else "private, no-cache"
    response.vary.add("Authorization")
    if status == 200:
        response.make_conditional(request)
    return response
