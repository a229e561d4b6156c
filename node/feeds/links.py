"""Feed links for the head of a page, where feed readers discover them."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from node.search.search_params import parse


@dataclass(frozen=True)
class FeedLink:
    """A feed that corresponds to the page."""

    href: str
    title: str
    type: str = "application/atom+xml"


def render_links() -> Markup:
    """The feeds for the page of the current request, as links for its head."""
    line = Markup('<link rel="alternate" type="{}" title="{}" href="{}">\n  ')
    return Markup().join(line.format(feed.type, feed.title, feed.href) for feed in _list_feeds())


def _list_feeds() -> list[FeedLink]:
    """The feeds for the page of the current request; none if it has no feed."""
    endpoint, view_args = request.endpoint or "", request.view_args or {}
    if endpoint == "projects.index":
        params, _error = parse(request.args.items(multi=True))
        query = f"?{params.query_string}" if params.query_string else ""
        json_feed = url_for("feeds.json_feed") + query
        return [
            FeedLink(url_for("feeds.atom") + query, _("Projects (Atom)")),
            FeedLink(json_feed, _("Projects (JSON Feed)"), "application/feed+json"),
            FeedLink(url_for("feeds.updates_of_all") + query, _("Updates (Atom)")),
        ]
    if endpoint in {"projects.show", "updates.index"} and "token" in view_args:
        href = url_for("feeds.updates_of_project", token=view_args["token"])
        return [FeedLink(href, _("Updates about this project (Atom)"))]
    if endpoint in {"pages.own_council", "pages.known_council"}:
        name = endpoint.replace("pages.", "feeds.")
        return [FeedLink(url_for(name, **view_args), _("This council’s projects (Atom feed)"))]
    if endpoint == "pages.home":
        return [
            FeedLink(url_for("feeds.atom"), _("Projects (Atom)")),
            FeedLink(url_for("feeds.updates_of_all"), _("Updates (Atom)")),
        ]
    return []
