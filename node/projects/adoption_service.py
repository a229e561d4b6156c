"""Councils that reuse an output of a project (`Adoption`).

A council sends `Add` with itself as object and the output as target to the project's council, and
`Remove` when it stops. The project's actor forwards both to its followers. Adoptions are stored
beside the project: they change no text, version, revision or review date of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC_COLLECTION
from federation.origin import same_origin
from federation.properties import id_of, type_of
from federation.vocabulary import Activity
from federation.vocabulary import add as add_activity
from federation.vocabulary import remove as remove_activity
from federation.vocabulary.activity_types import ADD, ANNOUNCE, REMOVE, UNDO
from node.access.visibility import Visibility, is_for
from node.councils import service as councils
from node.councils import visibility as council_visibility
from node.database.tables import now
from node.errors import ConflictError, NotFoundError
from node.federating import reactions
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, InboxItem
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.federating.peers.actor_deletions import Erasure
from node.messages import msg
from node.projects import group_actor, reindex_queue
from node.projects.adoptions import STATE_TRANSITIONS, Adoption, AdoptionState
from node.projects.details import Output
from node.projects.models import Project, ProjectState
from node.runtime import Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork

OUTPUT_FRAGMENT = "#output-"
# Every change is forwarded to all followers, so one council may change an adoption once a day.
MIN_CHANGE_INTERVAL = timedelta(days=1)
# Adoptions accepted from the councils of one server: changes per day, and rows in all.
MAX_PER_HOST_PER_DAY, MAX_PER_HOST = 20, 500
# Adoptions waiting for a moderator, from all servers together.
MAX_HELD = 1_000


@dataclass(frozen=True)
class AdoptionStatus:
    """How our council stands to the outputs of another council's project, as output tokens.

    `open`: it can announce that it reuses the output; `ours`: it is listed as reusing the output;
    `announced`: it has sent `Add`, and is not listed yet.
    """

    open: frozenset[str]
    ours: frozenset[str]
    announced: frozenset[str]


def get_status(session: Session, project: Project) -> AdoptionStatus | None:
    """The status for `project`; None for one of our own, or where this server has no council."""
    own = councils.get_own(session)
    if own is None or project.is_local:
        return None
    outputs = project.outputs
    tokens = frozenset(output.token for output in outputs)
    ours = frozenset(output.token for output in outputs if _has_adopter(output, own.actor.uri))
    announced = frozenset(
        token
        for token in tokens - ours
        if reactions.find(session, own.actor, ADD, _build_output_uri(project, token))
    )
    return AdoptionStatus(tokens - ours - announced, ours, announced)


def adopt(work: UnitOfWork, project: Project, token: str) -> None:
    """Tell a project's council that ours reuses the output `token`.

    Raises `ConflictError` if that was announced before.
    """
    own = _require_adoptable(work, project, token)
    target, uri = _build_output_uri(project, token), local_uris.new_activity(work.settings)
    if not reactions.add(work, uri=uri, kind=ADD, actor=own, object_uri=target):
        raise ConflictError(msg("Your council has already done this."))
    owner = project.council.actor
    activity = add_activity(
        uri, own.uri, own.uri, target, to=[owner.uri], cc=_cc_recipients(project)
    )
    outbox.publish_to(work, own, activity, {owner.inbox}, group_actor.audience_of(project))
    work.audit("output.adopt", target)


def withdraw(work: UnitOfWork, project: Project, token: str) -> None:
    """Tell a project's council that ours no longer reuses the output `token`."""
    own = _require_adoptable(work, project, token)
    target, owner = _build_output_uri(project, token), project.council.actor
    reaction = reactions.find(work.session, own, ADD, target)
    if reaction is not None:
        work.session.delete(reaction)
    uri = local_uris.new_activity(work.settings)
    activity = remove_activity(
        uri, own.uri, own.uri, target, to=[owner.uri], cc=_cc_recipients(project)
    )
    outbox.publish_to(work, own, activity, {owner.inbox}, group_actor.audience_of(project))
    work.audit("output.drop", target)


def receive_adoption(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle `Add` or `Remove` from a council that starts or stops reusing our output.

    An adoption by a council on an allowed server is shown at once; any other is held for a
    moderator.
    """
    activity = received.activity
    project, token, author = _resolve_adoption(work, activity)
    if not project.is_local or project.visibility is Visibility.private:
        raise NotHandledError(msg("not about one of our projects"))
    sender = peers.identify_server(work.session, author.host)
    if not is_for(sender.audience, project.resource):
        raise NotHandledError(msg("about a project that the sender cannot see"))
    initial_state = AdoptionState.shown if sender.host else AdoptionState.held
    previous_state, row = _record_adoption(work, activity, project, token, author, initial_state)
    if AdoptionState.shown in {previous_state, row.state}:
        # The author gets it too, and so learns that the adoption is shown.
        group_actor.forward(work, project, dict(activity.raw), excluding=set())


def receive_announced_adoption(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle `Add` or `Remove` announced by the actor of another council's project."""
    activity = Activity.parse(received.document or {})
    project, token, author = _resolve_adoption(work, activity)
    if project.is_local or not same_origin(received.activity.actor, project.uri):
        raise NotHandledError(msg("not forwarded by the project’s own server"))
    _record_adoption(work, activity, project, token, author, AdoptionState.shown)


def receive_undo_announce(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the withdrawal of an announced adoption by the actor of another council's project."""
    announce = received.document or {}
    if type_of(announce) != ANNOUNCE or id_of(announce.get("actor")) != received.activity.actor:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    row = work.session.scalar(select(Adoption).where(Adoption.uri == id_of(announce.get("object"))))
    project = work.session.get(Project, row.project_id) if row else None
    if row is None or project is None or project.is_local:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    if not same_origin(received.activity.actor, project.uri):
        raise NotHandledError(msg("not withdrawn by the project’s own server"))
    work.session.delete(row)
    reindex_queue.enqueue(work.session, [project.uri])


def _resolve_adoption(work: UnitOfWork, activity: Activity) -> tuple[Project, str, Actor]:
    """The project, the token of the output and the author. Raises `NotHandledError`."""
    uri, _, token = (activity.target or "").partition(OUTPUT_FRAGMENT)
    author = actors.by_uri(work.session, activity.actor)
    if (
        not token
        or author is None
        or author.kind not in councils.COUNCIL_ACTOR_TYPES
        or author.is_blocked
    ):
        raise NotHandledError(msg("not a message from a council about reusing an output"))
    if activity.object_id != activity.actor:
        raise NotHandledError(msg("a council can only speak for itself"))
    query = select(Project).where(Project.uri == uri, Project.state == ProjectState.published)
    project = work.session.scalar(query.with_for_update(of=Project))
    if project is None or all(output.token != token for output in project.details.outputs):
        raise NotHandledError(msg("not about one of our projects"))
    return project, token, author


def _record_adoption(
    work: UnitOfWork,
    activity: Activity,
    project: Project,
    token: str,
    author: Actor,
    initial_state: AdoptionState,
) -> tuple[AdoptionState | None, Adoption]:
    """Store the latest statement of a council. Returns the previous state, if any, and the row.

    Raises `NotHandledError` if the statement changes nothing, comes too soon or exceeds a limit.
    """
    session = work.session
    is_of_output = Adoption.project_id == project.id, Adoption.output == token
    row = session.scalar(select(Adoption).where(*is_of_output, Adoption.author_id == author.id))
    previous_state = row.state if row else None
    state = initial_state if activity.type == ADD else AdoptionState.withdrawn
    may_change = row is None or row.changed_at <= now() - MIN_CHANGE_INTERVAL
    if row is not None and state not in STATE_TRANSITIONS[row.state]:
        raise NotHandledError(msg("this would change nothing here"))
    if activity.type == ADD and not may_change:
        raise NotHandledError(msg("the council last changed this less than a day ago"))
    if activity.type != ADD and row is None and not _is_listed_adopter(project, token, author):
        raise NotHandledError(msg("this would change nothing here"))
    if not author.is_local and activity.type == ADD:
        _check_limits(session, author, initial_state, is_new=row is None)
    if row is None:
        row = Adoption(project_id=project.id, output=token, author=author, uri=activity.id)
        session.add(row)
    if activity.type == ADD:
        row.since = now()
    row.uri, row.state, row.changed_at = activity.id, state, now()
    session.flush()
    session.expire(project, ["adoptions"])
    reindex_queue.enqueue(session, [project.uri])
    work.audit(f"adoption.{state}", f"{project.uri}{OUTPUT_FRAGMENT}{token}", council=author.uri)
    return previous_state, row


def _check_limits(session: Session, author: Actor, state: AdoptionState, *, is_new: bool) -> None:
    """Raises `NotHandledError` if a limit per server, or on adoptions held for a moderator, is
    reached.
    """
    of_host = actors.is_on_host(Adoption.author_id, author.host)
    is_recent = Adoption.changed_at > now() - MIN_CHANGE_INTERVAL
    limits = [(MAX_PER_HOST_PER_DAY, [of_host, is_recent])]
    if is_new:
        limits.append((MAX_PER_HOST, [of_host]))
    if state is AdoptionState.held:
        limits.append((MAX_HELD, [Adoption.state == AdoptionState.held]))
    for limit, conditions in limits:
        if (session.scalar(select(func.count(Adoption.id)).where(*conditions)) or 0) >= limit:
            raise NotHandledError(
                msg(
                    "too many messages about reuse from this server, or too many waiting "
                    "for a moderator"
                )
            )


def list_for_moderation(session: Session, limit: int) -> list[tuple[Adoption, Project]]:
    """Held and shown adoptions of our projects, the held ones first; at most `limit`."""
    query = (
        select(Adoption, Project)
        .join(Project, Project.id == Adoption.project_id)
        .where(
            council_visibility.is_own(Project.council_id), Project.state == ProjectState.published
        )
        .where(Adoption.state.in_((AdoptionState.held, AdoptionState.shown)))
        .order_by(Adoption.state, Adoption.changed_at, Adoption.id)
    )
    return [(row.Adoption, row.Project) for row in session.execute(query.limit(limit))]


def decide(work: UnitOfWork, adoption_id: int, *, shown: bool) -> None:
    """Record a moderator's decision to show or hide that a council reuses an output of ours.

    Raises `NotFoundError` if there is no such adoption, `ConflictError` if that was decided
    already.
    """
    row = work.session.get(Adoption, adoption_id, with_for_update=True)
    project = work.session.get(Project, row.project_id) if row else None
    if row is None or project is None or not project.is_local:
        raise NotFoundError(msg("Council not found."))
    state = AdoptionState.shown if shown else AdoptionState.hidden
    if state not in STATE_TRANSITIONS[row.state]:
        raise ConflictError(msg("A decision has already been made about this."))
    was_shown, row.state = row.state is AdoptionState.shown, state
    work.session.flush()
    work.session.expire(project, ["adoptions"])
    reindex_queue.enqueue(work.session, [project.uri])
    if shown:
        query = select(InboxItem.body).where(InboxItem.uri == row.uri)
        if body := work.session.scalar(query):
            group_actor.forward(work, project, body, excluding=set())
    elif was_shown:
        group_actor.undo_announcements(work, project, row.author.uri, row.uri)
    work.audit(
        f"adoption.{state}", f"{project.uri}{OUTPUT_FRAGMENT}{row.output}", council=row.author.uri
    )


def _erase_adoptions_of(work: UnitOfWork, author: Actor, limit: int) -> bool:
    """Remove up to `limit` adoptions of a council on another server whose account was deleted.

    Returns True if there may be more.
    """
    query = select(Adoption, Project).join(Project, Project.id == Adoption.project_id)
    rows = work.session.execute(query.where(Adoption.author_id == author.id).limit(limit)).all()
    for row, project in rows:
        if row.state is AdoptionState.shown and project.is_local:
            group_actor.undo_announcements(work, project, author.uri, row.uri)
        work.session.delete(row)
    reindex_queue.enqueue(work.session, [project.uri for _row, project in rows])
    return len(rows) == limit


ERASE_ADOPTIONS = Erasure("erase-adoptions", _erase_adoptions_of)


def _require_adoptable(work: UnitOfWork, project: Project, token: str) -> Actor:
    """Our council's actor. Raises `ConflictError` for our own project, `NotFoundError` for an
    unknown output.
    """
    if project.is_local:
        raise ConflictError(msg("You cannot do this because the project belongs to your council."))
    if not any(output.token == token for output in project.details.outputs):
        raise NotFoundError(msg("Output not found."))
    return councils.require_own(work.session).actor


def _cc_recipients(project: Project) -> Sequence[str]:
    return (PUBLIC_COLLECTION,) if project.visibility is Visibility.public else ()


def _is_listed_adopter(project: Project, token: str, author: Actor) -> bool:
    outputs = (output for output in project.details.outputs if output.token == token)
    return any(_has_adopter(output, author.uri) for output in outputs)


def _has_adopter(output: Output, uri: str) -> bool:
    return any(adopter.uri == uri for adopter in output.adopters)


def _build_output_uri(project: Project, token: str) -> str:
    return f"{project.uri}{OUTPUT_FRAGMENT}{token}"


HANDLERS = Handlers(
    {
        (ADD, ""): receive_adoption,
        (REMOVE, ""): receive_adoption,
        (ANNOUNCE, ADD): receive_announced_adoption,
        (ANNOUNCE, REMOVE): receive_announced_adoption,
        (UNDO, ADD): receive_undo_announce,
    },
    stores=(Stored(Adoption.uri, ADD),),
)
