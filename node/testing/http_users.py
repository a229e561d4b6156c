"""People who use a node that runs in a process: pages and forms over HTTP, as a browser would."""

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
    """Those of the council `name`, whose node has these settings and listens in the clear.

    Each role is one person, signed in at first use; the role "" is anybody.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._address = settings.listen_address
        self._headers = {"Accept": "text/html", "Host": settings.authority}
        self._signed_in: dict[str, OpenerDirector] = {}

    def visit(self, path: str, role: str = "", typed: dict[str, str] | None = None) -> str:
        """A page as somebody in a role sees it; what is `typed` is sent. Empty for a redirect."""
        return self._request(self._opener_for(role), path, typed)

    def submit(self, path: str, role: str, action: str = "", **typed: str) -> None:
        """Fill the first form on a page whose address contains `action`, and send it.

        Returns as soon as it is answered.
        """
        page = self.visit(path, role)
        form = next(
            form
            for form in parse_forms(page)
            if form.method == "post" and "sign-out" not in form.action and action in form.action
        )
        self.visit(form.action or path, role, form.values | typed)

    def _opener_for(self, role: str) -> OpenerDirector:
        if role not in self._signed_in:
            # Behind a proxy with TLS the cookies are for https, which is left out here.
            policy = DefaultCookiePolicy(secure_protocols=("http", "https"))
            jar = HTTPCookieProcessor(CookieJar(policy))
            self._signed_in[role] = build_opener(jar, _NoRedirect())
            if role:
                who = {"email": role_email(role, self._name), "password": PASSWORD}
                self.submit("/sign-in", role, **who)
        return self._signed_in[role]

    def _request(self, person: OpenerDirector, path: str, typed: dict[str, str] | None) -> str:
        data = urlencode(typed).encode() if typed is not None else None
        request = Request(f"http://{self._address}{path}", data, self._headers)
        try:
            with person.open(request, timeout=20) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            with error:
                if error.code in {302, 303}:
                    return ""
                raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None
