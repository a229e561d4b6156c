"""Putting the languages on: who gets which, where the words come from, what caches must know."""

from collections.abc import Iterable
from pathlib import Path

from babel.support import NullTranslations
from flask import Flask, Response, g, request
from flask_babel import Babel, Domain
from flask_security import current_user

from node.languages import (
    COOKIE,
    LANGUAGES,
    PARAMETER,
    chosen,
    locale_of_request,
    page_in,
    page_language,
    said,
)
from node.people.service import keep_language
from node.request import current_node
from node.settings import Settings
from node.web.catalogues import Catalogues

TIMEZONE = "Europe/London"
SIGN_IN = "security.login"
A_YEAR = 365 * 24 * 3600


class House(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """Where `gettext` looks: in the catalogues of the node and of its plugins."""

    def __init__(self, catalogues: Catalogues) -> None:
        super().__init__()
        self._catalogues = catalogues

    def get_translations(self) -> NullTranslations:
        return self._catalogues.into(page_language())


def register(app: Flask, settings: Settings, folders: Iterable[Path]) -> None:
    """Set up translation and the zone in which times are shown. `folders` are the plugins'."""
    app.config[COOKIE] = settings.cookie("language")
    babel = Babel(
        app,
        default_timezone=TIMEZONE,
        locale_selector=lambda: locale_of_request(settings.language),
    )
    babel.domain_instance = House(Catalogues(folders))
    app.jinja_env.filters["said"] = said
    app.jinja_env.globals.update(LANGUAGES=LANGUAGES, page_in=page_in, page_language=page_language)

    def remember(response: Response) -> Response:
        """Keep what was chosen with this request, and tell caches what the answer depends on."""
        wanted = _of_account(chosen())
        if wanted in LANGUAGES and wanted != request.cookies.get(app.config[COOKIE]):
            response.set_cookie(
                app.config[COOKIE],
                wanted,
                max_age=A_YEAR,
                secure=settings.is_https,
                httponly=True,
                samesite="Lax",
            )
        if g.get("asked_for_language"):
            response.vary.update(("Accept-Language", "Cookie"))
        return response

    app.after_request(remember)


def _of_account(wanted: str | None) -> str | None:
    """Which language to remember. Of somebody signed in, what they choose with this request is kept
    with their account; whoever has just signed in gets what is kept there.
    """
    signs_in = request.endpoint == SIGN_IN and request.method == "POST"
    chooses = request.args.get(PARAMETER) in LANGUAGES
    if not (signs_in or chooses) or not current_user.is_authenticated:
        return wanted
    kept: str | None = current_user.language
    if kept and signs_in:
        return kept
    if wanted and wanted != kept:
        keep_language(current_node(), current_user.id, wanted)
    return wanted
