"""The API in OpenAPI 3.1. The fields of a project are read off the code; a test compares the paths
with those that are answered.
"""

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from node import __version__
from node.projects.details import Details, longest
from node.projects.models import Phase, State, Visibility
from node.projects.writing import LANGUAGES, TRANSLATED
from node.rest.asking import DEFAULT_LIMIT, MOST_LIMIT
from node.rest.models import Scope

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
ADDRESS: Schema = {"type": "string", "format": "uri"}
PROBLEM = "application/problem+json"
PROBLEMS = {
    "400": "What was sent cannot be used; `fields` says which part and why.",
    "401": "No token, or one that is no good.",
    "403": "The token, or whoever made it, may not do this.",
    "404": "There is no such thing, or it may not be seen.",
    "409": "It is in no state for that.",
    "410": "It was deleted.",
    "412": "Somebody changed it since it was read.",
    "413": "Too much was sent.",
    "415": "The body is not JSON.",
    "428": "If-Match is missing.",
    "429": "Too many requests: wait as long as Retry-After says.",
}


def document(base: str) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Moothall",
            "version": __version__,
            "summary": "Digital projects of councils",
            "description": "What everybody may see is read without a token. What is written needs"
            " one, made by somebody who works at the council. Pages are followed by `next`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{base}/api/v1"}],
        "security": [{}, {"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + ", ".join(scope.value for scope in Scope),
                }
            },
            "schemas": _schemas(),
            "responses": {
                f"problem{status}": {
                    "description": words,
                    "content": {PROBLEM: {"schema": _ref("Problem")}},
                }
                for status, words in PROBLEMS.items()
            },
        },
    }


def _paths() -> Schema:
    token = _parameter("token", "path", "What names it in addresses.", TEXT, required=True)
    match = _parameter("If-Match", "header", "The ETag of what was read.", TEXT, required=True)
    most = {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT}
    limit = _parameter("limit", "query", "How many at most.", most)
    after = _parameter("after", "query", "Where to go on, as `next` says.", TEXT)
    narrow = [
        _parameter("phase", "query", "Only of this phase.", _words(Phase)),
        _parameter("council", "query", "Only of the council with this id.", ADDRESS),
        _parameter("origin", "query", "Ours, others’ or all.", _words(("all", "ours", "others"))),
    ]
    asked = [
        *narrow,
        _parameter("state", "query", "`draft` for drafts, with a token.", _words(("draft",))),
        _parameter("changed_since", "query", "Only what changed at or after.", MOMENT),
    ]
    page, write, read = [limit, after], Scope.write_projects, ("400", "404", "429")
    body, update = _ref("ProjectText"), _ref("UpdateText")
    unwritten = ("400", "401", "403", "413", "415", "429")
    return {
        "/": {"get": _operation("index", "Where things are", _object({}), ("429",))},
        "/openapi.json": {
            "get": _operation("document", "This document", _object({}), ("429",)),
        },
        "/projects": {
            "get": _operation(
                "list_projects",
                "Projects",
                _page_of("projects", "ProjectInList"),
                (*read, "401"),
                parameters=[*page, *asked],
            ),
            "post": _operation(
                "create_project",
                "Write a project: a draft, or published at once",
                _ref("Project"),
                (*unwritten, "409"),
                status="201",
                body=body,
                scope=write,
            ),
        },
        "/projects/{token}": {
            "parameters": [token],
            "get": _operation(
                "read_project", "One project", _ref("Project"), (*read, "401", "410")
            ),
            "patch": _operation(
                "change_project",
                "Change what is sent of a project of ours",
                _ref("Project"),
                (*unwritten, "404", "409", "410", "412", "428"),
                parameters=[match],
                body=body,
                scope=write,
            ),
            "delete": _operation(
                "delete_project",
                "Delete a project of ours",
                None,
                ("401", "403", "404", "409", "410", "412", "428", "429"),
                parameters=[match],
                status="204",
                scope=write,
            ),
        },
        "/projects/{token}/updates": {
            "parameters": [token],
            "get": _operation(
                "list_updates",
                "The updates of a project, newest first",
                _page_of("updates", "Update"),
                (*read, "401", "410"),
                parameters=page,
            ),
            "post": _operation(
                "create_update",
                "Tell what is new in a project of ours",
                _ref("Update"),
                (*unwritten, "404", "409", "410"),
                status="201",
                body=update,
                scope=Scope.write_updates,
            ),
        },
        "/updates/{token}": {
            "parameters": [token],
            "get": _operation("read_update", "One update", _ref("Update"), (*read, "401", "410")),
        },
        "/councils": {
            "get": _operation(
                "list_councils",
                "Our council and those it follows",
                _object({"councils": {"type": "array", "items": _ref("Council")}}),
                ("401", "429"),
            ),
        },
        "/outputs": {
            "get": _operation(
                "list_outputs",
                "What everybody gets back; a page may hold none",
                _page_of("outputs", "Output"),
                (*read, "401"),
                parameters=[*page, *narrow],
            ),
        },
    }


def _operation(
    name: str,
    summary: str,
    schema: Schema | None,
    problems: tuple[str, ...],
    *,
    parameters: list[Schema] | None = None,
    status: str = "200",
    body: Schema | None = None,
    scope: Scope | None = None,
) -> Schema:
    good: Schema = {"description": summary}
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
        good["headers"] = {"ETag": {"schema": TEXT, "description": "Names this version."}}
    operation: Schema = {"operationId": name, "summary": summary}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    if scope:
        operation["security"] = [{"token": []}]
        operation["description"] = f"Needs the scope `{scope.value}`."
    refused = {each: {"$ref": f"#/components/responses/problem{each}"} for each in problems}
    return operation | {"responses": {status: good, **refused}}


def _parameter(
    name: str, where: str, words: str, schema: Schema, *, required: bool = False
) -> Schema:
    return {
        "name": name,
        "in": where,
        "description": words,
        "required": required,
        "schema": schema,
    }


def _page_of(name: str, kind: str) -> Schema:
    items = {"type": "array", "items": _ref(kind)}
    return _object({name: items, "next": {"type": ["string", "null"], "format": "uri"}})


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _words(words: Any) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def _schemas() -> Schema:
    translations = _object({tag: _object(dict.fromkeys(TRANSLATED, TEXT)) for tag in LANGUAGES})
    text = {
        "title": TEXT,
        "summary": TEXT,
        "phase": _words(Phase),
        "brief": TEXT,
        "visibility": _words(Visibility),
        "language": _words(LANGUAGES),
        "details": _ref("Details"),
        "translations": translations,
        "state": _words(("draft", "published")),
    }
    council = _object(
        {
            "id": ADDRESS,
            "name": TEXT,
            "url": ADDRESS,
            "gss_code": {"type": ["string", "null"]},
            "is_ours": {"type": "boolean"},
        }
    )
    listed = {
        "token": TEXT,
        "id": ADDRESS,
        "url": ADDRESS,
        "page": ADDRESS,
        "title": TEXT,
        "summary": TEXT,
        "phase": _words(Phase),
        "language": TEXT,
        "visibility": _words(Visibility),
        "state": _words(State),
        "council": _ref("Council"),
        "published": MOMENT,
        "changed": MOMENT,
        "version": {"type": "integer"},
        "details": _ref("Details"),
    }
    written = dict.fromkeys(("changed", "next", "needs"), TEXT)
    update = dict.fromkeys(("token", "language", "content"), TEXT) | written
    update |= dict.fromkeys(("id", "url", "page", "project"), ADDRESS)
    update |= {"published": MOMENT, "edited": MOMENT, "version": {"type": "integer"}}
    output = _output()
    output["properties"] |= {"project": ADDRESS, "project_title": TEXT, "council": _ref("Council")}
    return {
        "Council": council,
        "Details": _schema_of(Details),
        "ProjectInList": _object(listed),
        "Project": _object(
            listed | {"brief": TEXT, "content": TEXT, "translations": {"type": "object"}}
        ),
        "ProjectText": _object(text, additionalProperties=False),
        "Update": _object(update),
        "UpdateText": _object(written, additionalProperties=False),
        "Output": output,
        "Problem": _object(
            {
                "type": TEXT,
                "title": TEXT,
                "status": {"type": "integer"},
                "detail": TEXT,
                "code": TEXT,
                "fields": {"type": "object", "additionalProperties": TEXT},
            }
        ),
    }


def _output() -> Schema:
    """What `describing.output` gives of an output."""
    names = ("title", "about", "licence", "url")
    adopter = _object({"name": TEXT, "id": TEXT, "since": {"type": ["string", "null"]}})
    adopters = {"type": "array", "items": adopter}
    return _object(dict.fromkeys(names, TEXT) | {"adopters": adopters})


def _schema_of(kind: Any) -> Schema:
    """A dataclass of `node.projects.details`, as JSON holds it."""
    hints = get_type_hints(kind)
    return _object({item.name: _field(hints[item.name], longest(item)) for item in fields(kind)})


def _field(kind: Any, most: int) -> Schema:
    arguments = [each for each in get_args(kind) if each is not type(None)]
    if Ellipsis in arguments:
        return {"type": "array", "items": _field(arguments[0], most)}
    chosen = arguments[0] if arguments else kind
    if is_dataclass(chosen):
        return _schema_of(chosen)
    if hasattr(chosen, "__members__"):
        return _words(chosen)
    names = {bool: {"type": "boolean"}, int: {"type": "integer"}}
    if chosen in names:
        return names[chosen]
    if chosen is not str:
        return {"type": "string", "format": "date"}
    return {"type": "string", "maxLength": most} if most else ADDRESS
