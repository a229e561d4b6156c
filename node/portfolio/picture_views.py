"""The pages of the portfolio that are about councils: map, network and numbers."""

from dataclasses import replace

from flask import render_template
from flask.typing import ResponseReturnValue

from node.councils import places as regions
from node.councils import service as councils
from node.federating.views.asking import current_reader
from node.portfolio import board, chart, gifts, network, numbers
from node.portfolio.asking import asked, today
from node.portfolio.blueprint import blueprint
from node.portfolio.scope import Scope
from node.request import PUBLIC, current_work, permission

MOST_FOLLOWERS = 100


@blueprint.get("/portfolio/map")
@permission(PUBLIC)
def show_map() -> ResponseReturnValue:
    """Where the councils are."""
    chosen = asked()
    places = chart.places(current_work().session, chosen.scope)
    return render_template(
        "portfolio/map.html",
        asked=chosen,
        places=places,
        chart=chart,
        regions=list(chart.regions(places)),
        labels=regions.LABELS,
    )


@blueprint.get("/portfolio/network")
@permission(PUBLIC)
def show_network() -> ResponseReturnValue:
    """Who works with whom."""
    found = network.ties(current_work().session, Scope(current_reader()))
    return render_template(
        "portfolio/network.html",
        ties=found[: network.MOST_TIES],
        more=max(0, len(found) - network.MOST_TIES),
        drawing=network.drawn(found),
        width=network.WIDTH,
        line_height=network.LINE,
    )


@blueprint.get("/numbers")
@permission(PUBLIC)
def show_numbers() -> ResponseReturnValue:
    """The portfolio in numbers."""
    chosen, session = asked(), current_work().session
    scope = replace(chosen.scope, wanted=replace(chosen.wanted, phase=()))
    own = councils.require_own(session)
    adoptions = gifts.adoptions(session, scope)
    return render_template(
        "portfolio/numbers.html",
        asked=chosen,
        own=own,
        phases=board.counts(session, scope),
        by_council=numbers.by_council(session, scope),
        freshness=numbers.by_freshness(session, scope),
        months=numbers.updates_by_month(session, scope, today()),
        adoptions=adoptions,
        adopters=len({each.adopter.uri or each.adopter.name.casefold() for each in adoptions}),
        followers=numbers.followers(session, own, MOST_FOLLOWERS),
    )
