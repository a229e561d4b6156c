"""Every page of a node, as each kind of person gets it, and the answers to what they send wrong."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from node.projects.models import Project
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from tests.accessibility.town import KEY, WHOLE, a_file
from tests.visibility.crawling import addresses_by_route

# Routes that are for programs, or files: nobody looks at what they answer.
NO_PAGES = (
    "/.well-known/",
    "/nodeinfo/",
    "/actor",
    "/api/v1/",
    "/inbox",
    "/healthz",
    "/readyz",
    "/static/",
    "/fs-static/",
    "/theme/",
)
# What differs between a draft, a project in review, one that is gone and one of others.
DIFFERENT = (
    "/projects/<token>",
    "/projects/<token>/edit",
    "/projects/<token>/review",
    "/projects/<token>/hand-over",
    "/projects/<token>/updates",
)
HTML = {"Accept": "text/html"}
LINK = re.compile(r'href="(/[^"#]*\?[^"#]*)')
# What every page says anew, and no reader sees.
INVISIBLE = re.compile(r'(nonce|value|href|action|src|content)="[^"]*"|nonce-[\w-]+')
# Too long for every field, and too wide for every column.
TOO_LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch" * 20
Beginnings = str | tuple[str, ...]
TYPED = {"text", "search", "email", "url", "password", "number", "tel", "textarea"}
CHOSEN = {"radio", "checkbox", "file", "select"}


@dataclass(frozen=True)
class Page:
    """What somebody gets at an address."""

    who: str
    language: str
    address: str
    route: str
    status: int
    text: str

    def __str__(self) -> str:
        return f"{self.who}, {self.language}, {self.address} ({self.status})"


@dataclass
class Crawl:
    """The different pages, and the forms on them that have something to fill in, by route."""

    node: TestNode
    pages: list[Page] = field(default_factory=list)
    forms: dict[tuple[str, str], tuple[Visitor, "Form"]] = field(default_factory=dict)
    # The routes that gave somebody what they came for, be it a page or a file.
    answered: set[str] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    _followed: set[tuple[str, str, str]] = field(default_factory=set)

    def read_as(self, who: str, visitor: Visitor, language: str, beginning: Beginnings) -> None:
        """Open every address whose route begins so, and what pages lead to with a query of a kind
        that nobody has followed yet.
        """
        visitor.visit(f"/?lang={language}")
        waiting = [one for one in self.addresses() if one[0].startswith(beginning)]
        while waiting:
            route, address = waiting.pop()
            answer = visitor.client.get(address, headers=HTML)
            page = self._keep(who, language, address, route, answer)
            if page is None:
                continue
            self._find_forms(page, visitor)
            for kind, onward in self._onward(page):
                if (language, *kind) not in self._followed:
                    self._followed.add((language, *kind))
                    waiting.append((kind[0], onward))

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Each address with its route. Of our projects, only the one that has everything is read
        whole: of others, where they stand differently.
        """
        with self.node.reading() as session:
            query = select(Project.token).order_by(Project.title != WHOLE, Project.id)
            tokens = session.scalars(query).all()
        if not tokens:
            yield from self._without_parameters()
            return
        whole, *others = tokens
        for route, addresses in addresses_by_route(
            self.node, projects=[whole], api=["none"]
        ).items():
            if not route.startswith(NO_PAGES):
                yield from ((route, address) for address in addresses)
        yield "/new-password", f"/new-password?{urlencode({'key': KEY})}"
        for token in others:
            for route in DIFFERENT:
                yield route, route.replace("<token>", token)

    def _without_parameters(self) -> Iterator[tuple[str, str]]:
        """What can be read where there is nothing yet."""
        for rule in self.node.app.url_map.iter_rules():
            if "GET" in (rule.methods or set()) and "<" not in rule.rule:
                yield rule.rule, rule.rule

    def send_wrong(self) -> Iterator[tuple[str, Page]]:
        """Each form sent with the buttons that save nothing, empty, and with far too much in it:
        its route, and the answer. A form that somebody else's overtook is sent again.
        """
        for (route, language), (visitor, form) in self.forms.items():
            visitor.visit(f"/?lang={language}")
            for fill in (*form.asides(), Form.empty, Form.overfull):
                answer = _send(visitor, form, fill(form))
                yield from self._answered(route, language, form, answer)
                if answer.status_code == 409:
                    form = self._anew(visitor, route, form)
                    answer = _send(visitor, form, fill(form))
                    yield from self._answered(route, language, form, answer)

    def _answered(
        self, route: str, language: str, form: "Form", answer: TestResponse
    ) -> Iterator[tuple[str, Page]]:
        page = self._keep("a form", language, form.action, route, answer)
        if page is not None:
            yield route, page

    def _anew(self, visitor: Visitor, route: str, form: "Form") -> "Form":
        """The form as it is now that something else was saved with another."""
        text = visitor.client.get(form.page, headers=HTML).text
        return dict(self._forms(form.page, text))[route]

    def _keep(
        self, who: str, language: str, address: str, route: str, answer: TestResponse
    ) -> Page | None:
        """The page, if there is one and nobody got the same."""
        assert answer.status_code < 500, address
        if answer.status_code == 200:
            self.answered.add(route)
        is_page = answer.mimetype == "text/html" and not 300 <= answer.status_code < 400
        text = answer.text if is_page else ""
        answer.close()
        print_of = hash((answer.status_code, INVISIBLE.sub("", text)))
        if not is_page or print_of in self._seen:
            return None
        self._seen.add(print_of)
        page = Page(who, language, address, route, answer.status_code, text)
        self.pages.append(page)
        return page

    def _onward(self, page: Page) -> Iterator[tuple[tuple[str, str], str]]:
        """The links of a page to one with a query, by their route and the names in it."""
        if "?" in page.address or page.status >= 400:
            return
        for link in LINK.findall(page.text):
            parts = urlsplit(html.unescape(link))
            names = sorted({name for name, _value in parse_qsl(parts.query, True)} - {"lang"})
            route = self.route(parts.path, "GET")
            if route and names and "next" not in names:
                yield (route, ",".join(names)), f"{parts.path}?{parts.query}"

    def route(self, path: str, method: str) -> str | None:
        adapter = self.node.app.url_map.bind("localhost")
        try:
            rule, _values = adapter.match(path, method, return_rule=True)
        except HTTPException:
            return None
        return str(rule.rule)

    def _find_forms(self, page: Page, visitor: Visitor) -> None:
        if page.status < 400:
            for route, form in self._forms(page.address, page.text):
                self.forms.setdefault((route, page.language), (visitor, form))

    def _forms(self, address: str, text: str) -> Iterator[tuple[str, "Form"]]:
        for form in forms(text):
            form.page, form.action = address, form.action or address
            route = self.route(urlsplit(form.action).path, form.method.upper())
            if route and form.is_to_fill:
                yield route, form


def _send(visitor: Visitor, form: "Form", values: dict[str, object]) -> TestResponse:
    if form.method == "get":
        return visitor.client.get(form.action, query_string=values, headers=HTML)
    return visitor.client.post(form.action, data=values, headers=HTML)


@dataclass
class Form:
    """A form with the kind and the value of each of its fields."""

    action: str
    method: str
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    page: str = ""

    @property
    def is_to_fill(self) -> bool:
        return any(kind in TYPED | CHOSEN for _name, kind, _value in self.fields)

    def empty(self) -> dict[str, object]:
        return {
            name: "" if kind in TYPED else value
            for name, kind, value in self._sent()
            if kind not in CHOSEN
        }

    def overfull(self) -> dict[str, object]:
        full: dict[str, object] = {}
        for name, kind, value in self._sent():
            if kind == "file":
                full[name] = a_file()
            else:
                full[name] = TOO_LONG if kind in TYPED else value
        return full

    def asides(self) -> Iterator[Callable[["Form"], dict[str, object]]]:
        """What each button sends that saves nothing."""
        for pressed in filter(_saves_nothing, self.fields):
            yield partial(Form.pressed, button=pressed)

    def pressed(self, button: tuple[str, str, str]) -> dict[str, object]:
        return self.empty() | {button[0]: button[2]}

    def _sent(self) -> Iterator[tuple[str, str, str]]:
        return (one for one in self.fields if not _saves_nothing(one))


def _saves_nothing(one: tuple[str, str, str]) -> bool:
    name, kind, value = one
    return kind == "button" and (name in {"add", "remove"} or value == "look-up")


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open and "name" in found and tag in {"input", "textarea", "select", "button"}:
            kind = found.get("type", "text") if tag == "input" else tag
            self._open.fields.append((found["name"], kind, found.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms(text: str) -> list[Form]:
    parser = _Forms()
    parser.feed(text)
    return parser.forms
