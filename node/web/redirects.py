"""Redirects from addresses that people and programs guess."""

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from node.request import PUBLIC, permission

blueprint = Blueprint("guessed", __name__)

REDIRECTS = {
    "/.well-known/change-password": "passwords.ask_form",
    "/atom.xml": "feeds.atom",
    "/feed": "feeds.atom",
    "/feed.json": "feeds.json_feed",
    "/login": "security.login",
    "/map": "portfolio.show_map",
    "/openapi.json": "rest.document",
    "/portfolio/numbers": "portfolio.show_numbers",
    "/projects/": "projects.index",
    "/rss": "feeds.atom",
    "/search": "projects.index",
    "/timeline": "portfolio.show_timeline",
}
# Search results have too many addresses for crawlers: they should index the pages themselves.
ROBOTS = "User-agent: *\nDisallow: /projects?\nDisallow: /reuse?\nDisallow: /portfolio?\n"


@permission(PUBLIC)
def redirect_guessed() -> ResponseReturnValue:
    """Redirect to the page, with the query string."""
    query = request.query_string.decode(errors="replace")
    return redirect(url_for(REDIRECTS[request.path]) + (f"?{query}" if query else ""))


@blueprint.get("/favicon.ico")
@permission(PUBLIC)
def icon() -> ResponseReturnValue:
    return redirect(url_for("web.static", filename="moot-hall.svg"))


@blueprint.get("/robots.txt")
@permission(PUBLIC)
def robots() -> ResponseReturnValue:
    return Response(ROBOTS, content_type="text/plain; charset=utf-8")


for _path in REDIRECTS:
    blueprint.add_url_rule(_path, endpoint="elsewhere", view_func=redirect_guessed)
