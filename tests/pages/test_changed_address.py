"""A person whose email address changes stays the same to projects, history and the audit log."""

from sqlalchemy import select

from node.audit import AuditEntry
from node.people import service as people
from node.testing.nodes import Nodes, TestNode, role_email
from tests.federation.test_updates import written
from tests.freshness.waiting import write
from tests.history.test_history import change
from tests.notices.test_following import list_notifications

TITLE = "Bins in one step"
NEW_ADDRESS = "ola.officer@aldermoor.example"


def change_address(node: TestNode) -> None:
    """The officer of `node` gets `NEW_ADDRESS`."""
    with node.work() as work:
        user = people.require_by_email(work.session, role_email("officer", node.name))
        user.email = NEW_ADDRESS


def test_what_a_person_did_stays_theirs_when_their_address_changes(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    officer, operator = node.visitor("officer"), node.visitor("operator")
    address = write(officer, title=TITLE)
    for follower in (officer, operator):
        follower.visit(address)
        follower.submit("/following/projects")
    nodes.run_until_idle()

    written(officer, address, changed="We tried it.")
    change_address(node)
    nodes.run_until_idle()
    assert list_notifications(officer) == [], "not of what they did before their address changed"
    assert f"Aldermoor Council wrote an update about {TITLE}" in list_notifications(operator)

    change(officer, address, phase="beta")
    nodes.run_until_idle()
    assert list_notifications(officer) == []
    assert f"{TITLE} has moved to a new phase: Beta" in list_notifications(operator)
    assert officer.visit(f"{address}/history").text.count(", Ola Officer") == 3
    assert "Owner: Ola Officer" in officer.visit(f"{address}/hand-over").text
    with node.reading() as session:
        user = people.require_by_email(session, NEW_ADDRESS)
        query = select(AuditEntry).where(AuditEntry.subject.endswith(address))
        entries = session.scalars(query.order_by(AuditEntry.id)).all()
        assert {(entry.by_kind, entry.by_id, entry.via) for entry in entries} == {
            ("person", str(user.id), "session")
        }
        assert (entries[0].by, entries[-1].by) == (role_email("officer", node.name), NEW_ADDRESS)
