"""Builds the `LayoutContext` of each page: the council, the signed-in user and the menu."""

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_security import current_user

from node.access.permissions import DESK, MODERATE, OPERATE, has_permission
from node.councils import service as councils
from node.federating.identity import local_uris
from node.notifications import service as notifications
from node.request import current_node, current_work
from node.web.layout import LayoutContext, MenuItem

# Pages of the portfolio that have short addresses of their own.
PORTFOLIO_SECTIONS = frozenset({"numbers", "highlights", "evidence"})


def build_layout_context() -> LayoutContext:
    """The layout of a page for the current user. Empty until the node is set up."""
    council = councils.get_own(current_work().session)
    if council is None:
        return LayoutContext()
    is_signed_in = current_user.is_authenticated
    return LayoutContext(
        council_name=council.name,
        address=local_uris.handle(current_node().settings, council.actor),
        host=council.actor.host,
        colour=council.colour or councils.DEFAULT_COLOUR,
        menu=tuple(_menu_items()),
        person=current_user.name if is_signed_in else None,
        profile_url=url_for("officers.profile"),
        notifications_url=url_for("notifications.index"),
        unread=_count_unread() if is_signed_in else 0,
        sign_in_url=url_for("security.login"),
        sign_out_url=url_for("security.logout"),
    )


def _count_unread() -> int:
    """The number of the user's unread notifications."""
    return notifications.count_unread(current_node(), current_work().session, current_user)


def _menu_items() -> list[MenuItem]:
    items = [
        ("pages.home", _("Home"), ""),
        ("desk.show", _("Desk"), DESK),
        ("projects.index", _("Projects"), ""),
        ("portfolio.board", _("Portfolio"), ""),
        ("councils.index", _("Councils"), ""),
        ("search.catalogue", _("Reuse"), ""),
    ]
    items += [
        (item.endpoint, str(item.label), item.permission or "")
        for item in current_node().hooks.navigation
        if item.endpoint in current_app.view_functions
    ]
    current = _section_of(request.path)
    if has_permission(OPERATE):  # the operator's pages link to moderation
        items.append(("operating.home", _("Operator"), ""))
        current = _section_of(url_for("operating.home")) if current == "moderation" else current
    else:
        items.append(("moderation.index", _("Moderation"), MODERATE))
    allowed = [
        (url_for(endpoint), label)
        for endpoint, label, permission in items
        if not permission or has_permission(permission)
    ]
    return [MenuItem(label, href, _section_of(href) == current) for href, label in allowed]


def _section_of(path: str) -> str:
    """The menu section of a page: the first segment of its path, `projects` of `/projects/new`."""
    segment = path.split("/")[1]
    return "portfolio" if segment in PORTFOLIO_SECTIONS else segment
