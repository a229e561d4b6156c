"""What may be done, and which role may do it. Plugins add their own."""

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from flask_security import current_user

from node.hooks import Hooks
from node.hookspecs import Permission
from node.request import PUBLIC, current_node

OFFICER, MODERATOR, OPERATOR = "officer", "moderator", "operator"
ROLES = (OFFICER, MODERATOR, OPERATOR)
WRITERS = frozenset({OFFICER, OPERATOR})

CORE = (
    Permission("account.notices", _l("Follow, and be told what happens"), frozenset(ROLES)),
    Permission("account.profile", _l("Choose to be seen by name, or no longer"), frozenset(ROLES)),
    Permission("projects.edit", _l("Write, publish and delete projects"), WRITERS),
    Permission("councils.follow", _l("Follow other councils"), WRITERS),
    Permission(
        "moderation.decide",
        _l("Decide what others say here: reports, comments, blocks"),
        frozenset({MODERATOR, OPERATOR}),
    ),
    Permission(
        "node.operate",
        _l("Look after the node: peers, deliveries, refusals"),
        frozenset({OPERATOR}),
    ),
)


def all_permissions(hooks: Hooks) -> tuple[Permission, ...]:
    """The core's permissions and those of the plugins that are switched on."""
    return CORE + hooks.permissions


def allows(roles: Iterable[str], name: str, hooks: Hooks) -> bool:
    """Whether one of `roles` has the permission `name`."""
    held = set(roles)
    return any(item.name == name and item.roles & held for item in all_permissions(hooks))


def is_signed_in() -> bool:
    """Whether whoever makes this request works at our council."""
    return bool(current_user.is_authenticated)


def may(name: str) -> bool:
    """Whether whoever makes this request may do `name`."""
    if name == PUBLIC:
        return True
    return current_user.is_authenticated and allows(
        (role.name for role in current_user.roles), name, current_node().hooks
    )
