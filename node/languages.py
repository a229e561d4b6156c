"""The languages of the pages, and which of them this request is answered in.

A language chosen with the switch of a page comes first. Then a Welsh node answers in Welsh: almost
every browser in Wales asks for English, which nobody chose. On an English node the browser decides.
"""

from urllib.parse import quote, urlencode

from flask import current_app, g, has_request_context, request
from flask_babel import get_locale, get_translations

from node.wording import Saying

# Each by its own name, in the order of the switch.
LANGUAGES = {"en": "English", "cy": "Cymraeg"}
LOCALES = {"en": "en_GB", "cy": "cy_GB"}
ENGLISH = "en"
# The query parameter with which a page is asked for in a language, and the switch made.
PARAMETER = "lang"
COOKIE = "MOOTHALL_LANGUAGE_COOKIE"  # the setting of the application that has its name


def chosen() -> str | None:
    """What whoever asks has chosen: with this request, or before."""
    for given in (request.args.get(PARAMETER), request.cookies.get(current_app.config[COOKIE])):
        if given in LANGUAGES:
            return given
    return None


def locale_of_request(default: str) -> str:
    """The locale to answer in; `default` is the node's language."""
    if not has_request_context():
        return LOCALES[default]
    g.asked_for_language = True
    own = default if default != ENGLISH else ""
    return LOCALES[chosen() or own or _asked_for() or ENGLISH]


def _asked_for() -> str | None:
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


def page_in(language: str) -> str:
    """The address of this page in another language, with all that was asked of it.

    Of a page that answers a form and cannot be opened, the front page.
    """
    query = [(name, value) for name, value in request.args.items(multi=True) if name != PARAMETER]
    path = "/" + quote(request.path.lstrip("/"))
    if request.method not in {"GET", "HEAD"} and not _can_be_opened():
        path, query = "/", []
    return f"{path}?{urlencode([*query, (PARAMETER, language)])}"


def _can_be_opened() -> bool:
    addresses = current_app.create_url_adapter(request)
    return addresses is not None and addresses.test(method="GET")


def said(text: str) -> str:
    """What a service said, in the language of the page.

    A sentence that was stored is looked up as it stands; what is in no catalogue stays as it is.
    """
    translations = get_translations()
    if isinstance(text, Saying):
        return text.through(translations)
    return translations.gettext(str(text)) if text else ""
