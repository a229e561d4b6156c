"""Definitions: strict parsing, serialising, and comparison of versions."""

from dataclasses import replace
from pathlib import Path

import pytest

from plugins.checklists.definitions.changes import list_changes
from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.definitions.data_reader import DefinitionError
from plugins.checklists.definitions.parsing import MAX_BYTES, parse_yaml, read_file
from plugins.checklists.definitions.serialising import to_yaml
from plugins.checklists.definitions.shipped import load_shipped

HEAD = """id: mine
version: 1
title: {en: Mine, cy: Fy un i}
about: A
licence: MIT
source: {title: S}"""
Q1 = "{id: q1, text: One}"
CHOICE = "{id: q2, type: choice, text: Two, options: [{id: a, text: A}, {id: b, text: B}]}"


def text(*questions: str, suffix: str = "") -> bytes:
    joined = ", ".join(questions)
    return f"{HEAD}\nsections: [{{id: s, title: T, questions: [{joined}]}}]\n{suffix}".encode()


@pytest.mark.parametrize(
    "checklist_id, questions",
    [
        ("digital-best-practice", 7),
        ("reporting-done-right", 7),
        ("lgds-standard", 15),
        ("service-standard", 14),
        ("local-digital-declaration", 5),
    ],
)
def test_shipped_checklists_are_complete_in_both_languages(
    checklist_id: str, questions: int
) -> None:
    checklist = load_shipped()[checklist_id]
    assert len(checklist.questions) == questions
    assert checklist.languages == ("en", "cy")
    assert checklist.source.title
    assert checklist.licence == "MIT"
    assert all(question.recommendation.en for question in checklist.questions)
    assert parse_yaml(to_yaml(checklist).encode()) == checklist


def test_placeholders_of_shipped_checklists() -> None:
    placeholders = {checklist.id: checklist.placeholders() for checklist in load_shipped().values()}
    assert {checklist_id for checklist_id, places in placeholders.items() if places} == {
        "digital-best-practice"
    }
    assert set(placeholders["digital-best-practice"]) == {
        "q5.recommendation",
        "q6.text",
        "q6.recommendation",
        "q7.text",
        "q7.recommendation",
        "r8",
    }


@pytest.mark.parametrize(
    "data, message",
    [
        (b"title: [", "line 1: This is not valid YAML"),
        (b"\xff", "The checklist must be UTF-8 text"),
        (b"just words", "This must be keys and values, for example title: Open data"),
        (b"a" * (MAX_BYTES + 1), "The checklist must be 200KB or smaller"),
        (b"a: &x [1]\nb: *x", "line 2: YAML aliases are not supported. Write the value in full."),
        (b"[" * 20 + b"]" * 20, "This is nested too deeply"),
        (b"id: a\nid: b", "line 2: This key is used twice"),
        (
            text(Q1, suffix="surprise: 1"),
            ("surprise: This is not part of a checklist. Check the spelling or remove it."),
        ),
        (text(Q1).replace(b"licence: MIT\n", b""), "licence: This is missing"),
        (text(Q1).replace(b"version: 1", b"version: first"), "version: Enter a whole number"),
        (
            text(Q1).replace(b"id: mine", b"id: Mine"),
            "id: ID must start with a lower case letter and contain only",
        ),
        (
            text(Q1).replace(b"id: mine", b"id: runs"),
            "id: This ID is not available. Enter a different one.",
        ),
        (text(), "sections: There must be between 1 and 100, but there are 0"),
        (text(Q1, Q1), "questions: The ID q1 is used twice"),
        (text("{id: q1}"), "sections[1].questions[1].text: This is missing"),
        (text('{id: q1, text: "a\\u202eb"}'), "Remove the characters that cannot be shown"),
        (
            text("{id: q1, text: '%s'}" % ("x" * 301)),
            "You have used 301 characters. Use 300 or fewer.",
        ),
        (text("{id: q1, type: scale, text: T}"), "Use one of: yes-no, choice, text"),
        (
            text("{id: q1, type: choice, text: T}"),
            "Questions with a list of answers must have at least 2 options",
        ),
        (
            text("{id: q1, type: text, text: T, recommendation: R}"),
            "Only questions answered yes, partly or no can have a recommendation",
        ),
        (
            text("{id: q1, text: T, shown_when: {question: q2, is: [no]}}", CHOICE),
            "q1.shown_when: There is no earlier question with the ID q2",
        ),
        (
            text("{id: q1, text: T, shown_when: {question: q1, is: [no]}}"),
            "q1.shown_when: There is no earlier question with the ID q1",
        ),
        (
            text(CHOICE, "{id: q3, text: T, shown_when: {question: q2, is: [c]}}"),
            "q3.shown_when: c is not an answer to question q2",
        ),
        (
            text("{id: q1, type: text, text: T}", Q1.replace("}", ", shown_when: x}")),
            "shown_when: This must be keys and values",
        ),
    ],
)
def test_error_is_one_line_with_place(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    with pytest.raises(DefinitionError) as caught:
        read_file(path)
    assert str(caught.value).startswith("mine.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_condition_on_hidden_question_does_not_hold() -> None:
    checklist = parse_yaml(
        text(
            Q1,
            "{id: q2, text: Two, shown_when: {question: q1, is: [no]}}",
            "{id: q3, text: Three, shown_when: {question: q2, is: [no]}}",
        )
    )
    assert [question.id for question in checklist.visible_questions({"q1": "no", "q2": "no"})] == [
        "q1",
        "q2",
        "q3",
    ]
    assert [question.id for question in checklist.visible_questions({"q1": "yes", "q2": "no"})] == [
        "q1"
    ]


def test_changes_between_versions_by_question() -> None:
    before = parse_yaml(text(Q1, CHOICE, "{id: q3, text: Three}"))
    after = parse_yaml(
        text("{id: q1, text: First}", CHOICE.replace("id: b", "id: c"), "{id: q4, text: Four}")
    )
    assert [(change.kind, change.question.id) for change in list_changes(before, after)] == [
        ("reworded", "q1"),
        ("answered-otherwise", "q2"),
        ("added", "q4"),
        ("removed", "q3"),
    ]
    assert list_changes(before, replace(before, version=2)) == []


def test_text_falls_back_to_english() -> None:
    checklist: Checklist = parse_yaml(text(Q1))
    assert (checklist.title.in_language("cy"), checklist.title.language("cy")) == ("Fy un i", "cy")
    assert (checklist.about.in_language("cy"), checklist.about.language("cy")) == ("A", "en")
    assert checklist.languages == ("en",)
