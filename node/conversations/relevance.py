"""What a message is about, as far as that decides whether it concerns this node at all.

Most of what a public server is sent answers or likes something that this node has never heard of.
That shows in the message itself, so it need not wait to be acted on.
"""

from collections.abc import Collection

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from federation.addressing import recipients
from federation.errors import FederationError
from federation.vocabulary import REPLIES, Activity, Note, type_of
from node.conversations.models import Comment
from node.projects.models import Project
from node.settings import Settings
from node.updates.models import Update

REACTIONS = frozenset({"Like", "Announce"})
WRITTEN = frozenset({"Create", "Update"})
# Of an article, more than its conversation may concern us.
NOTES = frozenset(REPLIES) - {"Article"}


def subjects(settings: Settings, activity: Activity) -> frozenset[str] | None:
    """The ids of which this node must know one, or the activity does not concern it; None where
    it may concern it for other reasons.
    """
    if activity.type in REACTIONS:
        return frozenset({activity.object_id}) if activity.object_id else None
    if activity.type not in WRITTEN or not isinstance(activity.object, dict):
        return None
    if type_of(activity.object) not in NOTES:
        return None
    try:
        note = Note.parse(activity.object, REPLIES)
    except FederationError:
        return None
    addressed = recipients(list(note.to), list(note.cc))
    if note.project or any(uri.startswith(f"{settings.base_url}/") for uri in addressed):
        return None
    return frozenset({note.id, note.in_reply_to or note.id})


def known(session: Session, uris: Collection[str]) -> set[str]:
    """Those of some ids that a project, an update or a comment has, shown or not."""
    rows = (select(model.uri).where(model.uri.in_(uris)) for model in (Project, Update, Comment))
    return set(session.scalars(union_all(*rows)))
