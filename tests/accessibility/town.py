"""A council with something on every page: projects in all states, and what others say of them."""

import io
from hashlib import sha256

from sqlalchemy import select

from node.access.permissions import COORDINATOR, OFFICER
from node.conversations import comment_subjects
from node.conversations import service as conversations
from node.councils import own_location
from node.councils import service as councils
from node.demo.councils import COUNCILS
from node.demo.demo_projects import DemoProject, create_project
from node.drafts import service as drafts
from node.federating.peers import peer_list_subscriptions, peer_suggestions
from node.federating.peers import service as peers
from node.handover import service as handover
from node.moderation import service as moderation
from node.officers import service as officers
from node.passwords.models import PasswordReset
from node.people import service as people
from node.people.models import User
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork
from node.testing.fake_peer import FakePeer
from node.testing.nodes import PASSWORD, Nodes, TestNode, role_email
from node.updates import service as updates
from tests.federation.talking import note
from tests.federation.test_main_job import follow
from tests.visibility.answers import assess, define, share
from tests.visibility.town import watch

LIST = "https://friends.test/peers.csv"
# The project that has something of everything.
WHOLE = "One place to report a missed bin"
# With which a new password can be chosen.
KEY = "a key that came by email"


def build(nodes: Nodes) -> TestNode:
    """The node of a council that others follow, report, and write to."""
    here, there = nodes.pair()
    for follower, followed in ((here, there), (there, here)):
        follow(nodes, follower, followed)
    watch(here)
    aldermoor, brackwell, glanwern = (council.projects() for council in COUNCILS[:3])
    _publish(there, brackwell[-2:] + glanwern[:1])
    define(there)
    share(there)
    with here.work() as work:
        work_on(work, aldermoor)
    nodes.run_until_idle()
    _talk(nodes, here)
    _be_refused(nodes, here)
    _use_the_account(here)
    nodes.run_until_idle()
    return here


def _publish(node: TestNode, stories: list[DemoProject]) -> None:
    with node.work() as work:
        owner = people.require_by_email(work.session, role_email(OFFICER, node.name))
        for story in stories:
            create_project(work, councils.require_own(work.session), owner, story)


def work_on(work: UnitOfWork, stories: list[DemoProject]) -> None:
    """What the people of the council do, and how far they come with it."""
    own = councils.require_own(work.session)
    own_location.set_location(work, COUNCILS[0].location)
    officer = people.require_by_email(work.session, role_email(OFFICER, "aldermoor"))
    coordinator = people.create(
        work,
        name="Cari Coordinator",
        email=role_email(COORDINATOR, "aldermoor"),
        password=PASSWORD,
        role=COORDINATOR,
    )
    digest = sha256(KEY.encode()).hexdigest()
    work.session.add(PasswordReset(email=coordinator.email, user_id=coordinator.id, digest=digest))
    for story in stories:
        create_project(work, own, officer, story)
    whole = _titled(work, WHOLE)
    handover.offer(work, whole, officer, coordinator.id, "You know the contractor.")
    _told_of(work, whole)
    for title in ("A draft", "In review", "Sent back", "Deleted", "Nobody’s"):
        _draft(work, title, officer)
    drafts.request_review(
        work, _titled(work, "In review"), officer, coordinator.id, "Is the budget right?"
    )
    drafts.request_review(work, _titled(work, "Sent back"), officer, coordinator.id, "")
    drafts.send_back(work, _titled(work, "Sent back"), coordinator, "Say who it is for.")
    for title in ("Deleted", "Nobody’s"):
        projects.publish(work, _titled(work, title))
    projects.delete(work, _titled(work, "Deleted"))
    _titled(work, "Nobody’s").owner = None
    officers.create_profile(
        work, officer, officers.OfficerProfile("Ola Officer", "Waste and streets."), "ola"
    )


def _titled(work: UnitOfWork, title: str) -> Project:
    return work.session.scalars(select(Project).where(Project.title == title)).one()


def _draft(work: UnitOfWork, title: str, owner: User) -> None:
    text = ProjectInput(title, f"About what is called {title}.", "alpha", "## Why\n\n- A list")
    projects.create(work, councils.require_own(work.session), text).owner = owner


def _told_of(work: UnitOfWork, project: Project) -> None:
    """Comments of our own, one below the other."""
    subject = comment_subjects.find(work.session, project.uri)
    assert subject is not None
    first = conversations.create(work, subject, "Ask **us**.", project.council.actor)
    answered = comment_subjects.find(work.session, first.uri)
    assert answered is not None
    conversations.create(work, answered, "We did.", project.council.actor)
    updates.create(work, project, updates.UpdateInput("- One\n- Two", "Go on.", "Somebody."))


def _talk(nodes: Nodes, here: TestNode) -> None:
    """An ally's comment and report, and a stranger's comment, which waits for a moderator."""
    ally = FakePeer.join(nodes, "cedarholt.test", here).actor("cedarholt")
    stranger = FakePeer.join(nodes, "social.test").actor("wren")
    with here.reading() as session:
        project = session.scalars(select(Project).where(Project.title == WHOLE)).one()
        uri = project.uri
    for who in (ally, stranger):
        about = note(who, uri, "<p>We do that too, with <b>two</b> crews.</p>")
        who.send(who.build_activity("Create", about), here)
    for words in ("Is this right?", "Look at this."):
        ally.send(ally.build_activity("Flag", [uri], content=words, to=[here.council_uri]), here)
    nodes.run_until_idle()
    with here.work() as work:
        moderation.create_visitor_report(work, uri, "There is a name in it.")
        first, *_others = moderation.list_page(work.session, is_open=True).rows
        moderation.decide(work, first, moderation.ReportDecision.dismiss)


def _be_refused(nodes: Nodes, here: TestNode) -> None:
    """A blocked server, a suggested one, and a list that is read every day."""
    blocked = FakePeer.join(nodes, "blocked.test").actor("blocked")
    with here.work() as work:
        peers.decide(work, "blocked.test", peers.BLOCKED)
        peer_suggestions.suggest(work, {"new.example": ""}, "friend.example")
        peer_list_subscriptions.subscribe(work, LIST, may_allow=False)
    blocked.send(blocked.build_activity("Follow", here.council_uri), here)


def _use_the_account(here: TestNode) -> None:
    """What an officer keeps for themselves: a search, a token, a webhook, text not yet saved."""
    with here.reading() as session:
        token = session.scalars(select(Project.token).where(Project.title == WHOLE)).one()
    define(here)
    assess(here, WHOLE, token)
    for role in (OFFICER, "operator"):
        visitor = here.visitor(role)
        visitor.visit(f"/projects/{token}/edit")
        visitor.submit("/edit", summary=f"As the {role} would say it.")
        visitor.visit("/searches/new?q=bins&phase=beta")
        visitor.submit("searches/new", name="Bins", alerts="y")
        visitor.visit("/account/tokens")
        visitor.submit("tokens/new", name="Our website", scopes="read", days="30")
        visitor.visit("/account/webhooks")
        visitor.submit("webhooks/new", url="https://hooks.test/", events="project.published")
        visitor.visit("/following")
        visitor.submit("following/tags", tag="waste")
        visitor.visit("/projects/new")
        csrf = visitor.form("projects/new").values["csrf_token"]
        typed = {"_for": "/projects/new", "csrf_token": csrf, "title": "Written"}
        assert visitor.client.post("/unsaved", data=typed).status_code == 204


def a_file() -> tuple[io.BytesIO, str]:
    """What is uploaded where a file is asked for, and is of no use."""
    return io.BytesIO(b"\x00\x01"), "picture.csv"
