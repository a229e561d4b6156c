"""Whether a message is relevant to this server, as far as the message itself shows it.

Most messages that a public server receives reply to or like something that it does not have.
"""

from collections.abc import Collection

from sqlalchemy import BindParameter, bindparam, select, union_all
from sqlalchemy.orm import Session

from federation.addressing import recipients
from federation.errors import FederationError
from federation.vocabulary import REPLY_TYPES, Activity, Note, type_of
from federation.vocabulary.activity_types import activity_type
from node.conversations.models import Comment
from node.projects.models import Project
from node.settings import Settings
from node.updates.models import Update

# Without Article, which may be a project and so relevant without a known parent.
NOTE_TYPES = frozenset(REPLY_TYPES) - {"Article"}
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
SELECT_KNOWN = union_all(
    *(select(model.uri).where(model.uri.in_(_URIS)) for model in (Project, Update, Comment))
)


def referenced_uris(settings: Settings, activity: Activity) -> frozenset[str] | None:
    """The ids to which the activity refers. If this server has none of them, the activity is
    irrelevant. None if it may be relevant for another reason.
    """
    row = activity_type(activity.type)
    if row.is_reaction:
        return frozenset({activity.object_id}) if activity.object_id else None
    if not row.brings_object or not isinstance(activity.object, dict):
        return None
    if type_of(activity.object) not in NOTE_TYPES:
        return None
    try:
        note = Note.parse(activity.object, REPLY_TYPES)
    except FederationError:
        return None
    addressed = recipients(list(note.to), list(note.cc))
    if note.project or any(uri.startswith(f"{settings.base_url}/") for uri in addressed):
        return None
    return frozenset({note.id, note.in_reply_to or note.id})


def find_known(session: Session, uris: Collection[str]) -> set[str]:
    """Those of `uris` that are ids of projects, updates or comments, visible or not."""
    return set(session.scalars(SELECT_KNOWN, {"uris": list(uris)}))
