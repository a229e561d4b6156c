"""What the layout of every page shows around it: whose node it is, who is signed in, the menu."""

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_security import current_user

from node import operating
from node.councils import service as councils
from node.desk import views as desk_views
from node.federating import local_uris
from node.moderation import views as moderation_views
from node.notifications import service as notices
from node.people.permissions import has_permission
from node.request import current_node, current_work
from node.web.layout import LayoutContext, MenuItem

# Pages of the portfolio whose addresses are short, since people say them.
PORTFOLIO_PATHS = frozenset({"numbers", "highlights", "evidence"})


def build_layout_context() -> LayoutContext:
    """What the layout of every page shows."""
    council = councils.own(current_work().session)
    if council is None:
        return LayoutContext()
    signed_in = current_user.is_authenticated
    return LayoutContext(
        council_name=council.name,
        address=local_uris.handle(current_node().settings, council.actor),
        host=council.actor.host,
        colour=council.colour or councils.DEFAULT_COLOUR,
        menu=tuple(_menu_items()),
        person=current_user.name if signed_in else None,
        profile_url=url_for("officers.profile"),
        notices_url=url_for("notices.index"),
        unread=_count_unread() if signed_in else 0,
        sign_in_url=url_for("security.login"),
        sign_out_url=url_for("security.logout"),
    )


def _count_unread() -> int:
    """How many notices whoever is signed in has not read."""
    return notices.count_unread(current_node(), current_work().session, current_user)


def _menu_items() -> list[MenuItem]:
    items = [
        ("pages.home", _("Home"), ""),
        ("desk.show", _("Desk"), desk_views.SEE),
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
    operates, here = has_permission(operating.OPERATE), _first_segment(request.path)
    if operates:  # who finds moderation among the operator's pages
        items.append(("operating.home", _("Operator"), ""))
        here = _first_segment(url_for("operating.home")) if here == "moderation" else here
    else:
        items.append(("moderation.index", _("Moderation"), moderation_views.MODERATE))
    allowed = [
        (url_for(endpoint), label)
        for endpoint, label, needed in items
        if not needed or has_permission(needed)
    ]
    return [MenuItem(label, href, _first_segment(href) == here) for href, label in allowed]


def _first_segment(path: str) -> str:
    """The part of the node that a page belongs to: `projects` of `/projects/new`."""
    first = path.split("/")[1]
    return "portfolio" if first in PORTFOLIO_PATHS else first
