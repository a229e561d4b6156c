"""JSON Schemas of the API's objects, for the OpenAPI document. Those of project details are derived
from the dataclasses.
"""

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from node.access.visibility import Visibility
from node.projects.details import Details, Freshness, max_length
from node.projects.models import Phase, ProjectState
from node.projects.validation import TEXT_LANGUAGES, TRANSLATED_FIELDS
from node.webhooks.events import SUBSCRIBABLE_EVENTS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
DATE: Schema = {"type": ["string", "null"], "format": "date"}
DATE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
URI: Schema = {"type": "string", "format": "uri"}


def schema_ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def enum_schema(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def object_schema(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def build_schemas() -> Schema:
    """All schemas by name."""
    in_list, update_texts = (
        _listed_project_schema(),
        dict.fromkeys(("changed", "next", "needs"), TEXT),
    )
    update = dict.fromkeys(("token", "language", "content"), TEXT) | update_texts
    update |= dict.fromkeys(("id", "url", "page", "project"), URI)
    update |= {"published": DATE_TIME, "edited": DATE_TIME, "version": {"type": "integer"}}
    full_project = in_list | {"brief": TEXT, "content": TEXT, "translations": {"type": "object"}}
    hook: Schema = {
        "id": {"type": "integer"},
        "url": URI,
        "events": {"type": "array", "items": enum_schema(SUBSCRIBABLE_EVENTS)},
        "tells_all": {"type": "boolean"},
        **dict.fromkeys(("created", "failing_since", "off"), DATE_TIME),
    }
    return {
        "Council": _council_schema(),
        "Details": _dataclass_schema(Details),
        "ProjectInList": object_schema(in_list),
        "Project": object_schema(full_project),
        "ProjectText": object_schema(_writable_project_schema(), additionalProperties=False),
        "Update": object_schema(update),
        "UpdateText": object_schema(update_texts, additionalProperties=False),
        "Output": _output_schema(),
        "Webhook": object_schema(hook),
        "NewWebhook": object_schema(hook | {"secret": TEXT}),
        "WebhookText": object_schema(
            {name: hook[name] for name in ("url", "events", "tells_all")},
            required=["url", "events"],
            additionalProperties=False,
        ),
        "Problem": _problem_schema(),
    }


def _writable_project_schema() -> Schema:
    """The fields of a project that clients can write."""
    translations = object_schema(
        {tag: object_schema(dict.fromkeys(TRANSLATED_FIELDS, TEXT)) for tag in TEXT_LANGUAGES}
    )
    return {
        "title": TEXT,
        "summary": TEXT,
        "phase": enum_schema(Phase),
        "brief": TEXT,
        "visibility": enum_schema(Visibility),
        "language": enum_schema(TEXT_LANGUAGES),
        "details": schema_ref("Details"),
        "translations": translations,
        "state": enum_schema(("draft", "published")),
    }


def _listed_project_schema() -> Schema:
    """The fields of a project in a list."""
    return {
        "token": TEXT,
        "id": URI,
        "url": URI,
        "page": URI,
        "title": TEXT,
        "summary": TEXT,
        "phase": TEXT,  # not an enum: other councils' servers may know phases that ours does not
        "language": TEXT,
        "visibility": enum_schema(Visibility),
        "state": enum_schema(ProjectState),
        "council": schema_ref("Council"),
        "published": DATE_TIME,
        "changed": DATE_TIME,
        "version": {"type": "integer"},
        "freshness": enum_schema(Freshness),
        "confirmed_on": DATE,
        "review_on": DATE,
        "content_licence": {"type": ["string", "null"], "format": "uri"},
        "details": schema_ref("Details"),
    }


def _council_schema() -> Schema:
    return object_schema(
        {
            "id": URI,
            "name": TEXT,
            "url": URI,
            "gss_code": {"type": ["string", "null"]},
            "is_ours": {"type": "boolean"},
        }
    )


def _problem_schema() -> Schema:
    """An error (problem details, RFC 9457)."""
    return object_schema(
        dict.fromkeys(("type", "title", "detail", "code"), TEXT)
        | {
            "status": {"type": "integer"},
            "fields": {"type": "object", "additionalProperties": TEXT},
        }
    )


def _output_schema() -> Schema:
    """An output, as `node.feeds.representations.describe_output` builds it."""
    names = ("title", "about", "licence", "url")
    adopter = object_schema({"name": TEXT, "id": TEXT, "since": {"type": ["string", "null"]}})
    adopters = {"type": "array", "items": adopter}
    project = {"project": URI, "project_title": TEXT, "council": schema_ref("Council")}
    return object_schema(dict.fromkeys(names, TEXT) | {"adopters": adopters} | project)


def _dataclass_schema(kind: Any) -> Schema:
    """The schema of a dataclass in `node.projects.details`."""
    hints = get_type_hints(kind)
    return object_schema(
        {item.name: _field_schema(hints[item.name], max_length(item)) for item in fields(kind)}
    )


def _field_schema(kind: Any, length: int) -> Schema:
    arguments = [argument for argument in get_args(kind) if argument is not type(None)]
    if Ellipsis in arguments:
        return {"type": "array", "items": _field_schema(arguments[0], length)}
    item_type = arguments[0] if arguments else kind
    if is_dataclass(item_type):
        return _dataclass_schema(item_type)
    if hasattr(item_type, "__members__"):
        return enum_schema(item_type)
    names = {bool: {"type": "boolean"}, int: {"type": "integer"}}
    if item_type in names:
        return names[item_type]
    if item_type is not str:
        return {"type": "string", "format": "date"}
    return {"type": "string", "maxLength": length} if length else URI
