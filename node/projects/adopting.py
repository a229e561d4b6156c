"""Councils that use what a project gives back.

A council says so to the one whose project it is (`Add` of itself to the output, `Remove` when it no
longer does), whose project then names it to everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from federation.reading import id_of
from federation.vocabulary import add as add_activity
from federation.vocabulary import remove as remove_activity
from node.councils import service as councils
from node.db import now
from node.errors import ConflictError, NotFoundError
from node.federating import actors, addresses, publishing, reactions
from node.federating.models import Actor
from node.projects import service
from node.projects.details import MOST, Adopter, Output
from node.projects.models import Project, State, Visibility
from node.projects.writing import text_of
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import say

ADD = "Add"
PART = "#output-"
# Whoever says it, takes it back and says it again makes all followers hear of it each time.
REST = timedelta(days=1)


@dataclass(frozen=True)
class Adopting:
    """Where our council stands with the outputs of another's project, by their tokens: those it
    could say that it uses, those it is named with, and those it has said so of.
    """

    open: frozenset[str]
    ours: frozenset[str]
    told: frozenset[str]


def state(session: Session, project: Project) -> Adopting | None:
    """None for our own project."""
    own = councils.own(session)
    if own is None or project.is_local:
        return None
    every = project.details.outputs
    tokens = frozenset(output.token for output in every)
    ours = frozenset(output.token for output in every if _named(output, own.actor.uri))
    told = frozenset(
        token
        for token in tokens - ours
        if reactions.find(session, own.actor, ADD, _address(project, token))
    )
    return Adopting(tokens - ours - told, ours, told)


def adopt(work: UnitOfWork, project: Project, token: str) -> None:
    """Tell a project's council that ours uses one of its outputs."""
    own = _asked(work, project, token)
    target, uri = _address(project, token), addresses.new_activity(work.settings)
    if not reactions.add(work.session, uri=uri, kind=ADD, actor=own, object_uri=target):
        raise ConflictError(say("Your council has done that already."))
    owner = project.council.actor
    activity = add_activity(uri, own.uri, own.uri, target, to=[owner.uri])
    publishing.send(work, own, activity, to=owner)
    work.audit("output.adopt", target)


def drop(work: UnitOfWork, project: Project, token: str) -> None:
    """Tell it that ours does no longer."""
    own = _asked(work, project, token)
    target, owner = _address(project, token), project.council.actor
    said = reactions.find(work.session, own, ADD, target)
    if said is not None:
        work.session.delete(said)
    uri = addresses.new_activity(work.settings)
    activity = remove_activity(uri, own.uri, own.uri, target, to=[owner.uri])
    publishing.send(work, own, activity, to=owner)
    work.audit("output.drop", target)


def receive_add(work: UnitOfWork, received: Received) -> None:
    """A council uses an output of a project of ours."""
    project, token, actor = _received(work, received)
    said = reactions.find(work.session, actor, ADD, _address(project, token))
    if said is not None and said.at > now() - REST:
        raise NotForUsError(say("it said so less than a day ago"))
    name = Adopter(actor.name[:300], actor.uri, now().date())
    _rewrite(work, project, token, name, there=True)
    if said is not None:
        said.at = now()
    else:
        target, uri = _address(project, token), received.activity.id
        reactions.add(work.session, uri=uri, kind=ADD, actor=actor, object_uri=target)


def receive_remove(work: UnitOfWork, received: Received) -> None:
    """It does no longer."""
    project, token, actor = _received(work, received)
    _rewrite(work, project, token, Adopter(actor.name[:300], actor.uri), there=False)


def _received(work: UnitOfWork, received: Received) -> tuple[Project, str, Actor]:
    activity = received.activity
    uri, _, token = (activity.target or "").partition(PART)
    actor = actors.by_uri(work.session, activity.actor)
    if not token or actor is None or actor.kind not in councils.FOLLOWABLE:
        raise NotForUsError(say("no council adds itself to an output"))
    if id_of(activity.object) != activity.actor:
        raise NotForUsError(say("a council speaks for itself alone"))
    here = f"{work.settings.base_url}/projects/"
    try:
        project = service.for_change(work.session, uri.removeprefix(here))
    except (NotFoundError, ConflictError) as error:
        raise NotForUsError(say("no project of ours")) from error
    is_shown = project.state is State.published and project.visibility is not Visibility.private
    if project.uri != uri or not is_shown:
        raise NotForUsError(say("no project of ours"))
    return project, token, actor


def _rewrite(
    work: UnitOfWork, project: Project, token: str, adopter: Adopter, *, there: bool
) -> None:
    """Name a council with an output, or no longer, and tell everybody."""
    text = text_of(project)
    changed: list[Output] = []
    for output in text.details.outputs:
        others = tuple(each for each in output.adopters if each.uri != adopter.uri)
        is_it = output.token == token and there != _named(output, adopter.uri)
        room: Sequence[Adopter] = [adopter] if there and len(others) < MOST else []
        changed.append(replace(output, adopters=(*others, *room)) if is_it else output)
    if tuple(changed) == text.details.outputs:
        raise NotForUsError(say("nothing changes by it"))
    said = replace(text.details, outputs=tuple(changed))
    service.update(work, project, replace(text, details=said), project.version)


def _asked(work: UnitOfWork, project: Project, token: str) -> Actor:
    """Our council's actor. Raises `ConflictError` for our own project, `NotFoundError` for no
    output.
    """
    if project.is_local:
        raise ConflictError(say("It is this council’s own project."))
    if not any(output.token == token for output in project.details.outputs):
        raise NotFoundError(say("There is no such output."))
    return councils.require_own(work.session).actor


def _named(output: Output, uri: str) -> bool:
    return any(each.uri == uri for each in output.adopters)


def _address(project: Project, token: str) -> str:
    return f"{project.uri}{PART}{token}"


HANDLERS: Handlers = {(ADD, ""): receive_add, ("Remove", ""): receive_remove}
