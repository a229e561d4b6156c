"""Whether the pages of a plugin fit beside those that are there already.

That is found by matching addresses: `/<path:rest>` is no other page's text, and answers for all.
"""

import re
from collections.abc import Iterable, Sequence

from flask import Blueprint, Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

ANY_CONVERTER = re.compile(r"<any\((\w+)[^>]*>")
VARIABLE = re.compile(r"<[^>]*>")
# A value that every converter of Werkzeug but `uuid` takes.
SAMPLE_VALUE = "1"
SAMPLE_UUID = "00000000-0000-0000-0000-000000000000"


def build_probe_app(plugin: str, blueprints: Iterable[Blueprint]) -> Flask:
    """An application with these pages that is thrown away: what does not fit cannot be taken off
    the one that serves.
    """
    app = Flask(plugin, static_folder=None)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app


def check_blueprints(plugin: str, blueprints: Sequence[Blueprint], taken: Sequence[Map]) -> Map:
    """The addresses of these pages. `taken` are those that are there already.

    Raises `ValueError` for pages that are not named after their plugin, that do not say who may
    see them, or whose addresses begin with a variable or are somebody else's.
    """
    for blueprint in blueprints:
        if not f"{blueprint.name}_".startswith(f"{plugin}_"):
            raise ValueError(f"a blueprint named {blueprint.name}")
    app = build_probe_app(plugin, blueprints)
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.endswith(".static") and not hasattr(
            app.view_functions[rule.endpoint], "permission"
        ):
            raise ValueError(f"the view {rule.endpoint} has no permission")
        if rule.rule.startswith("/<"):
            raise ValueError(f"a page at {rule.rule}, which would answer for everybody's pages")
    for others in taken:
        ours = (rule for rule in app.url_map.iter_rules() if _find_matching_rule(others, rule))
        theirs = (_find_matching_rule(app.url_map, rule) for rule in others.iter_rules())
        for rule in filter(None, (*ours, *theirs)):
            raise ValueError(f"a page at {rule.rule}, which is taken")
    return app.url_map


def _find_matching_rule(addresses: Map, rule: Rule) -> Rule | None:
    """What of `addresses` answers for an address of `rule`, whatever is asked of it."""
    sample = VARIABLE.sub(
        lambda part: SAMPLE_UUID if part[0].startswith("<uuid") else SAMPLE_VALUE,
        ANY_CONVERTER.sub(r"\1", rule.rule),
    )
    try:
        return addresses.bind("localhost").match(sample, method="GET", return_rule=True)[0]
    except (MethodNotAllowed, RequestRedirect):
        return rule
    except NotFound:
        return None
