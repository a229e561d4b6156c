"""Which characters texts of one line and of several lines can have, in the API and on pages."""

import pytest

from node.testing.visitor import Visitor
from tests.rest.conftest import BINS, Program, problem

# Line ends, control characters, direction overrides and noncharacters.
UNFIT = "\n\v\f\r\x1b\x07\x10\x7f\x85\u2028\u2029\u202a\u202e\u2066\u2069\ufdd0\ufffe\U0001ffff"
HIDDEN = ("\u200b\u2060", "\u200e\u200f", "\u3164", "\u2800", "\ufeff")
NOT_SHOWN_ERROR = "Remove the characters that cannot be shown"
# A technologist, the flag of Wales, Persian with a non-joiner, Hebrew with direction marks.
ALLOWED = (
    "\U0001f469\u200d\U0001f4bb"
    " \U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
    " می\u200cخواهم \u200eא\u200f"
)


def wrong_fields(writer: Program, **more: object) -> dict[str, str]:
    fields: dict[str, str] = problem(writer("POST", "/projects", BINS | more), 400)["fields"]
    return fields


def test_unfit_characters_are_rejected_in_lines(writer: Program) -> None:
    for char in UNFIT:
        unfit = f"Bin{char}days"
        assert wrong_fields(writer, title=unfit, summary=unfit) == {
            "title": NOT_SHOWN_ERROR,
            "summary": NOT_SHOWN_ERROR,
        }, f"{char!a}"
        details = {
            "department": unfit,
            "tags": [unfit],
            "links": [{"url": "https://x.example", "title": unfit}],
            "user_needs": [{"need": unfit}],
        }
        wrong = wrong_fields(writer, details=details)
        assert set(wrong) == {f"details.{name}" for name in details}, f"{char!a}"


def test_longer_texts_can_have_line_ends_and_tabs(writer: Program) -> None:
    for char in set(UNFIT) - {"\n"}:
        assert wrong_fields(writer, brief=f"Bin{char}days") == {"brief": NOT_SHOWN_ERROR}, (
            f"{char!a}"
        )
        assert "details.why" in wrong_fields(writer, details={"why": f"a{char}b"})
    text = "One\r\n\ttwo\n"
    response = writer("POST", "/projects", BINS | {"brief": text, "details": {"why": text}})
    assert response.json["brief"] == response.json["details"]["why"] == "One\n\ttwo"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_invisible_characters_count_as_empty(hidden: str, writer: Program) -> None:
    wrong = wrong_fields(writer, title=hidden, summary=f" {hidden} ")
    assert wrong == {
        "title": "Enter the name of the project",
        "summary": "Enter a summary of what the project is for",
    }


def test_joiners_and_direction_marks_are_kept(writer: Program) -> None:
    response = writer(
        "POST", "/projects", BINS | {"title": ALLOWED, "summary": ALLOWED, "brief": ALLOWED}
    )
    assert (response.json["title"], response.json["summary"]) == (ALLOWED, ALLOWED)
    assert response.json["brief"] == ALLOWED


@pytest.mark.parametrize(
    "page, form, fields",
    [
        ("/projects/new", "new", {"title": "Bin\u202edays", "summary": "S", "phase": "alpha"}),
        ("/account/profile", "profile", {"name": "Ola\u202e", "username": "ola"}),
        ("/account/tokens", "tokens/new", {"name": "Our\u202esite", "days": "30"}),
    ],
)
def test_pages_show_error_for_unfit_characters(
    page: str, form: str, fields: dict[str, str], officer: Visitor
) -> None:
    officer.visit(page)
    response = officer.submit(form, **fields)
    assert response.status_code == 400
    assert NOT_SHOWN_ERROR in response.text


def test_summary_length_is_counted_as_in_browser(officer: Visitor) -> None:
    """The browser counts a line break as one character, but sends two."""
    officer.visit("/projects/new")
    response = officer.submit(
        title="T", summary=f"{'x' * 99}\r\n{'y' * 100}", phase="alpha", brief="B"
    )
    assert response.status_code == 200, response.text
    assert f"{'x' * 99} {'y' * 100}" in response.text
