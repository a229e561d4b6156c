"""The actor of a project: a `Group` that others can follow (FEP-1b12).

It announces what is said about the project to its followers, with the original embedded.
"""

import json
import re
import secrets
import unicodedata

from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC_COLLECTION, Addressing
from federation.properties import JsonObject, id_of
from federation.vocabulary import announce as announce_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import undo as undo_activity
from federation.vocabulary import update as update_activity
from federation.vocabulary.activity_types import ANNOUNCE, CREATE, UPDATE
from node.access import audiences
from node.access.visibility import Visibility
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, ActorKey, Delivery, OutboxActivity
from node.federating.outbound import outbox
from node.projects.details import RelationKind
from node.projects.models import Project
from node.runtime import UnitOfWork

MAX_LEN_USERNAME_STEM = 40
GROUP_KIND = "Group"
# Without characters that look alike, since people type the names.
USERNAME_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
# Followers whose servers show the project, and so also comments about it, on their own pages.
COUNCIL_KINDS = ("Organization",)


def ensure(work: UnitOfWork, project: Project) -> Actor | None:
    """The actor of a project of ours, created when the project is first federated; None before
    that.

    The username stays when the title changes. `also_known_as` lets the followers of superseded
    projects move to this one. The actor signs with the keys of its council under key ids of its
    own: one program holds both, and no one has to wait for a new RSA key.
    """
    if project.effective_visibility is Visibility.private:
        return None
    if project.actor is None:
        project.actor = _create_actor(work, project)
        work.session.flush()
    is_for_peers = project.visibility is Visibility.peers
    if (project.actor.kind, project.actor.is_for_peers) != (GROUP_KIND, is_for_peers):
        project.actor.kind, project.actor.is_for_peers = GROUP_KIND, is_for_peers
    aliases = [
        local_uris.project_group(related.uri)
        for related in project.details.related
        if related.kind is RelationKind.supersedes
    ]
    actor, about = project.actor, _build_summary(project)
    if (actor.name, actor.about, actor.also_known_as) != (project.title, about, aliases):
        actor.name, actor.about, actor.also_known_as = project.title, about, aliases
        publish_actor_update(work, project, project.actor)
    return project.actor


def publish(work: UnitOfWork, project: Project, activity: JsonObject) -> None:
    """Send an activity of our council about its project to the followers of the council and of the
    project.

    Followers of the council get the activity itself. Followers of the project alone get it embedded
    in an `Announce` (FEP-1b12). Mastodon only understands an `Announce` of an id, so a new object
    is also announced by its id to all followers of the project, and they get an `Update` directly
    too.
    """
    council, group = project.council.actor, ensure(work, project)
    council_inboxes = outbox.follower_inboxes(work.session, council)
    group_inboxes = outbox.follower_inboxes(work.session, group) if group else set()
    direct_inboxes = (
        council_inboxes | group_inboxes if activity["type"] == UPDATE else council_inboxes
    )
    sent = outbox.publish_to(work, council, activity, direct_inboxes, audience_of(project))
    _announce(work, project, json.loads(sent.body), group_inboxes - council_inboxes)
    if activity["type"] == CREATE:
        _announce(work, project, sent.object_uri, group_inboxes)


def forward(
    work: UnitOfWork, project: Project, document: JsonObject, *, excluding: set[str]
) -> bool:
    """Announce an activity or a `Note` about our project to its followers and to the councils that
    show it.

    `excluding` are the inboxes that have it already. Returns whether there are any recipients.
    """
    group = ensure(work, project)
    if group is None:
        return False
    group_inboxes = outbox.follower_inboxes(work.session, group)
    showing_inboxes = outbox.follower_inboxes(work.session, project.council.actor, *COUNCIL_KINDS)
    _announce(work, project, document, (group_inboxes | showing_inboxes) - excluding)
    if document["type"] in {CREATE, "Note"}:
        _announce(work, project, id_of(document.get("object", document)) or "", group_inboxes)
    return bool(group_inboxes | showing_inboxes)


def undo_announcements(
    work: UnitOfWork, project: Project, object_uri: str, announced_uri: str
) -> None:
    """Undo every announcement of the object `announced_uri` by our project's actor.

    Every server that received one gets the Undo, and the announcements can no longer be read here.
    `object_uri` is the innermost object that they are about.
    """
    if project.actor is None:
        return
    rows = work.session.scalars(
        select(OutboxActivity).where(
            OutboxActivity.actor_id == project.actor.id,
            OutboxActivity.type == ANNOUNCE,
            OutboxActivity.object_uri == object_uri,
            OutboxActivity.audience != audiences.NOBODY,
        )
    ).all()
    for row in rows:
        announcement = json.loads(row.body)
        announced = announcement["object"]
        if object_uri != announced_uri and id_of(announced) != announced_uri:
            continue
        row.audience = audiences.NOBODY
        recipients = select(Delivery.inbox).where(Delivery.activity_id == row.id)
        undone_announcement = announcement | {"object": announced_uri}
        activity = undo_activity(
            local_uris.new_activity(work.settings), project.actor.uri, undone_announcement
        )
        inboxes = set(work.session.scalars(recipients))
        outbox.publish_to(work, project.actor, activity, inboxes, audience_of(project))


def hide(project: Project) -> None:
    """Make the actor of a project that is now private impossible to find or follow. `ensure`
    reverses this.
    """
    if project.actor is not None:
        actors.close(project.actor)


def close(work: UnitOfWork, project: Project) -> None:
    """Delete the actor of a project that is deleted, here and on other servers."""
    group = project.actor
    if group is None:
        return
    uri, inboxes = (
        local_uris.new_activity(work.settings),
        outbox.follower_inboxes(work.session, group),
    )
    activity = delete_activity(uri, group.uri, group.uri, **_build_addressing(project, group))
    outbox.publish_to(work, group, activity, inboxes, audience_of(project))
    actors.close(group)


def audience_of(project: Project) -> audiences.Audience:
    """Who may read activities about a project; about a private one only those who had it before."""
    return project.visibility.audience or audiences.PEERS


def _announce(work: UnitOfWork, project: Project, about: JsonObject | str, to: set[str]) -> None:
    group = project.actor
    if group is None or not to:
        return
    uri = local_uris.new_activity(work.settings)
    activity = announce_activity(uri, group.uri, about, **_build_addressing(project, group))
    outbox.publish_to(work, group, activity, to, audience_of(project))


def publish_actor_update(work: UnitOfWork, project: Project, group: Actor) -> None:
    """Send the present document of a project's actor to its followers."""
    uri = local_uris.new_activity(work.settings)
    document = actors.build_document(work.settings, group).dump()
    activity = update_activity(uri, group.uri, document, **_build_addressing(project, group))
    outbox.publish(work, group, activity, audience_of(project))


def _build_addressing(project: Project, group: Actor) -> Addressing:
    followers = (group.followers or "",)
    if audience_of(project) == audiences.PUBLIC:
        return {"to": (PUBLIC_COLLECTION,), "cc": followers}
    return {"to": followers, "cc": ()}


def _create_actor(work: UnitOfWork, project: Project) -> Actor:
    uri, council = local_uris.project_group(project.uri), project.council.actor
    actor = Actor(
        uri=uri,
        kind=GROUP_KIND,
        host=work.settings.authority,
        username=_create_username(work.session, project.title),
        name=project.title,
        about=_build_summary(project),
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
    """Give a project's actor the current key of its council, under an id of its own.

    Old keys stay on its list as long as the council still lists them.
    """
    keys_by_pem = {key.public_pem: key for key in group.keys}
    keys = []
    for key in council.keys:
        own = keys_by_pem.get(key.public_pem)
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


def _build_summary(project: Project) -> str:
    return f"<p>{escape(project.summary)}</p>"


def _create_username(session: Session, title: str) -> str:
    """Words of the title and four random characters; unique among our actors."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_LEN_USERNAME_STEM].strip("-") or "project"
    while True:
        name = f"{words}-{''.join(secrets.choice(USERNAME_ALPHABET) for _ in range(4))}"
        if actors.local_by_username(session, name) is None:
            return name
