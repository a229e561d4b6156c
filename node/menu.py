"""What the layout of every page shows around it: whose node it is, who is signed in, the menu."""

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_security import current_user

from node import operating
from node.councils import service as councils
from node.desk import views as desk_views
from node.federating import addresses
from node.moderation import views as moderation_views
from node.notices import service as notices
from node.people.permissions import may
from node.request import current_node, current_work
from node.web.site import MenuItem, Site

# Pages of the portfolio whose addresses are short, since people say them.
OF_PORTFOLIO = frozenset({"numbers", "highlights", "evidence"})


def site() -> Site:
    """What the layout of every page shows."""
    council = councils.own(current_work().session)
    if council is None:
        return Site()
    signed_in = current_user.is_authenticated
    return Site(
        council_name=council.name,
        address=addresses.handle(current_node().settings, council.actor),
        host=council.actor.host,
        colour=council.colour or councils.DEFAULT_COLOUR,
        menu=tuple(_menu()),
        person=current_user.name if signed_in else None,
        profile_url=url_for("officers.profile"),
        notices_url=url_for("notices.index"),
        unread=_unread() if signed_in else 0,
        sign_in_url=url_for("security.login"),
        sign_out_url=url_for("security.logout"),
    )


def _unread() -> int:
    """How many notices whoever is signed in has not read."""
    return notices.count_unread(current_node(), current_work().session, current_user)


def _menu() -> list[MenuItem]:
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
    operates, here = may(operating.OPERATE), _part(request.path)
    if operates:  # who finds moderation among the operator's pages
        items.append(("operating.home", _("Operator"), ""))
        here = _part(url_for("operating.home")) if here == "moderation" else here
    else:
        items.append(("moderation.index", _("Moderation"), moderation_views.MODERATE))
    allowed = [
        (url_for(endpoint), label) for endpoint, label, needed in items if not needed or may(needed)
    ]
    return [MenuItem(label, href, _part(href) == here) for href, label in allowed]


def _part(path: str) -> str:
    """The part of the node that a page belongs to: `projects` of `/projects/new`."""
    first = path.split("/")[1]
    return "portfolio" if first in OF_PORTFOLIO else first
