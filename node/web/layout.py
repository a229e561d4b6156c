"""The data of the page layout: the council, the signed-in user and the menu."""

from dataclasses import dataclass

from node.web.theme import DEFAULT_COLOUR


@dataclass(frozen=True)
class MenuItem:
    """An item of the service navigation. `is_current`: the page is in this section."""

    text: str
    href: str
    is_current: bool = False


@dataclass(frozen=True)
class LayoutContext:
    """The data that `layout.html` shows around a page.

    `address` is the council's federation address (`@council@host`), `host` the node's; both are
    empty until the node is set up. `person` is the name of the signed-in user, None for visitors.
    `colour` is the council's, `#rrggbb`. `unread` is the number of unread notifications, counted up
    to 100.
    """

    council_name: str = "Moothall"
    address: str = ""
    host: str = ""
    colour: str = DEFAULT_COLOUR
    menu: tuple[MenuItem, ...] = ()
    person: str | None = None
    profile_url: str = ""
    notifications_url: str = ""
    unread: int = 0
    sign_in_url: str = ""
    sign_out_url: str = ""
