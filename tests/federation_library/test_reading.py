"""Reading what others write: one or many, ids, texts, links, times, addressing."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.addressing import PUBLIC_COLLECTION, is_public, recipients
from federation.properties import format_time, get_link, get_text, parse_time, texts_by_language
from federation.vocabulary import Note, id_of, ids_of, type_of

AT = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)


def test_one_or_many_and_ids() -> None:
    assert id_of("https://x.example/1") == "https://x.example/1"
    assert id_of({"id": "https://x.example/1"}) == "https://x.example/1"
    assert id_of(["https://x.example/1"]) == "https://x.example/1"
    assert [id_of(value) for value in (None, "", 5, {}, {"id": 5}, [], ["a", "b"])] == [None] * 7
    assert ids_of(None) == ()
    assert ids_of(["a", {"id": "b"}, "a", None, 5]) == ("a", "b")
    assert [type_of({"type": value}) for value in ("A", ["A", "B"], [5, "B"], None, 5)] == [
        "A",
        "A",
        "B",
        "",
        "",
    ]


def test_texts_by_language() -> None:
    document = {"nameMap": {"cy": "Cyngor", "en": "Council", "x": 5}, "content": "<p>"}
    assert texts_by_language(document, "name") == {"cy": "Cyngor", "en": "Council"}
    assert get_text(document, "name") == "Cyngor"
    assert get_text(document, "content") == "<p>"
    assert get_text({"name": 5, "nameMap": []}, "name") is None


def test_links() -> None:
    page = {"type": "Link", "mediaType": "text/html", "href": "https://x.example/page"}
    audio = {"type": "Link", "mediaType": "audio/ogg", "href": "https://x.example/audio"}
    assert get_link([audio, page]) == "https://x.example/page"
    assert get_link([audio, "https://x.example/plain"]) == "https://x.example/plain"
    assert get_link(audio) == "https://x.example/audio"
    nothing: list[Any] = [None, 5, {}, [], {"href": 5}, "/x", "javascript:alert(1)"]
    assert [get_link(value) for value in nothing] == [None] * 7
    assert get_link(["javascript:alert(1)", page]) == "https://x.example/page"


@pytest.mark.parametrize(
    "value, read",
    [
        ("2026-11-23T12:30:15Z", AT.replace(microsecond=0)),
        ("2026-11-23T12:30:15.123456789Z", AT),
        ("2026-11-23T13:30:15+01:00", AT.replace(microsecond=0)),
        ("2026-11-23T12:30:15", AT.replace(microsecond=0)),
        ("2026-11-23 12:30:15z", AT.replace(microsecond=0)),
        ("0001-01-01T00:00:00+23:59", None),
        ("0001-01-01T00:00:00Z", None),
        ("1969-12-31T23:59:59Z", None),
        ("3000-01-01T00:00:00Z", None),
        ("2999-12-31T23:59:59Z", datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("2" * 100, None),
        ("2026-11-23T12:30:15." + "1" * 44, AT.replace(microsecond=111111)),
        ("2026-11-23T12:30:15." + "1" * 45, None),
        ("2026-11-23T12:30:15." + "1" * 80, None),
        (5, None),
        (None, None),
    ],
)
def test_times_are_read_leniently(value: Any, read: datetime | None) -> None:
    assert parse_time(value) == read


@given(st.timedeltas(timedelta(days=-20_000), timedelta(days=40_000)), st.integers(-12, 14))
def test_times_come_back_as_they_were(distance: timedelta, zone: int) -> None:
    value = (AT + distance).astimezone(timezone(timedelta(hours=zone)))
    assert parse_time(format_time(value)) == value
    assert format_time(value).endswith("Z")


def test_addressing() -> None:
    for public in (
        PUBLIC_COLLECTION,
        "as:Public",
        "Public",
        [PUBLIC_COLLECTION],
        ["x", {"id": PUBLIC_COLLECTION}],
    ):
        assert is_public(public)
        assert is_public(None, public)
    assert not is_public(None)
    assert not is_public(["https://www.w3.org/ns/activitystreams"], [])
    assert recipients([PUBLIC_COLLECTION, "a", "b"], ["b", "as:Public", {"id": "c"}]) == (
        "a",
        "b",
        "c",
    )


@pytest.mark.parametrize(
    "kind, content, shown",
    [
        ("Note", "<p>Yes</p>", "<p>Yes</p>"),
        ("Note", None, "<p><strong>A &lt;b&gt;</strong></p>"),
        ("Page", "<p>Yes</p>", "<p><strong>A &lt;b&gt;</strong></p><p>Yes</p>"),
        ("Article", None, "<p><strong>A &lt;b&gt;</strong></p>"),
    ],
)
def test_a_title_is_shown_with_what_has_titles_and_as_a_vote(
    kind: str, content: str | None, shown: str
) -> None:
    document = {
        "id": "https://x.example/1",
        "type": kind,
        "attributedTo": "https://x.example/a",
        "name": "A <b>",
        "content": content,
    }
    assert Note.parse(document, (kind,)).content == shown


def test_a_poll_shows_fifty_choices_at_most() -> None:
    poll = {
        "id": "https://x.example/1",
        "type": "Question",
        "attributedTo": "https://x.example/a",
        "oneOf": [{"name": f"<{number}>"} for number in range(30)],
        "anyOf": [{"name": f"<{number}>"} for number in range(30, 70)],
    }
    shown = "".join(f"<li>&lt;{number}&gt;</li>" for number in range(50))
    assert Note.parse(poll, ("Question",)).content == f"<ul>{shown}</ul>"
    assert Note.parse(poll | {"type": "Note"}).content == ""
