"""Addresses that people and programs guess: each leads to where the thing is."""

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
# Every question of the finder has an address: the pages alone are for other people's indexes.
ROBOTS = "User-agent: *\nDisallow: /projects?\nDisallow: /reuse?\nDisallow: /portfolio?\n"


@permission(PUBLIC)
def elsewhere() -> ResponseReturnValue:
    """On to where it is, with what is asked."""
    asked = request.query_string.decode(errors="replace")
    return redirect(url_for(REDIRECTS[request.path]) + (f"?{asked}" if asked else ""))


@blueprint.get("/favicon.ico")
@permission(PUBLIC)
def icon() -> ResponseReturnValue:
    return redirect(url_for("web.static", filename="moot-hall.svg"))


@blueprint.get("/robots.txt")
@permission(PUBLIC)
def robots() -> ResponseReturnValue:
    return Response(ROBOTS, content_type="text/plain; charset=utf-8")


for _path in REDIRECTS:
    blueprint.add_url_rule(_path, view_func=elsewhere)
