"""Which feeds belong to the page that is shown, for its head: readers of feeds look there."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _

from node.search.search_params import parse


@dataclass(frozen=True)
class FeedLink:
    """A feed of this page."""

    href: str
    title: str
    type: str = "application/atom+xml"


def feed_links() -> list[FeedLink]:
    """The feeds of the page of this request; the list of all projects is everybody's."""
    endpoint, parts = request.endpoint or "", request.view_args or {}
    if endpoint == "projects.index":
        wanted, _error = parse(request.args.items(multi=True))
        query = f"?{wanted.query_string}" if wanted.query_string else ""
        json_feed = url_for("feeds.json_feed") + query
        return [
            FeedLink(url_for("feeds.atom") + query, _("Projects (Atom)")),
            FeedLink(json_feed, _("Projects (JSON Feed)"), "application/feed+json"),
            FeedLink(url_for("feeds.updates_of_all") + query, _("Updates (Atom)")),
        ]
    if endpoint in {"projects.show", "updates.index"} and "token" in parts:
        href = url_for("feeds.updates_of_project", token=parts["token"])
        return [FeedLink(href, _("Updates about this project (Atom)"))]
    if endpoint in {"pages.own_council", "pages.known_council"}:
        name = endpoint.replace("pages.", "feeds.")
        return [FeedLink(url_for(name, **parts), _("This council’s projects (Atom feed)"))]
    if endpoint == "pages.home":
        return [
            FeedLink(url_for("feeds.atom"), _("Projects (Atom)")),
            FeedLink(url_for("feeds.updates_of_all"), _("Updates (Atom)")),
        ]
    return []
