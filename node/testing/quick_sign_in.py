"""Signs visitors in without the sign-in form, whose password hashing is slow."""

from node.app import get_node
from node.people import service as people
from node.people import sessions
from node.people.session_cookies import SESSION_SECRET_KEY
from node.people.user_agents import Device
from node.principal import Principal
from node.testing.visitor import Visitor


def sign_in(visitor: Visitor, email: str) -> None:
    """Sign the visitor in as the form would; do nothing if there is no such active account."""
    app = visitor.client.application
    with get_node(app).work(by=Principal.job("sign-in")) as work:
        user = people.by_email(work.session, email)
        if user is None or not user.active:
            return
        _session_id, secret = sessions.begin_session(
            work, user, sessions.new_secret(), Device("", "")
        )
        cookie = {"_user_id": user.fs_uniquifier, "_fresh": True, SESSION_SECRET_KEY: secret}
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    visitor.client.set_cookie(app.config["SESSION_COOKIE_NAME"], serializer.dumps(cookie))
