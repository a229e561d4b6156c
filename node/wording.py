"""Sentences that services say to people, in the language of whoever reads them.

A service says what is wrong in English with `say`, and knows no more than that. What it says is a
plain string: a command, a log and a problem document show it as it is. It also remembers what it
was made of, so that a page or a letter can say the same in another language (`Saying.through`).
"""

from gettext import NullTranslations
from typing import Any, Self

from federation.errors import DocumentError, FederationError


class Saying(str):
    """An English sentence that can be said in other languages. Made by `say` and `say_count`."""

    _template: str
    _plural: str
    _arguments: dict[str, Any]

    @classmethod
    def made(cls, template: str, plural: str, arguments: dict[str, Any]) -> Self:
        """In English; `plural` is empty for what is not about a number of things."""
        chosen = template if not plural or arguments["num"] == 1 else plural
        saying = cls(chosen % arguments if arguments else chosen)
        saying._template, saying._plural, saying._arguments = template, plural, arguments
        return saying

    def through(self, translations: NullTranslations) -> str:
        """The sentence in the language of `translations`, and so what it quotes."""
        arguments = {
            name: value.through(translations) if isinstance(value, Saying) else value
            for name, value in self._arguments.items()
        }
        if self._plural:
            number: int = self._arguments["num"]
            chosen = translations.ngettext(self._template, self._plural, number)
        else:
            chosen = translations.gettext(self._template)
        return chosen % arguments if arguments else chosen


def say(template: str, **arguments: Any) -> Saying:
    """A sentence. What changes in it stands as `%(name)s`, and is given by that name.

    `template` has to be written out where this is called: that is where translators' tools find it.
    """
    return Saying.made(template, "", arguments)


def say_count(one: str, many: str, num: int, **arguments: Any) -> Saying:
    """A sentence about `num` things, which stands in it as `%(num)s`: for one, and for many."""
    return Saying.made(one, many, {"num": num, **arguments})


def of_library(error: FederationError) -> Saying:
    """What an error of the federation library says; translators have those sentences too."""
    if isinstance(error, DocumentError):
        return say(
            "Problem with “%(name)s” in the document: %(problem)s.",
            name=error.property_name,
            problem=Saying.made(error.problem, "", {}),
        )
    text = error.safe_text
    return text if isinstance(text, Saying) else Saying.made(text, "", {})
