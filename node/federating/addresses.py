"""The addresses (ActivityPub ids) of this node, in one place. They cannot change later."""

import secrets

from node.settings import Settings


def node_actor(settings: Settings) -> str:
    return f"{settings.base_url}/actor"


def council(settings: Settings, slug: str) -> str:
    return f"{settings.base_url}/councils/{slug}"


def shared_inbox(settings: Settings) -> str:
    return f"{settings.base_url}/inbox"


def project(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/projects/{token}"


def new_activity(settings: Settings) -> str:
    return f"{settings.base_url}/activities/{secrets.token_urlsafe(12)}"
