"""Permissions and the roles that have them. Plugins add their own.

A view declares its permission with `node.request.permission`; `node.web.request_lifecycle` checks
it before the view runs.
"""

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from flask_security import current_user

from node.plugin_api.declarations import Permission
from node.plugin_api.hooks import Hooks
from node.request import PUBLIC, current_node

OFFICER, COORDINATOR, MODERATOR, OPERATOR = "officer", "coordinator", "moderator", "operator"
ROLES = (OFFICER, COORDINATOR, MODERATOR, OPERATOR)
WRITER_ROLES = frozenset({OFFICER, COORDINATOR, OPERATOR})
# Operators stand in where no one is a coordinator.
COORDINATOR_ROLES = frozenset({COORDINATOR, OPERATOR})

CORE_PERMISSIONS = (
    Permission(
        "account.notices",
        _l("Follow projects, councils and tags, and get notifications"),
        frozenset(ROLES),
    ),
    Permission(
        "account.profile", _l("Make your own profile public, or withdraw it"), frozenset(ROLES)
    ),
    Permission(
        "account.security",
        _l("Change your own password and see where you are signed in"),
        frozenset(ROLES),
    ),
    Permission(
        "account.searches",
        _l("Save searches and get notifications about new results"),
        frozenset(ROLES),
    ),
    Permission("projects.edit", _l("Write, publish and delete projects"), WRITER_ROLES),
    Permission("desk.see", _l("See things that need your attention"), frozenset(ROLES)),
    Permission(
        "projects.coordinate",
        _l("Coordinate projects: see those without an owner, and assign owners"),
        COORDINATOR_ROLES,
    ),
    Permission("councils.follow", _l("Follow other councils"), WRITER_ROLES),
    Permission(
        "moderation.decide",
        _l("Moderate content from others: reports, comments and blocks"),
        frozenset({MODERATOR, OPERATOR}),
    ),
    Permission(
        "node.operate",
        _l("Run the server: connected servers, deliveries and refused messages"),
        frozenset({OPERATOR}),
    ),
)


def all_permissions(hooks: Hooks) -> tuple[Permission, ...]:
    """The core's permissions and those of the enabled plugins."""
    return CORE_PERMISSIONS + hooks.permissions


def is_allowed(roles: Iterable[str], name: str, hooks: Hooks) -> bool:
    """Whether one of `roles` has the permission `name`."""
    return name in permissions_of(roles, hooks)


def permissions_of(roles: Iterable[str], hooks: Hooks) -> set[str]:
    """The names of all permissions that one of `roles` has."""
    role_names = set(roles)
    return {
        permission.name for permission in all_permissions(hooks) if permission.roles & role_names
    }


def is_signed_in() -> bool:
    """Whether the current user is signed in."""
    return bool(current_user.is_authenticated)


def current_roles() -> list[str]:
    """The names of the current user's roles; empty for visitors."""
    return [role.name for role in current_user.roles] if is_signed_in() else []


def has_permission(name: str) -> bool:
    """Whether the current user has the permission `name`."""
    return name == PUBLIC or is_allowed(current_roles(), name, current_node().hooks)
