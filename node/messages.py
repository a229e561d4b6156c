"""Translatable messages from services.

Services know no Flask and no reader, so they return English messages, made with `msg`. A `Message`
is a plain string, which commands, logs and problem documents show unchanged. It keeps its template
and arguments, so that pages and emails can translate it (`Message.in_language`).
"""

from gettext import NullTranslations
from typing import Any, Self

from federation.errors import DocumentError, FederationError


class Message(str):
    """An English text that can be translated. Made by `msg` and `msg_count`."""

    _template: str
    _plural: str
    _arguments: dict[str, Any]

    @classmethod
    def create(cls, template: str, plural: str, arguments: dict[str, Any]) -> Self:
        """A message from its English template. `plural` is empty if it does not depend on a number;
        otherwise `arguments["num"]` selects the form.
        """
        form = template if not plural or arguments["num"] == 1 else plural
        message = cls(form % arguments if arguments else form)
        message._template, message._plural, message._arguments = template, plural, arguments
        return message

    def in_language(self, translations: NullTranslations) -> str:
        """The message, and messages among its arguments, in the language of `translations`."""
        arguments = {
            name: value.in_language(translations) if isinstance(value, Message) else value
            for name, value in self._arguments.items()
        }
        if self._plural:
            number: int = self._arguments["num"]
            form = translations.ngettext(self._template, self._plural, number)
        else:
            form = translations.gettext(self._template)
        return form % arguments if arguments else form


def msg(template: str, **arguments: Any) -> Message:
    """A message. `template` contains `%(name)s` for each of `arguments`.

    `template` must be a literal, because translation tools extract it from the source.
    """
    return Message.create(template, "", arguments)


def msg_count(one: str, many: str, num: int, **arguments: Any) -> Message:
    """A message about `num` things, in a singular (`one`) and a plural form (`many`). Both are
    literals that may contain `%(num)s`.
    """
    return Message.create(one, many, {"num": num, **arguments})


def message_from(error: FederationError) -> Message:
    """The message of an error of the federation library, whose texts are in the catalogues too."""
    if isinstance(error, DocumentError):
        return msg(
            "Problem with “%(name)s” in the document: %(problem)s.",
            name=error.property_name,
            problem=Message.create(error.problem, "", {}),
        )
    text = error.safe_text
    return text if isinstance(text, Message) else Message.create(text, "", {})
