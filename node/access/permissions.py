"""Permissions and the roles that have them. Plugins add their own.

A view declares its permission with `node.request.permission`; `node.web.request_lifecycle` checks
it before the view runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from flask_babel import lazy_gettext as _l
from flask_security import current_user

from node.plugin_api.declarations import Permission
from node.plugin_api.hooks import Hooks
from node.request import PUBLIC, current_node

OFFICER, COORDINATOR, MODERATOR, OPERATOR = "officer", "coordinator", "moderator", "operator"
ROLES = (OFFICER, COORDINATOR, MODERATOR, OPERATOR)

NOTIFICATIONS, PROFILE = "account.notices", "account.profile"
SECURITY, SEARCHES = "account.security", "account.searches"
EDIT, COORDINATE = "projects.edit", "projects.coordinate"
DESK, FOLLOW = "desk.see", "councils.follow"
MODERATE, OPERATE = "moderation.decide", "node.operate"

# Who has each permission. Operators stand in where no one is a coordinator or moderator.
# fmt: off
_GRANTS = (
    # permission     officer coordinator moderator operator
    (NOTIFICATIONS,  "yes",  "yes",      "yes",    "yes"),
    (PROFILE,        "yes",  "yes",      "yes",    "yes"),
    (SECURITY,       "yes",  "yes",      "yes",    "yes"),
    (SEARCHES,       "yes",  "yes",      "yes",    "yes"),
    (EDIT,           "yes",  "yes",      "no",     "yes"),
    (DESK,           "yes",  "yes",      "yes",    "yes"),
    (COORDINATE,     "no",   "yes",      "no",     "yes"),
    (FOLLOW,         "yes",  "yes",      "no",     "yes"),
    (MODERATE,       "no",   "no",       "yes",    "yes"),
    (OPERATE,        "no",   "no",       "no",     "yes"),
)
# fmt: on
_LABELS = {
    NOTIFICATIONS: _l("Follow projects, councils and tags, and get notifications"),
    PROFILE: _l("Make your own profile public, or withdraw it"),
    SECURITY: _l("Change your own password and see where you are signed in"),
    SEARCHES: _l("Save searches and get notifications about new results"),
    EDIT: _l("Write, publish and delete projects"),
    DESK: _l("See things that need your attention"),
    COORDINATE: _l("Coordinate projects: see those without an owner, and assign owners"),
    FOLLOW: _l("Follow other councils"),
    MODERATE: _l("Moderate content from others: reports, comments and blocks"),
    OPERATE: _l("Run the server: connected servers, deliveries and refused messages"),
}
ROLES_WITH = {
    name: frozenset(role for role, grant in zip(ROLES, grants, strict=True) if grant == "yes")
    for name, *grants in _GRANTS
}
CORE_PERMISSIONS = tuple(
    Permission(name, _LABELS[name], roles) for name, roles in ROLES_WITH.items()
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


class ProjectRight(Enum):
    """What only some of those who may edit projects may do with one project."""

    take_on = "become its owner"
    transfer = "offer it to a new owner, or withdraw the offer"
    review = "publish it after review, or send it back"


@dataclass(frozen=True)
class ProjectStanding:
    """What a person has to do with one project of their own council. `has_owner`: someone with an
    active account owns it; `is_contributor`: they wrote part of it, or asked for its review.
    """

    has_owner: bool = False
    is_owner: bool = False
    is_asked_to_review: bool = False
    is_contributor: bool = False


def project_rights(roles: Iterable[str], standing: ProjectStanding) -> set[ProjectRight]:
    """The rights on one project of someone with these roles, who may edit projects.

    Coordinators have the rights of the owner and of the reviewer, but no one reviews their own
    work.
    """
    is_coordinator = not ROLES_WITH[COORDINATE].isdisjoint(roles)
    is_free = is_coordinator or not standing.has_owner
    is_reviewer = is_coordinator or standing.is_asked_to_review
    rights = {
        ProjectRight.take_on: is_free,
        ProjectRight.transfer: is_free or standing.is_owner,
        ProjectRight.review: is_reviewer and not standing.is_contributor,
    }
    return {right for right, is_granted in rights.items() if is_granted}
