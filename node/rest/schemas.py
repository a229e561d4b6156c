"""The things of the API as JSON Schema, for its description. The fields of a project are read off
the code.
"""

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from node.projects.details import Details, Freshness, longest
from node.projects.models import Phase, State, Visibility
from node.projects.writing import LANGUAGES, TRANSLATED
from node.webhooks.events import CHOICES

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
DAY: Schema = {"type": ["string", "null"], "format": "date"}
MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
ADDRESS: Schema = {"type": "string", "format": "uri"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def words(words: Any) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def object_of(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def schemas() -> Schema:
    """All of them, by name."""
    listed, written = _listed(), dict.fromkeys(("changed", "next", "needs"), TEXT)
    update = dict.fromkeys(("token", "language", "content"), TEXT) | written
    update |= dict.fromkeys(("id", "url", "page", "project"), ADDRESS)
    update |= {"published": MOMENT, "edited": MOMENT, "version": {"type": "integer"}}
    whole = listed | {"brief": TEXT, "content": TEXT, "translations": {"type": "object"}}
    hook: Schema = {
        "id": {"type": "integer"},
        "url": ADDRESS,
        "events": {"type": "array", "items": words(CHOICES)},
        "tells_all": {"type": "boolean"},
        **dict.fromkeys(("created", "failing_since", "off"), MOMENT),
    }
    return {
        "Council": _council(),
        "Details": _schema_of(Details),
        "ProjectInList": object_of(listed),
        "Project": object_of(whole),
        "ProjectText": object_of(_text(), additionalProperties=False),
        "Update": object_of(update),
        "UpdateText": object_of(written, additionalProperties=False),
        "Output": _output(),
        "Webhook": object_of(hook),
        "NewWebhook": object_of(hook | {"secret": TEXT}),
        "WebhookText": object_of(
            {name: hook[name] for name in ("url", "events", "tells_all")},
            required=["url", "events"],
            additionalProperties=False,
        ),
        "Problem": _problem(),
    }


def _text() -> Schema:
    """What is sent of a project."""
    translations = object_of({tag: object_of(dict.fromkeys(TRANSLATED, TEXT)) for tag in LANGUAGES})
    return {
        "title": TEXT,
        "summary": TEXT,
        "phase": words(Phase),
        "brief": TEXT,
        "visibility": words(Visibility),
        "language": words(LANGUAGES),
        "details": ref("Details"),
        "translations": translations,
        "state": words(("draft", "published")),
    }


def _listed() -> Schema:
    """What a list says of a project."""
    return {
        "token": TEXT,
        "id": ADDRESS,
        "url": ADDRESS,
        "page": ADDRESS,
        "title": TEXT,
        "summary": TEXT,
        "phase": TEXT,  # of another council, also one that only a later version knows
        "language": TEXT,
        "visibility": words(Visibility),
        "state": words(State),
        "council": ref("Council"),
        "published": MOMENT,
        "changed": MOMENT,
        "version": {"type": "integer"},
        "freshness": words(Freshness),
        "confirmed_on": DAY,
        "review_on": DAY,
        "content_licence": {"type": ["string", "null"], "format": "uri"},
        "details": ref("Details"),
    }


def _council() -> Schema:
    return object_of(
        {
            "id": ADDRESS,
            "name": TEXT,
            "url": ADDRESS,
            "gss_code": {"type": ["string", "null"]},
            "is_ours": {"type": "boolean"},
        }
    )


def _problem() -> Schema:
    """RFC 9457."""
    return object_of(
        dict.fromkeys(("type", "title", "detail", "code"), TEXT)
        | {
            "status": {"type": "integer"},
            "fields": {"type": "object", "additionalProperties": TEXT},
        }
    )


def _output() -> Schema:
    """What `describing.output` gives of an output."""
    names = ("title", "about", "licence", "url")
    adopter = object_of({"name": TEXT, "id": TEXT, "since": {"type": ["string", "null"]}})
    adopters = {"type": "array", "items": adopter}
    project = {"project": ADDRESS, "project_title": TEXT, "council": ref("Council")}
    return object_of(dict.fromkeys(names, TEXT) | {"adopters": adopters} | project)


def _schema_of(kind: Any) -> Schema:
    """A dataclass of `node.projects.details`, as JSON holds it."""
    hints = get_type_hints(kind)
    return object_of({item.name: _field(hints[item.name], longest(item)) for item in fields(kind)})


def _field(kind: Any, most: int) -> Schema:
    arguments = [each for each in get_args(kind) if each is not type(None)]
    if Ellipsis in arguments:
        return {"type": "array", "items": _field(arguments[0], most)}
    chosen = arguments[0] if arguments else kind
    if is_dataclass(chosen):
        return _schema_of(chosen)
    if hasattr(chosen, "__members__"):
        return words(chosen)
    names = {bool: {"type": "boolean"}, int: {"type": "integer"}}
    if chosen in names:
        return names[chosen]
    if chosen is not str:
        return {"type": "string", "format": "date"}
    return {"type": "string", "maxLength": most} if most else ADDRESS
