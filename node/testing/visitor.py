"""A visitor without JavaScript: opens pages and submits forms with their hidden fields, as a simple
browser does.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class PageForm:
    """A form on a page: its URL, method, and initial values."""

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
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = PageForm(
                attributes.get("action", ""), attributes.get("method", "get").lower()
            )
            self.forms.append(self._form)
        elif self._form is not None and tag == "option" and self._select:
            # Browsers submit the first option if none is selected.
            if "selected" in attributes or self._select not in self._form.values:
                self._form.values[self._select] = attributes.get("value", "")
        elif self._form is None or "name" not in attributes:
            return
        elif tag == "select":
            self._select = attributes["name"]
        elif tag == "textarea":
            self._text_area = attributes["name"]
            self._form.values[self._text_area] = ""
        elif tag == "input" and (
            attributes.get("type") not in {"radio", "checkbox", "submit"} or "checked" in attributes
        ):
            self._form.values[attributes["name"]] = attributes.get("value", "")

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
    """A visitor of a node. `page` is the latest response."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: TestResponse

    def visit(self, address: str) -> TestResponse:
        """Open a page, following redirects."""
        self.page = self.client.get(address, follow_redirects=True, headers={"Accept": "text/html"})
        return self.page

    def submit(self, action: str = "", **typed: str) -> TestResponse:
        """Submit the form of this page whose URL contains `action`, with the fields `typed`."""
        form = self.form(action)
        self.page = self.client.post(
            form.action,
            data=form.values | typed,
            follow_redirects=True,
            headers={"Accept": "text/html"},
        )
        return self.page

    def form(self, action: str = "") -> PageForm:
        """The only POST form of this page whose URL contains `action`, apart from sign-out."""
        forms = parse_forms(self.page.text)
        for form in forms:
            form.action = form.action or self.page.request.full_path
        matches = [form for form in forms if form.method == "post" and action in form.action]
        if not action:
            matches = [form for form in matches if "sign-out" not in form.action]
        if len(matches) != 1:
            raise AssertionError(f"{len(matches)} forms for {action!r}, not one")
        return matches[0]

    @property
    def text(self) -> str:
        return self.page.text
