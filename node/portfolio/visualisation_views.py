"""Portfolio pages about councils: map, network and statistics."""

from dataclasses import replace

from flask import render_template
from flask.typing import ResponseReturnValue

from node.councils import places as regions
from node.councils import service as councils
from node.federating.views.current_viewer import current_viewer
from node.portfolio import board, council_map, network, output_adoptions, statistics
from node.portfolio.blueprint import blueprint
from node.portfolio.page_params import parse_params, today
from node.portfolio.scope import PortfolioScope
from node.request import PUBLIC, current_work, permission

MAX_FOLLOWERS = 100


@blueprint.get("/portfolio/map")
@permission(PUBLIC)
def show_map() -> ResponseReturnValue:
    """Map of the councils and their numbers of projects."""
    params = parse_params()
    places = council_map.build_places(current_work().session, params.scope)
    return render_template(
        "portfolio/map.html",
        params=params,
        places=places,
        chart=council_map,
        regions=list(council_map.summarise_regions(places)),
        labels=regions.REGION_LABELS,
    )


@blueprint.get("/portfolio/network")
@permission(PUBLIC)
def show_network() -> ResponseReturnValue:
    """The network of councils that work together."""
    ties = network.list_ties(current_work().session, PortfolioScope(current_viewer()))
    return render_template(
        "portfolio/network.html",
        ties=ties[: network.MAX_TIES],
        more=max(0, len(ties) - network.MAX_TIES),
        drawing=network.draw(ties),
        width=network.WIDTH,
        line_height=network.LINE_HEIGHT,
    )


@blueprint.get("/numbers")
@permission(PUBLIC)
def show_numbers() -> ResponseReturnValue:
    """Statistics of the portfolio."""
    params, session = parse_params(), current_work().session
    scope = replace(params.scope, search_params=replace(params.search_params, phase=()))
    own = councils.require_own(session)
    adoptions = output_adoptions.list_adoptions(session, scope)
    return render_template(
        "portfolio/numbers.html",
        params=params,
        own=own,
        phases=board.count_by_phase(session, scope),
        by_council=statistics.count_by_council(session, scope),
        freshness=statistics.count_by_freshness(session, scope),
        months=statistics.count_updates_by_month(session, scope, today()),
        adoptions=adoptions,
        adopters=len({item.adopter.uri or item.adopter.name.casefold() for item in adoptions}),
        followers=statistics.count_followers(session, own, MAX_FOLLOWERS),
    )
