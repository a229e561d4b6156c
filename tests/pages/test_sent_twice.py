"""Whoever presses a button twice, or goes back and presses it again, has made one thing."""

from node.testing.visitor import Visitor
from tests.pages.test_writing import TEXT


def places(officer: Visitor, page: str, action: str, *sent: dict[str, str]) -> list[str]:
    """Where each of what is sent from one and the same page leads."""
    officer.visit(page)
    form = officer.form(action)
    answers = [officer.client.post(form.action, data=form.values | data) for data in sent]
    assert {answer.status_code for answer in answers} == {303}
    return [answer.location for answer in answers]


def test_what_is_sent_twice_is_made_once(officer: Visitor) -> None:
    once = TEXT | {"title": "Sent twice", "then": "publish"}
    other, forged = once | {"summary": "Changed meanwhile."}, once | {"once": "import"}
    found = places(officer, "/projects/new", "/projects/new", once, once, other, forged)
    assert found[0] == found[1]
    assert len({*found}) == 3
    assert "This project has already been saved." in officer.visit(found[0]).text
    said, more = {"changed": "It began."}, {"changed": "It went on."}
    form = f"{found[0]}/updates/new"
    told = places(officer, form, form, said, said, more)
    assert told[0] == told[1] != told[2]
    said, more = {"source": "Who else does this?"}, {"source": "And where?"}
    told = places(officer, found[0], "/comments", said, said, more)
    assert told[0] == told[1] != told[2]
