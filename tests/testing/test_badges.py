"""Sessions of test users are reused while they are valid, and compiled SQL is shared."""

from node.people import service as people
from node.testing.nodes import Nodes, role_email


def test_session_is_reused(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    for _ in range(2):
        visitor = node.visitor("officer")
        assert visitor.visit("/desk").request.path == "/desk"
    assert not node.visitor().client.get_cookie(node.app.config["SESSION_COOKIE_NAME"])


def test_session_of_deactivated_user_is_not_reused(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    assert node.visitor("officer").visit("/desk").request.path == "/desk"
    with node.work() as work:
        people.deactivate(
            work, people.require_by_email(work.session, role_email("officer", node.name))
        )
    assert node.visitor("officer").visit("/desk").request.path == "/sign-in"


def test_databases_of_one_kind_share_compiled_sql(nodes: Nodes) -> None:
    here, there = nodes.pair()
    assert here.node.engine is not there.node.engine
    assert here.node.engine.dialect is there.node.engine.dialect
