"""The accessibility statement shows the settings of the server."""

import html

import pytest

from node import settings
from node.errors import SettingsError
from node.testing.nodes import Nodes


def test_the_statement_shows_the_settings(nodes: Nodes) -> None:
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
        "last reviewed this statement on",
    ):
        assert words in page


def test_the_statement_without_settings(nodes: Nodes) -> None:
    page = html.unescape(nodes.start("aldermoor").visitor().visit("/accessibility").text)
    assert "We do not know of any problems." in page
    assert "last reviewed this statement on" not in page


def test_an_invalid_review_date_is_refused_at_the_start() -> None:
    with pytest.raises(
        SettingsError, match="accessibility_reviewed must be a date such as 2026-11-26"
    ):
        settings.load({"MOOTHALL_ACCESSIBILITY_REVIEWED": "soon"})
