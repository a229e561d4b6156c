"""Security headers: only our own styles, scripts and images are allowed, and no frames."""

import secrets

from flask import Flask, Response, current_app, g, request

CSP_DIRECTIVES = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'none'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Keeps personal pages out of the caches of shared browsers and proxies.
PRIVATE_CACHE = "private, no-store"
# Query parameters that are credentials.
SECRET_PARAMETERS = frozenset({"key", "token"})
HSTS_HEADER = ("Strict-Transport-Security", "max-age=63072000")
DOCUMENT_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    *SECURITY_HEADERS.items(),
)
EXTENSION_KEY = "moothall-headers"


def register(app: Flask, *, https: bool) -> None:
    """Add the headers to every response. With `https`, they include HSTS (RFC 6797)."""
    app.jinja_env.globals["csp_nonce"] = nonce

    def harden(response: Response) -> Response:
        directives = CSP_DIRECTIVES | {"script-src": f"'self' 'nonce-{nonce()}'"}
        policy = "; ".join(f"{name} {value}" for name, value in directives.items())
        response.headers.setdefault("Content-Security-Policy", policy)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault(*HSTS_HEADER)
        if _is_personal() or _has_form() or SECRET_PARAMETERS & set(request.args):
            response.headers.setdefault("Cache-Control", PRIVATE_CACHE)
        return response

    app.after_request(harden)
    app.extensions[EXTENSION_KEY] = document_headers(https=https)


def document_headers(*, https: bool) -> list[tuple[str, str]]:
    """The headers of responses that are not pages."""
    return [*DOCUMENT_HEADERS, *([HSTS_HEADER] if https else [])]


def harden_document(response: Response) -> None:
    """Add the headers to a response to another server."""
    response.headers.extend(current_app.extensions[EXTENSION_KEY])
    if _has_form():  # a page that a server asked for
        response.headers.setdefault("Cache-Control", PRIVATE_CACHE)


def _is_personal() -> bool:
    """Whether this request has loaded a signed-in user, as every page does.

    Reads where Flask-Login stores the user: to load one here could use a broken database, and
    would make public responses depend on cookies.
    """
    user = g.get("_login_user")
    return user is not None and not user.is_anonymous


def _has_form() -> bool:
    """Whether the page contains a form with the visitor's CSRF token."""
    return "csrf_token" in g


def nonce() -> str:
    """The nonce with which the Content-Security-Policy allows this page's inline scripts."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)
