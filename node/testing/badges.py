"""Who signed in once need not do so again while nothing about them changed: a cookie says all.

To sign in takes longer than most of what people do then.
"""

from node.app import node_of
from node.people import service as people
from node.testing.visitor import Visitor

# Cookies of sessions, by whose they are and what they depend on.
_kept: dict[tuple[object, ...], str] = {}


def sign_in(visitor: Visitor, email: str, password: str) -> None:
    """Have the visitor signed in, as the form would."""
    app = visitor.client.application
    name = app.config["SESSION_COOKIE_NAME"]
    with node_of(app).reading() as session:
        user = people.by_email(session, email)
        who = (user.id, user.fs_uniquifier, user.password, user.active) if user else ()
    badge = (name, app.config["SECRET_KEY"], email, password, *who)
    if badge in _kept:
        visitor.client.set_cookie(name, _kept[badge])
        return
    visitor.visit("/sign-in")
    visitor.submit("sign-in", email=email, password=password)
    cookie = visitor.client.get_cookie(name)
    if cookie and visitor.page.request.path != "/sign-in":
        _kept[badge] = cookie.value
