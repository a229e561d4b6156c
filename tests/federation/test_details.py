"""The details of a project arrive at another council's node, and nothing that does not fit."""

import html
from dataclasses import replace
from datetime import date
from typing import Any

from node.councils import service as councils
from node.projects import service as projects
from node.projects.details import (
    Budget,
    Collaboration,
    Details,
    EvidenceKind,
    LinkKind,
    Output,
    ProjectLink,
    UserNeed,
)
from node.projects.validation import ProjectInput, to_input
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.refusals.test_belief import article, followed, send

AS2 = {"Accept": "application/activity+json"}
DETAILS = Details(
    why="Calls are **rising**.",
    starts_on=date(2026, 9, 1),
    ends_on=date(2027, 3, 31),
    end_is_estimated=True,
    budget=Budget.to_100k,
    collaboration=Collaboration.share_effort,
    department="Street services",
    contact_name="Sam Reed",
    contact_email="sam.reed@aldermoor.example",
    capability="notify",
    business_area="waste-and-recycling",
    lgsl=524,
    tags=("missed bins",),
    skills=("user research",),
    links=(ProjectLink(LinkKind.repository, "https://code.example/bins", "Code"),),
    user_needs=(
        UserNeed("resident", "to know the day", "it is emptied", "Twelve told us.",
                 EvidenceKind.interviews, "", date(2026, 6, 3)),
    ),
    outputs=(Output("", "Research report", "What we found.", "OGL-UK-3.0", "https://x.example/r"),),
)  # fmt: skip
WELSH = {"title": "Biniau", "summary": "Gwybod pryd.", "why": "Mae galwadau yn **cynyddu**."}
SHOWN = (
    "<strong>rising</strong>", "1 September 2026", "31 March 2027</time> (estimated)",
    "£50,000 to £100,000", "Share effort", "Street services", "sam.reed@aldermoor.example",
    "Notifying and messaging", "Waste and recycling", "524", "missed bins", "user research",
    "https://code.example/bins", "to know the day", "Twelve told us.", "Research report",
)  # fmt: skip


def followed_pair(nodes: Nodes) -> tuple[TestNode, TestNode]:
    """Two councils, the second of which follows the first."""
    here, there = nodes.pair()
    officer = there.visitor("officer")
    officer.visit("/councils/follow")
    officer.submit("follow", address=here.address)
    nodes.run_until_idle()
    return here, there


def publish(node: TestNode) -> str:
    with node.work() as work:
        own = councils.require_own(work.session)
        text = ProjectInput(
            "Bins", "Know the day.", "alpha", "", details=DETAILS, translations={"cy": WELSH}
        )
        project = projects.create(work, own, text)
        projects.publish(work, project)
        return project.uri


def page_of(node: TestNode, title: str) -> str:
    visitor = node.visitor()
    link = visitor.visit("/projects").text.partition(f">{title}</a>")[0].rpartition('href="')[2]
    return visitor.visit(link.partition('"')[0]).text


def test_what_a_project_says_arrives_whole(nodes: Nodes) -> None:
    here, there = followed_pair(nodes)
    uri = publish(here)
    nodes.run_until_idle()
    page = html.unescape(page_of(there, "Bins"))
    assert [words for words in SHOWN if words not in page] == []
    document = here.app.test_client().get(uri.removeprefix(f"https://{here.host}"), headers=AS2)
    hashtags = [tag for tag in document.get_json()["tag"] if tag["type"] == "Hashtag"]
    assert hashtags == [
        {
            "type": "Hashtag",
            "name": "#MissedBins",
            "href": f"https://{here.host}/projects?tag=missed+bins",
        }
    ]


def test_a_summary_in_another_language_arrives(nodes: Nodes) -> None:
    here, there = followed_pair(nodes)
    publish(here)
    nodes.run_until_idle()
    page = there.visitor().visit("/projects?lang=cy").text
    assert "Biniau" in page
    assert "Gwybod pryd." in page
    assert "Know the day." not in page


def test_a_change_of_a_detail_arrives(nodes: Nodes) -> None:
    here, there = followed_pair(nodes)
    uri = publish(here)
    nodes.run_until_idle()
    with here.work() as work:
        project = projects.get_for_update(work.session, uri.rpartition("/")[2])
        text = to_input(project)
        said = replace(text.details, department="Housing")
        projects.update(work, project, replace(text, details=said), project.version)
    nodes.run_until_idle()
    page = page_of(there, "Bins")
    assert "Housing" in page
    assert "Street services" not in page


def test_what_does_not_fit_is_left_out(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    sender = followed(node, peer)
    hostile: dict[str, Any] = {
        "department": "<script>alert(1)</script>Street",
        "starts_on": "9999-99-99",
        "ends_on": 12,
        "budget": ["50k-100k"],
        "lgsl": 10**15,
        "tags": ["fine", 7, "x" * 1000, *map(str, range(100))],
        "links": [{"url": "javascript:alert(1)"}, {"url": "https://ok.example/", "kind": "bad"}, 3],
        "user_needs": [{"need": {"a": 1}}, {"need": "to see", "evidence_on": "today"}] * 100,
        "outputs": {"title": "none"},
        "contact_name": "y" * 100_000,
        "unknown": {"deep": {"er": []}},
    }
    document = article(sender, "Odd", details=hostile)
    assert send(nodes, sender, sender.build_activity("Create", document), node) == "done"
    page = page_of(node, "Odd")
    assert "javascript:" not in page
    assert "<script>alert" not in page
    assert "https://ok.example/" in page
    assert "to see" in page
    assert page.count("y" * 151) == 0


def test_a_link_to_a_contact_writes_to_them_and_nobody_else(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    sender = followed(node, FakePeer.join(nodes, "brackwell.test", node))
    emails = {"Bins": "a?cc=b@brackwell.example", "Trees": "a@b.example?bcc=c@d.example&body="}
    for title, email in emails.items():
        document = article(sender, title, details={"contact_email": email})
        assert send(nodes, sender, sender.build_activity("Create", document), node) == "done"
    assert 'href="mailto:a%3Fcc%3Db@brackwell.example"' in page_of(node, "Bins")
    assert "bcc" not in page_of(node, "Trees")
