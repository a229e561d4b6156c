"""The accessibility statement is as the node is set up."""

import html

import pytest

from node import settings
from node.errors import SettingsError
from node.testing.nodes import Nodes


def test_the_statement_says_what_the_settings_say(nodes: Nodes) -> None:
    node = nodes.start(
        "aldermoor",
        accessibility_contact="access@aldermoor.example",
        accessibility_known=("The map is hard to read at 400%.",),
        accessibility_reviewed="2026-11-20",
    )
    visitor = node.visitor()
    assert 'href="/accessibility"' in visitor.visit("/").text
    page = html.unescape(visitor.visit("/accessibility").text)
    for words in (
        "Aldermoor Council",
        "mailto:access@aldermoor.example",
        "The map is hard to read at 400%.",
        "20 November 2026",
        "2018",
    ):
        assert words in page


def test_nothing_is_promised_that_is_not_set(nodes: Nodes) -> None:
    page = html.unescape(nodes.start("aldermoor").visitor().visit("/accessibility").text)
    assert "We know of nothing that does not." in page
    assert "last looked at" not in page


def test_a_day_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="accessibility_reviewed must be a day"):
        settings.load({"MOOTHALL_ACCESSIBILITY_REVIEWED": "soon"})
