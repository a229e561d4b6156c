"""Users of a node that runs in a process of its own: visits pages and submits forms over HTTP."""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from node.settings import Settings
from node.testing.nodes import PASSWORD, role_email
from node.testing.visitor import parse_forms


class HttpUsers:
    """The users of the council `name`, whose node listens on plain HTTP.

    Each role is one user, signed in at first use; the role "" is a visitor.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._address = settings.listen_address
        self._headers = {"Accept": "text/html", "Host": settings.authority}
        self._openers: dict[str, OpenerDirector] = {}

    def visit(self, path: str, role: str = "", typed: dict[str, str] | None = None) -> str:
        """The HTML of a page as seen by `role`; with `typed`, of the response to that form data.
        Empty for a redirect.
        """
        return self._request(self._opener_for(role), path, typed)

    def submit(self, path: str, role: str, action: str = "", **typed: str) -> None:
        """Submit the first form on the page at `path` whose URL contains `action`, with the fields
        `typed`. Returns after the response.
        """
        page = self.visit(path, role)
        form = next(
            form
            for form in parse_forms(page)
            if form.method == "post" and "sign-out" not in form.action and action in form.action
        )
        self.visit(form.action or path, role, form.values | typed)

    def _opener_for(self, role: str) -> OpenerDirector:
        if role not in self._openers:
            # The node sets secure cookies, as it expects a TLS proxy, which tests omit.
            policy = DefaultCookiePolicy(secure_protocols=("http", "https"))
            jar = HTTPCookieProcessor(CookieJar(policy))
            self._openers[role] = build_opener(jar, _NoRedirect())
            if role:
                credentials = {"email": role_email(role, self._name), "password": PASSWORD}
                self.submit("/sign-in", role, **credentials)
        return self._openers[role]

    def _request(self, opener: OpenerDirector, path: str, typed: dict[str, str] | None) -> str:
        data = urlencode(typed).encode() if typed is not None else None
        request = Request(f"http://{self._address}{path}", data, self._headers)
        try:
            with opener.open(request, timeout=20) as response:
                return str(response.read().decode())
        except HTTPError as error:
            with error:
                if error.code in {302, 303}:
                    return ""
                raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None
