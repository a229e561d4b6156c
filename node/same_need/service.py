"""Creates, retracts and receives statements that two projects of other councils meet the same need.

Only the author of a statement can make, change or retract it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from federation.vocabulary import Relationship, id_of
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary.activity_types import CREATE, DELETE
from node.access.viewer import ANONYMOUS, Viewer
from node.councils import service as councils
from node.database.tables import insert_once, now
from node.errors import InvalidInputError, NotFoundError
from node.federating.events import ActorDeleted
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, RemoteTombstone
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.messages import Message, msg
from node.projects import relations
from node.projects import visibility as project_visibility
from node.projects.details import RelationKind
from node.projects.models import Project, new_token
from node.runtime import Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork
from node.same_need.federate import RELATION_KINDS, parse_kind, to_relationship, to_tombstone
from node.same_need.models import SameNeedStatement

# Statements accepted from the councils of one server, and shown on one project's page.
MAX_PER_HOST, MAX_SHOWN = 500, 50
MAX_LEN_ID = 2_000


@dataclass(frozen=True)
class ShownStatement:
    """A statement as shown on a project's page. `other` is the other project if known here."""

    statement: SameNeedStatement
    other: Project | None
    uri: str


def on_actor_deleted(work: UnitOfWork, event: ActorDeleted) -> None:
    """Delete the statements of a deleted account, all at once since `MAX_PER_HOST` is small."""
    is_by_actor = SameNeedStatement.author_id == event.actor_id
    work.session.execute(delete(SameNeedStatement).where(is_by_actor))


def list_for_project(session: Session, project: Project, viewer: Viewer) -> list[ShownStatement]:
    """Statements about a project. Those about another that `viewer` may not see are left out."""
    is_about = or_(
        SameNeedStatement.first_uri == project.uri, SameNeedStatement.second_uri == project.uri
    )
    query = (
        select(SameNeedStatement)
        .join(SameNeedStatement.author)
        .where(is_about, SameNeedStatement.is_hidden.is_(False), Actor.is_blocked.is_(False))
    )
    rows = session.scalars(query.order_by(SameNeedStatement.id).limit(MAX_SHOWN)).all()
    uris = {row.id: _other_uri(row, project) for row in rows}
    is_other = Project.uri.in_(uris.values())
    known = set(session.scalars(select(Project.uri).where(is_other)))
    visible = select(Project).where(is_other, project_visibility.is_visible_to(viewer))
    visible_by_uri = {other.uri: other for other in session.scalars(visible)}
    return [
        ShownStatement(row, visible_by_uri.get(uris[row.id]), uris[row.id])
        for row in rows
        if uris[row.id] in visible_by_uri or uris[row.id] not in known
    ]


def _other_uri(statement: SameNeedStatement, project: Project) -> str:
    is_first = statement.first_uri == project.uri
    return statement.second_uri if is_first else statement.first_uri


def create_statement(
    work: UnitOfWork, first: Project, address: str, kind: RelationKind | None, person_name: str
) -> SameNeedStatement:
    """State that two projects of other councils are alike, and notify both councils.

    `address` is the id or page address of the second project, `who` the name of the coordinator.
    Raises `InvalidInputError`.
    """
    second = (
        relations.find_by_address(work, address.strip()) if len(address) <= MAX_LEN_ID else None
    )
    errors: dict[str, Message] = {}
    if kind not in RELATION_KINDS:
        errors["kind"] = msg("Select how the projects are related")
    if second is None or not _is_public(work.session, second):
        errors["address"] = msg("Enter the address of a project on this site that everyone can see")
    elif second.id == first.id:
        errors["address"] = msg("Enter the address of another project")
    elif first.is_local or second.is_local:
        errors["address"] = msg(
            "One of these projects belongs to your council. Go to the other "
            "project’s page and select “Relate one of our projects to this one”."
        )
    elif _has_stated(work.session, first, second):
        errors["address"] = msg("Your council has already said how these projects are related")
    if errors or second is None or kind is None:
        raise InvalidInputError(msg("The related project could not be saved."), errors)
    own, token = councils.require_own(work.session).actor, new_token()
    uri = f"{work.settings.base_url}/alike/{token}"
    statement = SameNeedStatement(
        token=token,
        uri=uri,
        author=own,
        first_uri=first.uri,
        second_uri=second.uri,
        kind=kind,
        who=person_name,
        at=now(),
    )
    work.session.add(statement)
    work.session.flush()
    owners = [first.council.actor, second.council.actor]
    activity = create_activity(
        local_uris.new_activity(work.settings),
        own.uri,
        to_relationship(statement).dump(),
        to=sorted({owner.uri for owner in owners}),
    )
    inboxes = {owner.shared_inbox or owner.inbox for owner in owners}
    outbox.publish_to(work, own, activity, inboxes)
    work.audit("alike.state", uri, first=first.uri, second=second.uri)
    return statement


def _is_public(session: Session, project: Project) -> bool:
    conditions = Project.id == project.id, project_visibility.is_visible_to(ANONYMOUS)
    return session.scalar(select(Project.id).where(*conditions)) is not None


def _has_stated(session: Session, first: Project, second: Project) -> bool:
    uris = first.uri, second.uri
    is_about_both = SameNeedStatement.first_uri.in_(uris), SameNeedStatement.second_uri.in_(uris)
    query = (
        select(SameNeedStatement.id)
        .join(SameNeedStatement.author)
        .where(*is_about_both, Actor.is_local)
    )
    return session.scalar(query.limit(1)) is not None


def by_token(session: Session, token: str) -> SameNeedStatement:
    """Raises `NotFoundError`."""
    statement = session.scalar(select(SameNeedStatement).where(SameNeedStatement.token == token))
    if statement is None:
        raise NotFoundError(msg("Related project not found."))
    return statement


def retract(work: UnitOfWork, statement: SameNeedStatement) -> None:
    """Withdraw a statement of our council. Raises `NotFoundError` for another council's."""
    own = statement.author
    if not own.is_local:
        raise NotFoundError(msg("Related project not found."))
    uri, tombstone = local_uris.new_activity(work.settings), to_tombstone(statement).dump()
    outbox.publish_to(work, own, delete_activity(uri, own.uri, tombstone), set())
    work.audit("alike.take-back", statement.uri)
    work.session.delete(statement)


def hide(work: UnitOfWork, statement: SameNeedStatement) -> None:
    """Remove another council's statement from our project's page."""
    statement.is_hidden = True
    work.audit("alike.hide", statement.uri)


def receive(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a statement by another council that a project of ours and another are alike."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    relationship = Relationship.parse(received.document)
    author = actors.by_uri(work.session, received.activity.actor)
    if author is None or author.is_local or author.kind not in councils.COUNCIL_ACTOR_TYPES:
        raise NotHandledError(msg("the sender of the statement is not a council"))
    if not peers.explicitly_allowed_among(work.session, {author.host}):
        raise NotHandledError(msg("from a server that is not allowed"))
    if relationship.attributed_to != author.uri:
        raise NotHandledError(msg("a statement attributed to another account"))
    kind, uris = parse_kind(relationship), {relationship.subject, relationship.object}
    if len(uris) != 2 or not _includes_own_project(work.session, uris):
        raise NotHandledError(msg("not about one of our projects"))
    if _was_deleted(work.session, relationship.id) or _is_limit_reached(work.session, author):
        raise NotHandledError(
            msg("the statement was withdrawn, or the server has reached its limit for statements")
        )
    insert_once(
        work.session,
        SameNeedStatement,
        token=new_token(),
        uri=relationship.id,
        author_id=author.id,
        first_uri=relationship.subject,
        second_uri=relationship.object,
        kind=kind,
        who="",
        is_hidden=False,
        at=now(),
    )


def _includes_own_project(session: Session, uris: Sequence[str] | set[str]) -> bool:
    """Whether one of them is a public project of ours."""
    query = select(Project).where(
        Project.uri.in_(uris), project_visibility.is_visible_to(ANONYMOUS)
    )
    return any(project.is_local for project in session.scalars(query))


def _was_deleted(session: Session, uri: str) -> bool:
    return (
        session.scalar(select(RemoteTombstone.uri).where(RemoteTombstone.uri == uri).limit(1))
        is not None
    )


def _is_limit_reached(session: Session, author: Actor) -> bool:
    """Limits statements per server, since one server can have any number of actors."""
    query = select(func.count()).select_from(SameNeedStatement).join(SameNeedStatement.author)
    return (session.scalar(query.where(Actor.host == author.host)) or 0) >= MAX_PER_HOST


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the withdrawal of a statement by its author."""
    uri = id_of(received.activity.object)
    statement = work.session.scalar(select(SameNeedStatement).where(SameNeedStatement.uri == uri))
    if statement is None or statement.author.uri != received.activity.actor:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=statement.author_id, at=now())
    work.session.delete(statement)


HANDLERS = Handlers(
    {(CREATE, "Relationship"): receive, (DELETE, "Relationship"): receive_delete},
    stores=(Stored(SameNeedStatement.uri, "Relationship"),),
)
