"""The languages of the pages, and which of them this request is answered in.

The language that the visitor chose with the language switch comes first. Otherwise a node whose
language is Welsh answers in Welsh, whatever the browser asks for, since almost every browser in
Wales asks for English by default. On an English node the browser's preference decides.
"""

from urllib.parse import quote, urlencode

from flask import current_app, g, has_request_context, request
from flask_babel import get_locale, get_translations

from node.messages import Message

# Names of the languages in themselves, in the order of the language switch.
LANGUAGES = {"en": "English", "cy": "Cymraeg"}
LOCALES = {"en": "en_GB", "cy": "cy_GB"}
ENGLISH = "en"
# The query parameter of the language switch.
LANGUAGE_PARAMETER = "lang"
# The key in Flask's configuration that holds the name of the cookie with the chosen language.
COOKIE_NAME_KEY = "MOOTHALL_LANGUAGE_COOKIE"


def chosen_language() -> str | None:
    """The language that the visitor chose, with this request or an earlier one; None if neither."""
    for tag in (
        request.args.get(LANGUAGE_PARAMETER),
        request.cookies.get(current_app.config[COOKIE_NAME_KEY]),
    ):
        if tag in LANGUAGES:
            return tag
    return None


def select_locale(default: str) -> str:
    """The locale of the response. `default` is the node's language."""
    if not has_request_context():
        return LOCALES[default]
    g.asked_for_language = True
    own = default if default != ENGLISH else ""
    return LOCALES[chosen_language() or own or _browser_language() or ENGLISH]


def _browser_language() -> str | None:
    """The language of ours that the browser prefers, regardless of regions (`en-GB` is `en`)."""
    for tag, quality in request.accept_languages:
        language = tag.partition("-")[0].lower()
        if language in LANGUAGES and quality > 0:
            return language
    return None


def page_language() -> str:
    """The language of the page, as the `lang` attribute names it: `en` or `cy`."""
    locale = get_locale()
    return locale.language if locale else ENGLISH


def url_in_language(language: str) -> str:
    """The address of this page in another language, with its query. If this page is the response
    to a form and has no GET route, the home page's.
    """
    query = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name != LANGUAGE_PARAMETER
    ]
    path = "/" + quote(request.path.lstrip("/"))
    if request.method not in {"GET", "HEAD"} and not _has_get_route():
        path, query = "/", []
    return f"{path}?{urlencode([*query, (LANGUAGE_PARAMETER, language)])}"


def _has_get_route() -> bool:
    routes = current_app.create_url_adapter(request)
    return routes is not None and routes.test(method="GET")


def translate(text: str) -> str:
    """A `Message` of a service, or a stored English text, in the language of the page. A text
    without a translation is returned unchanged.
    """
    translations = get_translations()
    if isinstance(text, Message):
        return text.in_language(translations)
    return translations.gettext(str(text)) if text else ""
