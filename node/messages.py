"""Sentences that services say to people, in the language of whoever reads them.

A service says what is wrong in English with `say`, and knows no more than that. What it says is a
plain string: a command, a log and a problem document show it as it is. It also remembers what it
was made of, so that a page or a letter can say the same in another language (`Saying.through`).
"""

from gettext import NullTranslations
from typing import Any, Self

from federation.errors import DocumentError, FederationError


class Message(str):
    """An English sentence that can be said in other languages. Made by `say` and `msg_count`."""

    _template: str
    _plural: str
    _arguments: dict[str, Any]

    @classmethod
    def create(cls, template: str, plural: str, arguments: dict[str, Any]) -> Self:
        """In English; `plural` is empty for what is not about a number of things."""
        chosen = template if not plural or arguments["num"] == 1 else plural
        saying = cls(chosen % arguments if arguments else chosen)
        saying._template, saying._plural, saying._arguments = template, plural, arguments
        return saying

    def in_language(self, translations: NullTranslations) -> str:
        """The sentence in the language of `translations`, and so what it quotes."""
        arguments = {
            name: value.in_language(translations) if isinstance(value, Message) else value
            for name, value in self._arguments.items()
        }
        if self._plural:
            number: int = self._arguments["num"]
            chosen = translations.ngettext(self._template, self._plural, number)
        else:
            chosen = translations.gettext(self._template)
        return chosen % arguments if arguments else chosen


def msg(template: str, **arguments: Any) -> Message:
    """A sentence. What changes in it stands as `%(name)s`, and is given by that name.

    `template` has to be written out where this is called: that is where translators' tools find it.
    """
    return Message.create(template, "", arguments)


def msg_count(one: str, many: str, num: int, **arguments: Any) -> Message:
    """A sentence about `num` things, which stands in it as `%(num)s`: for one, and for many."""
    return Message.create(one, many, {"num": num, **arguments})


def message_from(error: FederationError) -> Message:
    """What an error of the federation library says; translators have those sentences too."""
    if isinstance(error, DocumentError):
        return msg(
            "Problem with “%(name)s” in the document: %(problem)s.",
            name=error.property_name,
            problem=Message.create(error.problem, "", {}),
        )
    text = error.safe_text
    return text if isinstance(text, Message) else Message.create(text, "", {})
