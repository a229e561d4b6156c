"""The search parameters as OpenAPI parameters, derived from `SearchParams`."""

from dataclasses import Field, fields
from typing import Any

from node.rest.schemas import TEXT, Schema, enum_schema
from node.search.search_params import ANY_VALUE, SORTS, SearchParams

FILTER_DESCRIPTIONS = {
    "q": 'Words to search for, as on the search page: "a phrase", -without, begin*.',
    "origin": "`ours`, `others` or `all`: projects of our council, of other councils, or all.",
    "council": "Only projects of the council with this id.",
    "region": "Only projects of councils in this region or country.",
    "phase": "Only projects in these phases.",
    "capability": "Only projects with this capability.",
    "area": "Only projects in this business area.",
    "lgsl": "Only projects about this service, by its number in the Local Government Service List.",
    "tag": "Only projects with this tag.",
    "technology": "Only projects with this technology.",
    "skill": "Only projects that need this skill.",
    "budget": "Only projects with these budgets.",
    "collaboration": "Only projects that are open to this kind of collaboration or more.",
    "freshness": "Only projects that are up to date, due for review, out of date and so on.",
    "show": "`archived`: list archived projects.",
    "facet": "Only projects with these values of plugins’ filters: `plugin.facet:value`.",
    "starts_from": "Starts on this day or later.",
    "starts_to": "Starts on this day or before.",
    "ends_from": "Ends on this day or later.",
    "ends_to": "Ends on this day or before.",
    "contract_from": "The contract ends on this day or later.",
    "contract_to": "The contract ends on this day or before.",
    "updated_from": "Last changed on this day or later.",
    "updated_to": "Last changed on this day or before.",
}


def build_parameter(
    name: str, location: str, description: str, schema: Schema, *, required: bool = False
) -> Schema:
    return {
        "name": name,
        "in": location,
        "description": description,
        "required": required,
        "schema": schema,
    }


def build_filter_parameters() -> list[Schema]:
    """All search parameters except the order, which not every list of the API supports."""
    return [
        build_parameter(item.name, "query", FILTER_DESCRIPTIONS[item.name], _parameter_schema(item))
        for item in fields(SearchParams)
        if item.name in FILTER_DESCRIPTIONS
    ]


def build_sort_parameter() -> Schema:
    description = (
        "The order: best match, last changed, title, ending next or contract ending next. It lists"
        " the first 1,000 projects only. Without it, all projects are listed, in the order in which"
        " this server received them."
    )
    return build_parameter("sort", "query", description, enum_schema(SORTS))


def _parameter_schema(item: "Field[Any]") -> Schema:
    kind, choices = item.metadata["kind"], item.metadata.get("choices", ())
    if item.name == "origin":
        return enum_schema((ANY_VALUE, *choices))
    by_kind: dict[str, Schema] = {
        "choice": enum_schema(choices),
        "choices": {"type": "array", "items": enum_schema(choices)},
        "facets": {"type": "array", "items": TEXT},
        "day": {"type": "string", "format": "date"},
        "number": TEXT if item.name == "council" else {"type": "integer"},
    }
    return by_kind.get(kind, TEXT)
