"""Whether a message is relevant to this server, as far as the message itself shows it.

Most messages that a public server receives reply to or like something that it does not have.
"""

from collections.abc import Collection

from sqlalchemy import BindParameter, bindparam, select, union_all
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
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
KNOWN = union_all(
    *(select(model.uri).where(model.uri.in_(_URIS)) for model in (Project, Update, Comment))
)


def subjects(settings: Settings, activity: Activity) -> frozenset[str] | None:
    """The ids to which the activity refers. If this server has none of them, the activity is
    irrelevant. None if it may be relevant for another reason.
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
    """Those of `uris` that are ids of projects, updates or comments, visible or not."""
    return set(session.scalars(KNOWN, {"uris": list(uris)}))
