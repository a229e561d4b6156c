"""The actor of a project: a `Group` that can be followed by itself (FEP-1b12).

It tells its followers what is said about the project, with the original kept.
"""

import json
import re
import secrets
import unicodedata

from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC, Addressed
from federation.properties import JsonObject, id_of
from federation.vocabulary import announce as announce_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import undo as undo_activity
from federation.vocabulary import update as update_activity
from node.federating import actors, local_uris, outbox
from node.federating.models import Actor, ActorKey, Delivery, OutboxActivity
from node.projects.details import RelationKind
from node.projects.models import Project, ProjectState, Visibility
from node.runtime import UnitOfWork

MAX_LEN_TITLE_WORDS = 40
GROUP_KIND = "Group"
# What looks like another is left out, for those who type it.
USERNAME_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
# The actors that show a project on pages of their own, and with it what is said about it.
COUNCIL_KINDS = ("Organization",)


def ensure(work: UnitOfWork, project: Project) -> Actor | None:
    """The actor of a project of ours, made when it is first shown to others; none before.

    Its name (`@…`) stays when the project's title changes. By `also_known_as` the followers of a
    project whose place it takes may come to it. It signs with the keys of its council,
    under ids of its own: one program holds both, and nobody waits for an RSA key to be made.
    """
    if project.state is not ProjectState.published or project.visibility is Visibility.private:
        return None
    if project.actor is None:
        project.actor = _create_actor(work, project)
        work.session.flush()
    is_for_peers = project.visibility is Visibility.peers
    if (project.actor.kind, project.actor.is_for_peers) != (GROUP_KIND, is_for_peers):
        project.actor.kind, project.actor.is_for_peers = GROUP_KIND, is_for_peers
    names = [
        local_uris.project_group(related.uri)
        for related in project.details.related
        if related.kind is RelationKind.supersedes
    ]
    actor, about = project.actor, _about(project)
    if (actor.name, actor.about, actor.also_known_as) != (project.title, about, names):
        actor.name, actor.about, actor.also_known_as = project.title, about, names
        publish_actor_update(work, project, project.actor)
    return project.actor


def publish(work: UnitOfWork, project: Project, activity: JsonObject) -> None:
    """Send an activity of our council about its project to whoever follows either.

    Followers of the council get it as it is. Those of the project alone get it embedded in an
    Announce, as FEP-1b12 says. Mastodon understands that for nothing but ids, so what is new is
    also announced by its id, to all followers of the project, and a change is sent to them too.
    """
    council, group = project.council.actor, ensure(work, project)
    inboxes = outbox.follower_inboxes(work.session, council)
    theirs = outbox.follower_inboxes(work.session, group) if group else set()
    direct = inboxes | theirs if activity["type"] == "Update" else inboxes
    sent = outbox.publish_to(work, council, activity, direct, audience(project))
    _announce(work, project, json.loads(sent.body), theirs - inboxes)
    if activity["type"] == "Create":
        _announce(work, project, sent.object_uri, theirs)


def forward(work: UnitOfWork, project: Project, told: JsonObject, *, excluding: set[str]) -> bool:
    """Tell the followers of our project what somebody said about it, as it was `told`: an activity,
    or a Note. Also the councils that show the project. Those at the inboxes `but` know it. Returns
    whether there is anybody to tell.
    """
    group = ensure(work, project)
    if group is None:
        return False
    theirs = outbox.follower_inboxes(work.session, group)
    showing = outbox.follower_inboxes(work.session, project.council.actor, *COUNCIL_KINDS)
    _announce(work, project, told, (theirs | showing) - excluding)
    if told["type"] in {"Create", "Note"}:
        _announce(work, project, id_of(told.get("object", told)) or "", theirs)
    return bool(theirs | showing)


def undo_announcements(work: UnitOfWork, project: Project, object_uri: str, said_uri: str) -> None:
    """Undo all by which our project's actor announced what has the id `said_uri`, where it was
    announced. Nobody reads what it said there any more. `object_uri`: what that is about in the
    end.
    """
    if project.actor is None:
        return
    rows = work.session.scalars(
        select(OutboxActivity).where(
            OutboxActivity.actor_id == project.actor.id,
            OutboxActivity.type == "Announce",
            OutboxActivity.object_uri == object_uri,
            OutboxActivity.audience != outbox.NOBODY,
        )
    ).all()
    for row in rows:
        announced = json.loads(row.body)
        about = announced["object"]
        if object_uri != said_uri and id_of(about) != said_uri:
            continue
        row.audience = outbox.NOBODY
        sent = select(Delivery.inbox).where(Delivery.activity_id == row.id)
        undone = announced | {"object": said_uri}
        activity = undo_activity(local_uris.new_activity(work.settings), project.actor.uri, undone)
        inboxes = set(work.session.scalars(sent))
        outbox.publish_to(work, project.actor, activity, inboxes, audience(project))


def hide(project: Project) -> None:
    """The project is for our own people alone: nobody else finds or follows its actor, as long as
    that is so.
    """
    if project.actor is not None:
        actors.close(project.actor)


def close(work: UnitOfWork, project: Project) -> None:
    """The project is no more, and its actor with it."""
    group = project.actor
    if group is None:
        return
    uri, to = local_uris.new_activity(work.settings), outbox.follower_inboxes(work.session, group)
    gone = delete_activity(uri, group.uri, group.uri, **_addressing(project, group))
    outbox.publish_to(work, group, gone, to, audience(project))
    actors.close(group)


def audience(project: Project) -> outbox.Audience:
    """Who may read what is said about a project."""
    is_public = project.visibility is Visibility.public
    return outbox.PUBLIC if is_public else outbox.PEERS


def _announce(work: UnitOfWork, project: Project, about: JsonObject | str, to: set[str]) -> None:
    group = project.actor
    if group is None or not to:
        return
    uri = local_uris.new_activity(work.settings)
    activity = announce_activity(uri, group.uri, about, **_addressing(project, group))
    outbox.publish_to(work, group, activity, to, audience(project))


def publish_actor_update(work: UnitOfWork, project: Project, group: Actor) -> None:
    """Tell the followers of a project's actor what its document says now."""
    uri = local_uris.new_activity(work.settings)
    document = actors.build_document(work.settings, group).dump()
    activity = update_activity(uri, group.uri, document, **_addressing(project, group))
    outbox.publish(work, group, activity, audience(project))


def _addressing(project: Project, group: Actor) -> Addressed:
    followers = (group.followers or "",)
    if audience(project) == outbox.PUBLIC:
        return {"to": (PUBLIC,), "cc": followers}
    return {"to": followers, "cc": ()}


def _create_actor(work: UnitOfWork, project: Project) -> Actor:
    uri, council = local_uris.project_group(project.uri), project.council.actor
    actor = Actor(
        uri=uri,
        kind=GROUP_KIND,
        host=work.settings.authority,
        username=_username(work.session, project.title),
        name=project.title,
        about=_about(project),
        url=project.url,
        inbox=f"{uri}/inbox",
        shared_inbox=local_uris.shared_inbox(work.settings),
        outbox=f"{uri}/outbox",
        followers=f"{uri}/followers",
        attributed_to=council.uri,
        is_local=True,
    )
    copy_council_keys(actor, council)
    work.session.add(actor)
    return actor


def copy_council_keys(group: Actor, council: Actor) -> None:
    """A project's actor signs with what its council signs with now. Of the old keys that the
    council still lists, it lists those that it had.
    """
    held = {key.public_pem: key for key in group.keys}
    keys = []
    for key in council.keys:
        own = held.get(key.public_pem)
        if own is None and key.retired_at is None:
            own = ActorKey(
                key_id=key.key_id.replace(council.uri, group.uri, 1),
                public_pem=key.public_pem,
                private_pem=key.private_pem,
                asserts=key.asserts,
            )
        if own is not None:
            own.retired_at = key.retired_at
            keys.append(own)
    group.keys = keys


def _about(project: Project) -> str:
    return f"<p>{escape(project.summary)}</p>"


def _username(session: Session, title: str) -> str:
    """Words of the title, and four letters at random that no other actor of ours has with them."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_LEN_TITLE_WORDS].strip("-") or "project"
    while True:
        name = f"{words}-{''.join(secrets.choice(USERNAME_ALPHABET) for _ in range(4))}"
        if actors.local_by_username(session, name) is None:
            return name
