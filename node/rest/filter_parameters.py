"""The search parameters as OpenAPI parameters, derived from `SearchParams`."""

from dataclasses import Field, fields
from typing import Any

from node.rest.schemas import TEXT, Schema, enum_of
from node.search.search_params import ALL_WORD, SORTS, SearchParams

FILTER_DESCRIPTIONS = {
    "q": 'Words, as the finder takes them: "a phrase", -without, begin*.',
    "origin": "Ours, others’ or all.",
    "council": "Only of the council with this id, or this number in addresses of the finder.",
    "region": "Only of councils in this region or country.",
    "phase": "Only of these phases.",
    "capability": "Only with this capability.",
    "area": "Only of this business area.",
    "lgsl": "Only about this service of the Local Government Service List.",
    "tag": "Only with this tag.",
    "technology": "Only with this technology.",
    "skill": "Only where this skill is wanted.",
    "budget": "Only with these budgets.",
    "collaboration": "Only open to this, or to more.",
    "freshness": "Only so far up to date.",
    "show": "`archived` for what is in the archive.",
    "facet": "Only with these values of the filters of plugins: `plugin.facet:value`.",
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


def build_filters() -> list[Schema]:
    """All search parameters except the order, which not every list of the API supports."""
    return [
        build_parameter(item.name, "query", FILTER_DESCRIPTIONS[item.name], _field_schema(item))
        for item in fields(SearchParams)
        if item.name in FILTER_DESCRIPTIONS
    ]


def build_sort() -> Schema:
    description = (
        "The order: best match, last changed, title, ending next or contract ending next. No more"
        " than the first 1,000 are read in it; without it, all of them in the order in which they"
        " came here."
    )
    return build_parameter("sort", "query", description, enum_of(SORTS))


def _field_schema(item: "Field[Any]") -> Schema:
    kind, choices = item.metadata["kind"], item.metadata.get("choices", ())
    if item.name == "origin":
        return enum_of((ALL_WORD, *choices))
    by_kind: dict[str, Schema] = {
        "choice": enum_of(choices),
        "choices": {"type": "array", "items": enum_of(choices)},
        "facets": {"type": "array", "items": TEXT},
        "day": {"type": "string", "format": "date"},
        "number": TEXT if item.name == "council" else {"type": "integer"},
    }
    return by_kind.get(kind, TEXT)
