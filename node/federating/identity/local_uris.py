"""The URIs (ActivityPub ids) of this node's objects, which must never change once published; and
the handles of its actors.
"""

import secrets

from node.federating.models import Actor
from node.settings import Settings


def handle(settings: Settings, actor: Actor) -> str:
    """`@name@host`, as users type it; for local actors with the operator's `handle_host`."""
    if actor.is_local and actor.username:
        return f"@{actor.username}@{settings.handle_host}"
    return actor.address


def node_actor(settings: Settings) -> str:
    return f"{settings.base_url}/actor"


def council(settings: Settings, slug: str) -> str:
    return f"{settings.base_url}/councils/{slug}"


def officer(settings: Settings, username: str) -> str:
    """The actor of an officer who chose to have a public profile."""
    return f"{settings.base_url}/officers/{username}"


def shared_inbox(settings: Settings) -> str:
    return f"{settings.base_url}/inbox"


def project(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/projects/{token}"


def project_group(uri: str) -> str:
    """The actor of the project `uri`, which can be followed."""
    return f"{uri}/group"


def project_context(uri: str) -> str:
    """The collection of comments on the project `uri`."""
    return f"{uri}/context"


def conversations(projects: str) -> str:
    """The list of conversations about a council's projects; `projects` is their collection."""
    return f"{projects}/conversations"


def project_document(uri: str) -> str:
    """The full project document of the project `uri`."""
    return f"{uri}/document"


def update(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/updates/{token}"


def comment(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/comments/{token}"


def document(settings: Settings, token: str) -> str:
    """A document of a type that a plugin declares."""
    return f"{settings.base_url}/documents/{token}"


def new_activity(settings: Settings) -> str:
    return f"{settings.base_url}/activities/{secrets.token_urlsafe(12)}"


def icon(settings: Settings) -> str:
    """The icon of every local actor."""
    return f"{settings.base_url}/static/moot-hall.svg"


def following(actor_uri: str) -> str:
    """The collection of actors that a local actor follows."""
    return f"{actor_uri}/following"


def featured(actor_uri: str) -> str:
    """The collection of objects that a local actor features."""
    return f"{actor_uri}/featured"


def likes(project_uri: str) -> str:
    """The collection of likes of a project."""
    return f"{project_uri}/likes"


def shares(project_uri: str) -> str:
    """The collection of shares of a project."""
    return f"{project_uri}/shares"
