"""The addresses (ActivityPub ids) of this node, in one place, which cannot change later; and the
names of its actors.
"""

import secrets

from node.federating.models import Actor
from node.settings import Settings


def handle(settings: Settings, actor: Actor) -> str:
    """`@name@host`, as people type it: of ours at the domain that the operator chose."""
    if actor.is_local and actor.username:
        return f"@{actor.username}@{settings.handle_host}"
    return actor.address


def node_actor(settings: Settings) -> str:
    return f"{settings.base_url}/actor"


def council(settings: Settings, slug: str) -> str:
    return f"{settings.base_url}/councils/{slug}"


def officer(settings: Settings, username: str) -> str:
    """Of somebody who chose to be seen."""
    return f"{settings.base_url}/officers/{username}"


def shared_inbox(settings: Settings) -> str:
    return f"{settings.base_url}/inbox"


def project(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/projects/{token}"


def project_group(uri: str) -> str:
    """The actor of the project `uri`, which can be followed."""
    return f"{uri}/group"


def project_context(uri: str) -> str:
    """The collection of what is said about the project `uri`."""
    return f"{uri}/context"


def conversations(projects: str) -> str:
    """The list of what is said about a council's projects, which are at `projects`."""
    return f"{projects}/conversations"


def project_document(uri: str) -> str:
    """The whole project document of the project `uri`."""
    return f"{uri}/document"


def update(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/updates/{token}"


def comment(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/comments/{token}"


def document(settings: Settings, token: str) -> str:
    """Of a type that a plugin declares."""
    return f"{settings.base_url}/documents/{token}"


def new_activity(settings: Settings) -> str:
    return f"{settings.base_url}/activities/{secrets.token_urlsafe(12)}"


def icon(settings: Settings) -> str:
    """The picture of every actor of ours."""
    return f"{settings.base_url}/static/moot-hall.svg"


def following(actor_uri: str) -> str:
    """The collection of those whom an actor of ours follows."""
    return f"{actor_uri}/following"


def featured(actor_uri: str) -> str:
    """The collection of what an actor of ours puts first."""
    return f"{actor_uri}/featured"


def likes(project_uri: str) -> str:
    """The collection of those who like a project."""
    return f"{project_uri}/likes"


def shares(project_uri: str) -> str:
    """The collection of those who passed a project on."""
    return f"{project_uri}/shares"
