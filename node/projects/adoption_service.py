"""Councils that use what a project gives back.

A council says so to the one whose project it is (`Add` of itself to the output, `Remove` when it no
longer does), whose project's actor passes it on. It is kept beside the project (`Adoption`): no
text, version, revision or review date of a project changes by what others say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC
from federation.origin import same_origin
from federation.properties import id_of, type_of
from federation.vocabulary import Activity
from federation.vocabulary import add as add_activity
from federation.vocabulary import remove as remove_activity
from node.councils import service as councils
from node.councils.models import Council
from node.db import now
from node.errors import ConflictError, NotFoundError
from node.federating import actors, local_uris, outbox, peers, reactions
from node.federating.models import Actor, InboxItem
from node.messages import msg
from node.projects import group_actor, reindex_queue
from node.projects.adoptions import TRANSITIONS, Adoption, AdoptionState
from node.projects.details import Output
from node.projects.models import Project, ProjectState, Visibility
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

ADD = "Add"
OUTPUT_FRAGMENT = "#output-"
# Whoever says it, takes it back and says it again makes all followers hear of it each time.
MIN_CHANGE_INTERVAL = timedelta(days=1)
# Of the councils of one server so many are taken in a day, and kept.
MAX_PER_HOST_PER_DAY, MAX_PER_HOST = 20, 500
# So many wait for a moderator, whoever says so.
MAX_HELD = 1_000


@dataclass(frozen=True)
class AdoptionStatus:
    """Where our council stands with the outputs of another's project, by their tokens: those it
    could say that it uses, those it is named with, and those it has said so of.
    """

    open: frozenset[str]
    ours: frozenset[str]
    announced: frozenset[str]


def get_status(session: Session, project: Project) -> AdoptionStatus | None:
    """None for our own project."""
    own = councils.own(session)
    if own is None or project.is_local:
        return None
    every = project.outputs
    tokens = frozenset(output.token for output in every)
    ours = frozenset(output.token for output in every if _has_adopter(output, own.actor.uri))
    told = frozenset(
        token
        for token in tokens - ours
        if reactions.find(session, own.actor, ADD, _output_uri(project, token))
    )
    return AdoptionStatus(tokens - ours - told, ours, told)


def adopt(work: UnitOfWork, project: Project, token: str) -> None:
    """Tell a project's council that ours uses one of its outputs."""
    own = _require_adoptable(work, project, token)
    target, uri = _output_uri(project, token), local_uris.new_activity(work.settings)
    if not reactions.add(work, uri=uri, kind=ADD, actor=own, object_uri=target):
        raise ConflictError(msg("Your council has already done this."))
    owner = project.council.actor
    activity = add_activity(uri, own.uri, own.uri, target, to=[owner.uri], cc=_cc(project))
    outbox.publish_to(work, own, activity, {owner.inbox}, group_actor.audience(project))
    work.audit("output.adopt", target)


def drop(work: UnitOfWork, project: Project, token: str) -> None:
    """Tell it that ours does no longer."""
    own = _require_adoptable(work, project, token)
    target, owner = _output_uri(project, token), project.council.actor
    said = reactions.find(work.session, own, ADD, target)
    if said is not None:
        work.session.delete(said)
    uri = local_uris.new_activity(work.settings)
    activity = remove_activity(uri, own.uri, own.uri, target, to=[owner.uri], cc=_cc(project))
    outbox.publish_to(work, own, activity, {owner.inbox}, group_actor.audience(project))
    work.audit("output.drop", target)


def receive_adoption(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A council uses an output of a project of ours, or no longer does."""
    said = received.activity
    project, token, author = _resolve_adoption(work, said)
    if not project.is_local or project.visibility is Visibility.private:
        raise NotHandledError(msg("not about one of our projects"))
    by_name = bool(peers.explicitly_allowed_among(work.session, {author.host}))
    if project.visibility is not Visibility.public and not by_name:
        raise NotHandledError(msg("about a project that the sender cannot see"))
    first = AdoptionState.shown if by_name else AdoptionState.held
    before, row = _record_adoption(work, said, project, token, author, first)
    if AdoptionState.shown in {before, row.state}:
        # Also to who says so: that it is shown.
        group_actor.forward(work, project, dict(said.raw), excluding=set())


def receive_announced_adoption(work: UnitOfWork, received: ReceivedActivity) -> None:
    """The actor of another council's project passes on that somebody uses an output of it."""
    said = Activity.parse(received.document or {})
    project, token, author = _resolve_adoption(work, said)
    if project.is_local or not same_origin(received.activity.actor, project.uri):
        raise NotHandledError(msg("not forwarded by the project’s own server"))
    _record_adoption(work, said, project, token, author, AdoptionState.shown)


def receive_undo_announce(work: UnitOfWork, received: ReceivedActivity) -> None:
    """The actor of another council's project takes back that it passed this on."""
    undone = received.document or {}
    if type_of(undone) != "Announce" or id_of(undone.get("actor")) != received.activity.actor:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    row = work.session.scalar(select(Adoption).where(Adoption.uri == id_of(undone.get("object"))))
    project = work.session.get(Project, row.project_id) if row else None
    if row is None or project is None or project.is_local:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    if not same_origin(received.activity.actor, project.uri):
        raise NotHandledError(msg("not withdrawn by the project’s own server"))
    work.session.delete(row)
    reindex_queue.enqueue(work.session, [project.uri])


def _resolve_adoption(work: UnitOfWork, said: Activity) -> tuple[Project, str, Actor]:
    """The project, the token of the output, and who says so. Raises `NotForUsError`."""
    uri, _, token = (said.target or "").partition(OUTPUT_FRAGMENT)
    author = actors.by_uri(work.session, said.actor)
    if (
        not token
        or author is None
        or author.kind not in councils.COUNCIL_ACTOR_TYPES
        or author.is_blocked
    ):
        raise NotHandledError(msg("not a message from a council about reusing an output"))
    if said.object_id != said.actor:
        raise NotHandledError(msg("a council can only speak for itself"))
    query = select(Project).where(Project.uri == uri, Project.state == ProjectState.published)
    project = work.session.scalar(query.with_for_update(of=Project))
    if project is None or all(output.token != token for output in project.details.outputs):
        raise NotHandledError(msg("not about one of our projects"))
    return project, token, author


def _record_adoption(
    work: UnitOfWork,
    said: Activity,
    project: Project,
    token: str,
    author: Actor,
    first: AdoptionState,
) -> tuple[AdoptionState | None, Adoption]:
    """Keep what a council says last. Returns in which state it was before, and the row."""
    session = work.session
    mine = Adoption.project_id == project.id, Adoption.output == token
    row = session.scalar(select(Adoption).where(*mine, Adoption.author_id == author.id))
    before = row.state if row else None
    state = first if said.type == ADD else AdoptionState.withdrawn
    is_rested = row is None or row.changed_at <= now() - MIN_CHANGE_INTERVAL
    if row is not None and state not in TRANSITIONS[row.state]:
        raise NotHandledError(msg("this would change nothing here"))
    if said.type == ADD and not is_rested:
        raise NotHandledError(msg("the council last changed this less than a day ago"))
    if said.type != ADD and row is None and not _is_listed_adopter(project, token, author):
        raise NotHandledError(msg("this would change nothing here"))
    if not author.is_local and said.type == ADD:
        _check_limits(session, author, first, is_new=row is None)
    if row is None:
        row = Adoption(project_id=project.id, output=token, author=author, uri=said.id)
        session.add(row)
    if said.type == ADD:
        row.since = now()
    row.uri, row.state, row.changed_at = said.id, state, now()
    session.flush()
    session.expire(project, ["adoptions"])
    reindex_queue.enqueue(session, [project.uri])
    work.audit(f"adoption.{state}", f"{project.uri}{OUTPUT_FRAGMENT}{token}", council=author.uri)
    return before, row


def _check_limits(session: Session, author: Actor, state: AdoptionState, *, is_new: bool) -> None:
    """Raises `NotForUsError` where the councils of a server say too much, or too much waits."""
    of_host = actors.on_host(Adoption.author_id, author.host)
    lately = Adoption.changed_at > now() - MIN_CHANGE_INTERVAL
    limits = [(MAX_PER_HOST_PER_DAY, [of_host, lately])]
    if is_new:
        limits.append((MAX_PER_HOST, [of_host]))
    if state is AdoptionState.held:
        limits.append((MAX_HELD, [Adoption.state == AdoptionState.held]))
    for most, among in limits:
        if (session.scalar(select(func.count(Adoption.id)).where(*among)) or 0) >= most:
            raise NotHandledError(
                msg(
                    "too many messages about reuse from this server, or too many waiting "
                    "for a moderator"
                )
            )


def list_for_moderation(session: Session, most: int) -> list[tuple[Adoption, Project]]:
    """What waits for a moderator and what is shown of projects of ours, the waiting first."""
    query = (
        select(Adoption, Project)
        .join(Project, Project.id == Adoption.project_id)
        .where(
            Project.council.has(Council.slug.is_not(None)), Project.state == ProjectState.published
        )
        .where(Adoption.state.in_((AdoptionState.held, AdoptionState.shown)))
        .order_by(Adoption.state, Adoption.changed_at, Adoption.id)
    )
    return [(row.Adoption, row.Project) for row in session.execute(query.limit(most))]


def decide(work: UnitOfWork, number: int, *, shown: bool) -> None:
    """A moderator lets it be seen that a council uses something of ours, or refuses it.

    Raises `NotFoundError` for none, `ConflictError` where that was decided already.
    """
    row = work.session.get(Adoption, number, with_for_update=True)
    project = work.session.get(Project, row.project_id) if row else None
    if row is None or project is None or not project.is_local:
        raise NotFoundError(msg("There is no such council here."))
    state = AdoptionState.shown if shown else AdoptionState.hidden
    if state not in TRANSITIONS[row.state]:
        raise ConflictError(msg("A decision has already been made about this."))
    was_shown, row.state = row.state is AdoptionState.shown, state
    work.session.flush()
    work.session.expire(project, ["adoptions"])
    reindex_queue.enqueue(work.session, [project.uri])
    if shown:
        said = select(InboxItem.body).where(InboxItem.uri == row.uri)
        if body := work.session.scalar(said):
            group_actor.forward(work, project, body, excluding=set())
    elif was_shown:
        group_actor.undo_announcements(work, project, row.author.uri, row.uri)
    work.audit(
        f"adoption.{state}", f"{project.uri}{OUTPUT_FRAGMENT}{row.output}", council=row.author.uri
    )


def on_actor_deleted(work: UnitOfWork, author: Actor, most: int) -> bool:
    """The account of a council on another server is deleted: up to `most` of what it said it uses
    goes. True if there may be more.
    """
    mine = select(Adoption, Project).join(Project, Project.id == Adoption.project_id)
    found = work.session.execute(mine.where(Adoption.author_id == author.id).limit(most)).all()
    for row, project in found:
        if row.state is AdoptionState.shown and project.is_local:
            group_actor.undo_announcements(work, project, author.uri, row.uri)
        work.session.delete(row)
    reindex_queue.enqueue(work.session, [project.uri for _row, project in found])
    return len(found) == most


def _require_adoptable(work: UnitOfWork, project: Project, token: str) -> Actor:
    """Our council's actor. Raises `ConflictError` for our own project, `NotFoundError` for no
    output.
    """
    if project.is_local:
        raise ConflictError(msg("You cannot do this because the project belongs to your council."))
    if not any(output.token == token for output in project.details.outputs):
        raise NotFoundError(msg("There is no such output."))
    return councils.require_own(work.session).actor


def _cc(project: Project) -> Sequence[str]:
    return (PUBLIC,) if project.visibility is Visibility.public else ()


def _is_listed_adopter(project: Project, token: str, author: Actor) -> bool:
    named = (output for output in project.details.outputs if output.token == token)
    return any(_has_adopter(output, author.uri) for output in named)


def _has_adopter(output: Output, uri: str) -> bool:
    return any(each.uri == uri for each in output.adopters)


def _output_uri(project: Project, token: str) -> str:
    return f"{project.uri}{OUTPUT_FRAGMENT}{token}"


HANDLERS: Handlers = {
    (ADD, ""): receive_adoption,
    ("Remove", ""): receive_adoption,
    ("Announce", ADD): receive_announced_adoption,
    ("Announce", "Remove"): receive_announced_adoption,
    ("Undo", "Announce"): receive_undo_announce,
}
