"""Which characters a line of text may have, and a text of several: the same by whatever way."""

import pytest

from node.testing.visitor import Visitor
from tests.rest.conftest import Program
from tests.rest.test_api import BINS, problem

# Line ends, controls, what turns text around, and what is no character.
UNFIT = "\n\v\f\r\x1b\x07\x10\x7f\x85\u2028\u2029\u202a\u202e\u2066\u2069\ufdd0\ufffe\U0001ffff"
HIDDEN = ("\u200b\u2060", "\u200e\u200f", "\u3164", "\u2800", "\ufeff")
CANNOT = "Remove the characters that cannot be shown"
# A technologist, the flag of Wales, Persian with a non-joiner, Hebrew with marks of direction.
SEEN = (
    "\U0001f469\u200d\U0001f4bb"
    " \U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
    " می\u200cخواهم \u200eא\u200f"
)


def wrong_fields(writer: Program, **more: object) -> dict[str, str]:
    found: dict[str, str] = problem(writer("POST", "/projects", BINS | more), 400)["fields"]
    return found


def test_no_line_has_a_character_that_cannot_be_shown(writer: Program) -> None:
    for letter in UNFIT:
        unfit = f"Bin{letter}days"
        assert wrong_fields(writer, title=unfit, summary=unfit) == {
            "title": CANNOT,
            "summary": CANNOT,
        }, f"{letter!a}"
        details = {
            "department": unfit,
            "tags": [unfit],
            "links": [{"url": "https://x.example", "title": unfit}],
            "user_needs": [{"need": unfit}],
        }
        wrong = wrong_fields(writer, details=details)
        assert set(wrong) == {f"details.{name}" for name in details}, f"{letter!a}"


def test_a_text_of_several_lines_has_line_ends_and_tabs_beside(writer: Program) -> None:
    for letter in set(UNFIT) - {"\n"}:
        assert wrong_fields(writer, brief=f"Bin{letter}days") == {"brief": CANNOT}, f"{letter!a}"
        assert "details.why" in wrong_fields(writer, details={"why": f"a{letter}b"})
    text = "One\r\n\ttwo\n"
    answer = writer("POST", "/projects", BINS | {"brief": text, "details": {"why": text}})
    assert answer.json["brief"] == answer.json["details"]["why"] == "One\n\ttwo"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_cannot_be_seen_is_nothing(hidden: str, writer: Program) -> None:
    wrong = wrong_fields(writer, title=hidden, summary=f" {hidden} ")
    assert wrong == {
        "title": "Enter the name of the project",
        "summary": "Enter a summary of what the project is for",
    }


def test_what_joins_letters_and_directs_them_stays(writer: Program) -> None:
    answer = writer("POST", "/projects", BINS | {"title": SEEN, "summary": SEEN, "brief": SEEN})
    assert (answer.json["title"], answer.json["summary"]) == (SEEN, SEEN)
    assert answer.json["brief"] == SEEN


@pytest.mark.parametrize(
    "page, form, typed",
    [
        ("/projects/new", "new", {"title": "Bin\u202edays", "summary": "S", "phase": "alpha"}),
        ("/account/profile", "profile", {"name": "Ola\u202e", "username": "ola"}),
        ("/account/tokens", "tokens/new", {"name": "Our\u202esite", "days": "30"}),
    ],
)
def test_pages_say_it_beside_the_field(
    page: str, form: str, typed: dict[str, str], officer: Visitor
) -> None:
    officer.visit(page)
    answer = officer.submit(form, **typed)
    assert answer.status_code == 400
    assert CANNOT in answer.text


def test_a_summary_is_counted_as_the_browser_counts_it(officer: Visitor) -> None:
    """A line break is one character there, and is sent as two."""
    officer.visit("/projects/new")
    answer = officer.submit(
        title="T", summary=f"{'x' * 99}\r\n{'y' * 100}", phase="alpha", brief="B"
    )
    assert answer.status_code == 200, answer.text
    assert f"{'x' * 99} {'y' * 100}" in answer.text
