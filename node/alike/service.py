"""Saying that two projects of other councils meet the same need, and hearing that others say so.

A statement is its author's own: nobody else can say it for them, change it or take it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from federation.vocabulary import Relationship, id_of
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from node.alike.federate import KINDS, kind_of, to_relationship, to_tombstone
from node.alike.models import Statement
from node.councils import service as councils
from node.db import insert_once, now
from node.errors import InvalidInputError, NotFoundError
from node.federating import actors, addresses, peers, publishing
from node.federating.models import Actor, Deleted
from node.federating.readers import ANYBODY, Reader
from node.projects import relating
from node.projects import service as projects
from node.projects.details import RelationKind
from node.projects.models import Project, new_token
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import Saying, say

# So many may the councils of one server state, and so many are shown with one project.
MOST_OF_HOST, MOST_SHOWN = 500, 50
LONGEST_ID = 2_000


@dataclass(frozen=True)
class Shown:
    """A statement on the page of a project: the other one, as far as it is known here."""

    statement: Statement
    other: Project | None
    uri: str


def remove_all_of(work: UnitOfWork, actor: Actor, _most: int) -> bool:
    """The account of a council on another server is deleted: what it stated goes, all at once, as
    the councils of one server state little.
    """
    work.session.execute(delete(Statement).where(Statement.author_id == actor.id))
    return False


def about(session: Session, project: Project, reader: Reader) -> list[Shown]:
    """What is said of a project and others. What the reader may not see is not named."""
    either = or_(Statement.first_uri == project.uri, Statement.second_uri == project.uri)
    query = (
        select(Statement)
        .join(Statement.author)
        .where(either, Statement.is_hidden.is_(False), Actor.is_blocked.is_(False))
    )
    rows = session.scalars(query.order_by(Statement.id).limit(MOST_SHOWN)).all()
    uris = {row.id: _other(row, project) for row in rows}
    of_these = Project.uri.in_(uris.values())
    known = set(session.scalars(select(Project.uri).where(of_these)))
    visible = select(Project).where(of_these, projects.shown_to(reader))
    seen = {each.uri: each for each in session.scalars(visible)}
    return [
        Shown(row, seen.get(uris[row.id]), uris[row.id])
        for row in rows
        if uris[row.id] in seen or uris[row.id] not in known
    ]


def _other(statement: Statement, project: Project) -> str:
    is_first = statement.first_uri == project.uri
    return statement.second_uri if is_first else statement.first_uri


def state(
    work: UnitOfWork, first: Project, address: str, kind: RelationKind | None, who: str
) -> Statement:
    """Our council says that two projects of others are alike, and tells the councils whose they
    are. Raises `InvalidInputError`.
    """
    second = relating.find(work, address.strip()) if len(address) <= LONGEST_ID else None
    wrong: dict[str, Saying] = {}
    if kind not in KINDS:
        wrong["kind"] = say("Select how the projects are related")
    if second is None or not _is_public(work.session, second):
        wrong["address"] = say("Enter the address of a project on this site that everyone can see")
    elif second.id == first.id:
        wrong["address"] = say("Enter the address of another project")
    elif first.is_local or second.is_local:
        wrong["address"] = say(
            "One of these projects belongs to your council. Go to the other "
            "project’s page and select “Relate one of our projects to this one”"
        )
    elif _is_said(work.session, first, second):
        wrong["address"] = say("Your council has already said how these projects are related")
    if wrong or second is None or kind is None:
        raise InvalidInputError(say("The related project could not be saved."), wrong)
    own, token = councils.require_own(work.session).actor, new_token()
    uri = f"{work.settings.base_url}/alike/{token}"
    statement = Statement(
        token=token,
        uri=uri,
        author=own,
        first_uri=first.uri,
        second_uri=second.uri,
        kind=kind,
        who=who,
        at=now(),
    )
    work.session.add(statement)
    work.session.flush()
    owners = [first.council.actor, second.council.actor]
    activity = create_activity(
        addresses.new_activity(work.settings),
        own.uri,
        to_relationship(statement).dump(),
        to=sorted({owner.uri for owner in owners}),
    )
    inboxes = {owner.shared_inbox or owner.inbox for owner in owners}
    publishing.publish_to(work, own, activity, inboxes)
    work.audit("alike.state", uri, first=first.uri, second=second.uri)
    return statement


def _is_public(session: Session, project: Project) -> bool:
    shown = Project.id == project.id, projects.shown_to(ANYBODY)
    return session.scalar(select(Project.id).where(*shown)) is not None


def _is_said(session: Session, first: Project, second: Project) -> bool:
    uris = first.uri, second.uri
    both = Statement.first_uri.in_(uris), Statement.second_uri.in_(uris)
    ours = select(Statement.id).join(Statement.author).where(*both, Actor.is_local)
    return session.scalar(ours.limit(1)) is not None


def by_token(session: Session, token: str) -> Statement:
    """Raises `NotFoundError`."""
    found = session.scalar(select(Statement).where(Statement.token == token))
    if found is None:
        raise NotFoundError(say("There is no such link between projects."))
    return found


def take_back(work: UnitOfWork, statement: Statement) -> None:
    """Our council no longer says so. Raises `NotFoundError` for what another council says."""
    own = statement.author
    if not own.is_local:
        raise NotFoundError(say("There is no such link between projects."))
    uri, gone = addresses.new_activity(work.settings), to_tombstone(statement).dump()
    publishing.publish_to(work, own, delete_activity(uri, own.uri, gone), set())
    work.audit("alike.take-back", statement.uri)
    work.session.delete(statement)


def hide(work: UnitOfWork, statement: Statement) -> None:
    """What another council says is no longer shown here."""
    statement.is_hidden = True
    work.audit("alike.hide", statement.uri)


def receive(work: UnitOfWork, received: Received) -> None:
    """A council says that a project of ours and another are alike."""
    if received.document is None:
        raise NotForUsError(say("an activity with no object"))
    told = Relationship.parse(received.document)
    author = actors.by_uri(work.session, received.activity.actor)
    if author is None or author.is_local or author.kind not in councils.FOLLOWABLE:
        raise NotForUsError(say("the sender of the statement is not a council"))
    if not peers.allowed_by_name(work.session, {author.host}):
        raise NotForUsError(say("from a server that is not allowed"))
    if told.attributed_to != author.uri:
        raise NotForUsError(say("a statement attributed to another actor"))
    kind, uris = kind_of(told), {told.subject, told.object}
    if len(uris) != 2 or not _is_of_ours(work.session, uris):
        raise NotForUsError(say("not about one of our projects"))
    if _is_gone(work.session, told.id) or _has_enough(work.session, author):
        raise NotForUsError(
            say("the statement was withdrawn, or the server has reached its limit for statements")
        )
    insert_once(
        work.session,
        Statement,
        token=new_token(),
        uri=told.id,
        author_id=author.id,
        first_uri=told.subject,
        second_uri=told.object,
        kind=kind,
        who="",
        is_hidden=False,
        at=now(),
    )


def _is_of_ours(session: Session, uris: Sequence[str] | set[str]) -> bool:
    """Whether one of them is a project of ours that everybody may see."""
    shown = select(Project).where(Project.uri.in_(uris), projects.shown_to(ANYBODY))
    return any(project.is_local for project in session.scalars(shown))


def _is_gone(session: Session, uri: str) -> bool:
    return session.scalar(select(Deleted.uri).where(Deleted.uri == uri).limit(1)) is not None


def _has_enough(session: Session, author: Actor) -> bool:
    """Whoever has a server has as many actors as they like."""
    query = select(func.count()).select_from(Statement).join(Statement.author)
    return (session.scalar(query.where(Actor.host == author.host)) or 0) >= MOST_OF_HOST


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """A council takes back what it said."""
    uri = id_of(received.activity.object)
    statement = work.session.scalar(select(Statement).where(Statement.uri == uri))
    if statement is None or statement.author.uri != received.activity.actor:
        raise NotForUsError(say("a deletion of something that does not belong to the sender"))
    insert_once(work.session, Deleted, uri=uri, actor_id=statement.author_id, at=now())
    work.session.delete(statement)


HANDLERS: Handlers = {("Create", "Relationship"): receive, ("Delete", ""): receive_delete}
