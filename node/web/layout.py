"""What every page shows besides its own content: whose node it is, and who is signed in."""

from dataclasses import dataclass

from node.web.theme import DEFAULT_COLOUR


@dataclass(frozen=True)
class MenuItem:
    """An item of the service navigation. `is_current`: the page belongs to this part."""

    text: str
    href: str
    is_current: bool = False


@dataclass(frozen=True)
class LayoutContext:
    """The frame of a page, as `layout.html` shows it.

    `address` is the council's federation address (`@council@host`), `host` that of the node; both
    are empty until it is set up. `person` is the name of whoever is signed in, None for visitors.
    `colour` is the council's, `#rrggbb`. `unread` counts the notices that they have not read, up to
    100.
    """

    council_name: str = "Moothall"
    address: str = ""
    host: str = ""
    colour: str = DEFAULT_COLOUR
    menu: tuple[MenuItem, ...] = ()
    person: str | None = None
    profile_url: str = ""
    notices_url: str = ""
    unread: int = 0
    sign_in_url: str = ""
    sign_out_url: str = ""
