"""The languages of the pages, and which of them this request is answered in.

A language chosen with the switch of a page comes first. Then a Welsh node answers in Welsh: almost
every browser in Wales asks for English, which nobody chose. On an English node the browser decides.
"""

from urllib.parse import quote, urlencode

from flask import current_app, g, has_request_context, request
from flask_babel import get_locale, get_translations

from node.messages import Message

# Each by its own name, in the order of the switch.
LANGUAGES = {"en": "English", "cy": "Cymraeg"}
LOCALES = {"en": "en_GB", "cy": "cy_GB"}
ENGLISH = "en"
# The query parameter with which a page is asked for in a language, and the switch made.
LANGUAGE_PARAMETER = "lang"
COOKIE_NAME_KEY = "MOOTHALL_LANGUAGE_COOKIE"  # the setting of the application that has its name


def chosen_language() -> str | None:
    """What whoever asks has chosen: with this request, or before."""
    for given in (
        request.args.get(LANGUAGE_PARAMETER),
        request.cookies.get(current_app.config[COOKIE_NAME_KEY]),
    ):
        if given in LANGUAGES:
            return given
    return None


def select_locale(default: str) -> str:
    """The locale to answer in; `default` is the node's language."""
    if not has_request_context():
        return LOCALES[default]
    g.asked_for_language = True
    own = default if default != ENGLISH else ""
    return LOCALES[chosen_language() or own or _browser_language() or ENGLISH]


def _browser_language() -> str | None:
    """What the browser likes best: `en-GB` is as good as `en`."""
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
    """The address of this page in another language, with all that was asked of it.

    Of a page that answers a form and cannot be opened, the front page.
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
    addresses = current_app.create_url_adapter(request)
    return addresses is not None and addresses.test(method="GET")


def translate(text: str) -> str:
    """What a service said, in the language of the page.

    A sentence that was stored is looked up as it stands; what is in no catalogue stays as it is.
    """
    translations = get_translations()
    if isinstance(text, Message):
        return text.in_language(translations)
    return translations.gettext(str(text)) if text else ""
