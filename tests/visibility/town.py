"""A council that has a project of each kind, and all who may come to read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from werkzeug.test import TestResponse

from federation.signatures import SignatureScheme, sign
from node.access.permissions import OFFICER
from node.access.visibility import Visibility
from node.conversations import comment_subjects
from node.conversations import service as conversations
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import now
from node.federating.models import Actor
from node.notification_events import service as news
from node.notifications import preferences
from node.officers import service as officers
from node.people import service as people
from node.projects import service as projects
from node.projects.details import RelatedProject, RelationKind
from node.projects.models import Phase, Project, ProjectState, new_token
from node.projects.validation import ProjectInput, to_input
from node.testing.fake_peer import ACTIVITY_JSON, FakeActor
from node.testing.nodes import PASSWORD, TestNode, role_email
from node.updates import service as updates
from tests.rest.conftest import make_token

HTML = "text/html"
Get = Callable[[str], TestResponse]


@dataclass(frozen=True)
class Town:
    """The node `here`, and those who read it."""

    here: TestNode
    peer: FakeActor
    stranger: FakeActor
    blocked: FakeActor

    def unsigned(self, accept: str) -> Get:
        client = self.here.app.test_client()
        return lambda address: client.get(address, headers={"Accept": accept})

    def signed(self, who: FakeActor, scheme: SignatureScheme = SignatureScheme.cavage) -> Get:
        return lambda address: signed_get(self.here, who, address, scheme)

    def signed_in(self, role: str, accept: str = HTML) -> Get:
        client = self.here.visitor(role).client
        return lambda address: client.get(address, headers={"Accept": accept})

    def signed_in_with_token(self, role: str) -> Get:
        """Pages with a session, and the API with a token that may read."""
        visitor = self.here.visitor(role)
        headers = {"Accept": HTML, "Authorization": f"Bearer {make_token(visitor, 'read')}"}
        program = self.here.app.test_client()

        def get(address: str) -> TestResponse:
            if address.startswith("/api/"):
                return program.get(address, headers=headers)
            return visitor.client.get(address, headers={"Accept": HTML})

        return get


def signed_get(
    node: TestNode,
    who: FakeActor,
    address: str,
    scheme: SignatureScheme = SignatureScheme.cavage,
    *,
    but: Mapping[str, str] | None = None,
) -> TestResponse:
    """Ask as another server does. `but` are headers put in place of the signed ones."""
    base = node.node.settings.base_url
    signed = sign("GET", f"{base}{address}", {}, None, who.key, now(), scheme)
    headers = {"Accept": ACTIVITY_JSON, "Host": node.host, **signed, **(but or {})}
    return node.app.test_client().get(address, base_url=base, headers=headers)


def word(*parts: str) -> str:
    """What stands in the title, summary, brief and updates of one project, and nowhere else."""
    return f"quokka{''.join(parts)}"


def watch(node: TestNode) -> None:
    """The officer follows their own council, so that all that happens there is told to them."""
    with node.work() as work:
        user = people.require_by_email(work.session, role_email(OFFICER, node.name))
        preferences.ensure_subscriber(work, user.id)
        news.follow_council(work, user.id, councils.require_own(work.session).id)


def write(node: TestNode, name: str, visibility: Visibility, state: ProjectState) -> str:
    """A project of our own with an update and a comment, in each of which its word stands; its
    token.
    """
    with node.work() as work:
        text = ProjectInput(name, f"About {name}.", "alpha", f"Of {name}.", visibility.value)
        project = projects.create(work, councils.require_own(work.session), text)
        if state is ProjectState.review:
            projects.change_state(project, state)
        elif state is not ProjectState.draft:
            projects.publish(work, project)
            updates.create(work, project, updates.UpdateInput(changed=f"Now {name}."))
            subject = comment_subjects.find(work.session, project.uri)
            assert subject is not None
            conversations.create(work, subject, f"And {name}.", project.council.actor)
        if state is ProjectState.deleted:
            projects.delete(work, project)
        return project.token


def relate(node: TestNode, token: str) -> None:
    """A project of ours says that it is similar to every other project that the node has."""
    with node.work() as work:
        project = projects.get_for_update(work.session, token)
        others = work.session.scalars(select(Project.uri).where(Project.id != project.id))
        related = tuple(RelatedProject(RelationKind.similar, uri) for uri in others)
        text = to_input(project)
        details = replace(text.details, related=related)
        projects.update(work, project, replace(text, details=details), project.version)


def employ(node: TestNode, name: str, token: str, username: str = "") -> None:
    """An officer of this name, seen if there is a `username`, writes an update of a project."""
    address = f"{name}@{node.name}.example"
    with node.work() as work:
        user = people.create(work, name=name, email=address, password=PASSWORD, role=OFFICER)
        if username:
            officers.create_profile(
                work, user, officers.OfficerProfile(name, f"I am {name}."), username
            )
        by = user.to_principal()
    with node.app.app_context(), node.node.work(by=by) as work:
        updates.create(
            work, projects.get_for_update(work.session, token), updates.UpdateInput("News.")
        )


def unseen(node: TestNode, username: str) -> None:
    """An officer chooses not to be seen any more, after a change of what others saw."""
    with node.work() as work:
        officer = officers.by_username(work.session, work.settings, username)
        officers.update_profile(
            work, officer, officers.OfficerProfile(officer.name, f"I am still {officer.name}.")
        )
        officers.withdraw_profile(work, officer)


def change(node: TestNode, token: str, visibility: Visibility) -> None:
    """Let others see a project, or no longer."""
    with node.work() as work:
        project = projects.get_for_update(work.session, token)
        text = ProjectInput(
            project.title,
            project.summary,
            project.phase.value,
            project.brief,
            visibility.value,
            project.language,
        )
        projects.update(work, project, text, project.version)


def hear(node: TestNode, host: str, name: str, visibility: Visibility, state: ProjectState) -> None:
    """A project of the council at `host`, as its node told of it."""
    with node.work() as work:
        council = work.session.scalars(
            select(Council).where(Council.actor.has(Actor.host == host))
        ).one()
        uri = f"https://{host}/projects/{new_token()}"
        shown = name if state is ProjectState.published else ""
        work.session.add(
            Project(
                uri=uri,
                url=uri,
                council=council,
                title=shown,
                summary=shown,
                phase=Phase.alpha,
                content=shown,
                state=state,
                visibility=visibility,
                published_at=now(),
            )
        )
