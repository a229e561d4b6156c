"""Who signed in once need not sign in again, while that would still be so; SQL is compiled once."""

from node.people import service as people
from node.testing.nodes import Nodes, role_email


def test_who_signed_in_once_is_signed_in_again(nodes: Nodes) -> None:
    one = nodes.start("aldermoor")
    for _ in range(2):
        visitor = one.visitor("officer")
        assert visitor.visit("/desk").request.path == "/desk"
    assert not one.visitor().client.get_cookie(one.app.config["SESSION_COOKIE_NAME"])


def test_whose_account_was_closed_meanwhile_is_not(nodes: Nodes) -> None:
    one = nodes.start("aldermoor")
    assert one.visitor("officer").visit("/desk").request.path == "/desk"
    with one.work() as work:
        people.deactivate(
            work, people.require_by_email(work.session, role_email("officer", one.name))
        )
    assert one.visitor("officer").visit("/desk").request.path == "/sign-in"


def test_databases_of_a_kind_share_what_was_compiled(nodes: Nodes) -> None:
    here, there = nodes.pair()
    assert here.node.engine is not there.node.engine
    assert here.node.engine.dialect is there.node.engine.dialect
