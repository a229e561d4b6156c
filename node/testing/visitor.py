"""A visitor without JavaScript: reads pages, follows forms with their hidden fields, as a plain
browser would.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class PageForm:
    """A form as it stands on a page: where it goes, and what it sends when nothing is typed."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._text_area: str | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = PageForm(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and tag == "option" and self._select:
            # A browser sends the first where none is chosen.
            if "selected" in found or self._select not in self._form.values:
                self._form.values[self._select] = found.get("value", "")
        elif self._form is None or "name" not in found:
            return
        elif tag == "select":
            self._select = found["name"]
        elif tag == "textarea":
            self._text_area = found["name"]
            self._form.values[self._text_area] = ""
        elif tag == "input" and (
            found.get("type") not in {"radio", "checkbox", "submit"} or "checked" in found
        ):
            self._form.values[found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._text_area = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._text_area is not None:
            self._form.values[self._text_area] += data


def parse_forms(page: str) -> list[PageForm]:
    """The forms of a page."""
    parser = _FormParser()
    parser.feed(page)
    return parser.forms


class Visitor:
    """Somebody who looks at a node. `page` is the last answer."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: TestResponse

    def visit(self, address: str) -> TestResponse:
        """Open a page, following redirects."""
        self.page = self.client.get(address, follow_redirects=True, headers={"Accept": "text/html"})
        return self.page

    def submit(self, action: str = "", **typed: str) -> TestResponse:
        """Send the form of this page whose address contains `action`, filled with what is typed."""
        form = self.form(action)
        self.page = self.client.post(
            form.action,
            data=form.values | typed,
            follow_redirects=True,
            headers={"Accept": "text/html"},
        )
        return self.page

    def form(self, action: str = "") -> PageForm:
        """The only form of this page whose address contains `action`; sign-out aside."""
        every = parse_forms(self.page.text)
        for form in every:
            form.action = form.action or self.page.request.full_path
        found = [form for form in every if form.method == "post" and action in form.action]
        if not action:
            found = [form for form in found if "sign-out" not in form.action]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} forms for {action!r}, not one")
        return found[0]

    @property
    def text(self) -> str:
        return self.page.text
