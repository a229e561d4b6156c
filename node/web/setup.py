"""Adds everything in `node.web` to the application, and the blueprint `web` for static files."""

from collections.abc import Callable, Iterable
from pathlib import Path

from flask import Blueprint, Flask, Response, url_for

from node.request import PUBLIC, permission
from node.settings import Settings
from node.web import error_pages, i18n, security_headers, static_files, templating, theme
from node.web.layout import LayoutContext


def register(
    app: Flask,
    site: Callable[[], LayoutContext],
    settings: Settings,
    translations: Iterable[Path] = (),
) -> None:
    """Set up the layout, components, theme, languages, error pages and security headers of `app`.

    `site` is called once per request for the layout's data. `translations` are the folders of the
    plugins' catalogues.
    """
    app.register_blueprint(_blueprint())
    i18n.register(app, settings, translations)
    templating.register(app, site)
    static_files.register(app)
    security_headers.register(app, https=settings.is_https)
    error_pages.register(app)
    app.jinja_env.globals["theme_url"] = theme_url


def theme_url(colour: str) -> str:
    """The address of the stylesheet for a council's colour, `#rrggbb`."""
    version = static_files.content_version(theme.build_stylesheet(colour).encode())
    return url_for("web.theme_stylesheet", colour=theme.normalise_colour(colour)[1:], v=version)


def _blueprint() -> Blueprint:
    blueprint = Blueprint(
        "web",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )

    @blueprint.get("/theme/<colour>.css")
    @permission(PUBLIC)
    def theme_stylesheet(colour: str) -> Response:
        style = theme.build_stylesheet(f"#{colour}")
        return static_files.set_cache_control(
            Response(style, mimetype="text/css"), static_files.content_version(style.encode())
        )

    return blueprint
