"""Configures translation: language selection, catalogues, the language cookie and Vary."""

from collections.abc import Iterable
from pathlib import Path

from babel.support import NullTranslations
from flask import Flask, Response, g, request
from flask_babel import Babel, Domain
from flask_security import current_user

from node.languages import (
    COOKIE_NAME_KEY,
    LANGUAGE_PARAMETER,
    LANGUAGES,
    chosen_language,
    page_language,
    select_locale,
    translate,
    url_in_language,
)
from node.people.service import save_language
from node.request import current_node
from node.settings import Settings
from node.web.translations import MessageCatalogues

TIMEZONE = "Europe/London"
SIGN_IN_ENDPOINT = "security.login"
YEAR_SECONDS = 365 * 24 * 3600


class CatalogueDomain(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """Makes `gettext` use the catalogues of the node and of its plugins."""

    def __init__(self, catalogues: MessageCatalogues) -> None:
        super().__init__()
        self._catalogues = catalogues

    def get_translations(self) -> NullTranslations:
        return self._catalogues.translations_for(page_language())


def register(app: Flask, settings: Settings, folders: Iterable[Path]) -> None:
    """Configure translation and the time zone. `folders` are the plugins' translations."""
    app.config[COOKIE_NAME_KEY] = settings.cookie_name("language")
    babel = Babel(
        app,
        default_timezone=TIMEZONE,
        locale_selector=lambda: select_locale(settings.language),
    )
    babel.domain_instance = CatalogueDomain(MessageCatalogues(folders))
    app.jinja_env.filters["translate"] = translate
    app.jinja_env.globals.update(
        LANGUAGES=LANGUAGES, page_in=url_in_language, page_language=page_language
    )

    def remember(response: Response) -> Response:
        """Store the chosen language in the cookie, and tell caches what the response depends on."""
        language = _sync_with_account(chosen_language())
        if language in LANGUAGES and language != request.cookies.get(app.config[COOKIE_NAME_KEY]):
            response.set_cookie(
                app.config[COOKIE_NAME_KEY],
                language,
                max_age=YEAR_SECONDS,
                secure=settings.is_https,
                httponly=True,
                samesite="Lax",
            )
        if g.get("asked_for_language"):
            response.vary.update(("Accept-Language", "Cookie"))
            response.headers.setdefault("Content-Language", page_language())
        return response

    app.after_request(remember)


def _sync_with_account(chosen: str | None) -> str | None:
    """The language to remember. A choice of a signed-in user is saved with their account; when a
    user signs in, the language of the account takes precedence.
    """
    is_sign_in = request.endpoint == SIGN_IN_ENDPOINT and request.method == "POST"
    is_choice = request.args.get(LANGUAGE_PARAMETER) in LANGUAGES
    if not (is_sign_in or is_choice) or not current_user.is_authenticated:
        return chosen
    saved: str | None = current_user.language
    if saved and is_sign_in:
        return saved
    if chosen and chosen != saved:
        save_language(current_node(), current_user.id, chosen)
    return chosen
