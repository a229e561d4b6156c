"""The languages of the pages, and which of them this request is answered in."""

from flask_babel import get_locale, get_translations

from node.wording import Saying

# Each by its own name, in the order of the switch.
LANGUAGES = {"en": "English", "cy": "Cymraeg"}
ENGLISH = "en"


def page_language() -> str:
    """The language of the page, as the `lang` attribute names it: `en` or `cy`."""
    locale = get_locale()
    return locale.language if locale else ENGLISH


def said(text: str) -> str:
    """What a service said, in the language of the page.

    A sentence that was stored is looked up as it stands; what is in no catalogue stays as it is.
    """
    translations = get_translations()
    if isinstance(text, Saying):
        return text.through(translations)
    return translations.gettext(str(text)) if text else ""
