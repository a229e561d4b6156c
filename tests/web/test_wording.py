"""Messages of services: English strings, translated when a person reads them."""

import copy
import json
import re
from gettext import NullTranslations

from federation.errors import AddressError, DocumentError
from node.messages import Message, message_from, msg, msg_count


class Loud(NullTranslations):
    """A language that is English in capitals, so that what was translated shows."""

    def gettext(self, message: str) -> str:
        pieces = re.split(r"(%\(\w+\)s)", message)
        return "".join(piece if piece.startswith("%(") else piece.upper() for piece in pieces)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def test_a_message_is_a_plain_english_string() -> None:
    message = msg("At most %(most)s characters", most="1,000")
    assert message == "At most 1,000 characters"
    assert json.dumps(message) == '"At most 1,000 characters"'


def test_a_message_keeps_its_template_and_arguments() -> None:
    message = msg("%(host)s said 100%%", host="example.org")
    assert message == "example.org said 100%"
    assert message.in_language(Loud()) == "example.org SAID 100%"
    assert copy.deepcopy(message).in_language(Loud()) == "example.org SAID 100%"


def test_a_message_among_the_arguments_is_translated_too() -> None:
    message = msg("%(host)s: %(why)s", host="example.org", why=msg("too late"))
    assert message.in_language(Loud()) == "example.org: TOO LATE"


def test_a_count_has_singular_and_plural() -> None:
    one, two = (msg_count("%(num)s line", "%(num)s lines", number) for number in (1, 2))
    assert (one, two) == ("1 line", "2 lines")
    assert (one.in_language(Loud()), two.in_language(Loud())) == ("1 LINE", "2 LINES")


def test_a_message_without_arguments_may_have_a_percent_sign() -> None:
    assert msg("100%").in_language(NullTranslations()) == "100%"


def test_errors_of_the_library_become_messages() -> None:
    assert message_from(DocumentError("id", "missing")).in_language(Loud()) == (
        "PROBLEM WITH “id” IN THE DOCUMENT: MISSING."
    )
    assert message_from(AddressError("No address.")).in_language(Loud()) == "NO ADDRESS."
    assert isinstance(message_from(AddressError(msg("No address."))), Message)
