"""Checks that a plugin's routes do not conflict with existing ones.

Rules are compared by matching sample paths: `/<path:rest>` equals no other rule, but matches every
path.
"""

import re
from collections.abc import Iterable, Sequence

from flask import Blueprint, Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

ANY_CONVERTER = re.compile(r"<any\((\w+)[^>]*>")
RULE_VARIABLE = re.compile(r"<[^>]*>")
# A value that every converter of Werkzeug except `uuid` accepts.
SAMPLE_VALUE = "1"
SAMPLE_UUID = "00000000-0000-0000-0000-000000000000"


def build_probe_app(plugin: str, blueprints: Iterable[Blueprint]) -> Flask:
    """A temporary application with these blueprints, since they cannot be removed again from the
    application that serves requests.
    """
    app = Flask(plugin, static_folder=None)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app


def check_blueprints(plugin: str, blueprints: Sequence[Blueprint], taken: Sequence[Map]) -> Map:
    """Validate a plugin's blueprints against the routes in `taken`. Returns the routes.

    Raises `ValueError` if a blueprint is not named after the plugin, a view declares no permission,
    or a rule begins with a variable or conflicts with a taken one.
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
    for routes in taken:
        shadowed = (rule for rule in app.url_map.iter_rules() if _find_matching_rule(routes, rule))
        shadowing = (_find_matching_rule(app.url_map, rule) for rule in routes.iter_rules())
        for rule in filter(None, (*shadowed, *shadowing)):
            raise ValueError(f"a page at {rule.rule}, which is taken")
    return app.url_map


def _find_matching_rule(routes: Map, rule: Rule) -> Rule | None:
    """The rule in `routes` that matches a path of `rule`, with whatever method."""
    sample = RULE_VARIABLE.sub(
        lambda part: SAMPLE_UUID if part[0].startswith("<uuid") else SAMPLE_VALUE,
        ANY_CONVERTER.sub(r"\1", rule.rule),
    )
    try:
        return routes.bind("localhost").match(sample, method="GET", return_rule=True)[0]
    except (MethodNotAllowed, RequestRedirect):
        return rule
    except NotFound:
        return None
