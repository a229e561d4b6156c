"""The API in OpenAPI 3.1. A test compares the paths with those that are answered.

The document is English. What a page shows of it (summaries and scopes) can be translated.
"""

from node import __version__
from node.rest.asking import DEFAULT_LIMIT, MOST_LIMIT
from node.rest.filters import filters, order, parameter
from node.rest.models import Scope
from node.rest.schemas import MOMENT, TEXT, Schema, object_of, ref, schemas, words
from node.wording import Saying, say

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
            "schemas": schemas(),
            "responses": {
                f"problem{status}": {
                    "description": words,
                    "content": {PROBLEM: {"schema": ref("Problem")}},
                }
                for status, words in PROBLEMS.items()
            },
        },
    }


MOST: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_LIMIT,
    "default": DEFAULT_LIMIT,
}
TOKEN = parameter("token", "path", "What names it in addresses.", TEXT, required=True)
PAGE = [
    parameter("limit", "query", "How many at most.", MOST),
    parameter("after", "query", "Where to go on, as `next` says.", TEXT),
]
NARROW = filters()
ASKED = [
    *NARROW,
    order(),
    parameter("state", "query", "`draft` for drafts, with a token.", words(("draft",))),
    parameter("changed_since", "query", "Only what changed at or after.", MOMENT),
]
READ = ("400", "404", "429")
UNWRITTEN = ("400", "401", "403", "413", "415", "429")


def _paths() -> Schema:
    return _paths_of_projects() | _paths_of_parts() | _paths_of_webhooks()


def _paths_of_projects() -> Schema:
    match = parameter(
        "If-Match", "header", "The ETag of what was read; not `*`.", TEXT, required=True
    )
    write, body = Scope.write_projects, ref("ProjectText")
    return {
        "/": {"get": _operation("index", say("API addresses"), object_of({}), ("429",))},
        "/openapi.json": {
            "get": _operation("document", say("This API description"), object_of({}), ("429",)),
        },
        "/projects": {
            "get": _operation(
                "list_projects",
                say("Projects"),
                _page_of("projects", "ProjectInList"),
                (*READ, "401"),
                parameters=[*PAGE, *ASKED],
            ),
            "post": _operation(
                "create_project",
                say("Create a project, as a draft or published straight away"),
                ref("Project"),
                (*UNWRITTEN, "409"),
                status="201",
                body=body,
                scope=write,
            ),
        },
        "/projects/{token}": {
            "parameters": [TOKEN],
            "get": _operation(
                "read_project", say("One project"), ref("Project"), (*READ, "401", "410")
            ),
            "patch": _operation(
                "change_project",
                say("Change one of our projects (only the fields you send)"),
                ref("Project"),
                (*UNWRITTEN, "404", "409", "410", "412", "428"),
                parameters=[match],
                body=body,
                scope=write,
            ),
            "delete": _operation(
                "delete_project",
                say("Delete one of our projects"),
                None,
                ("401", "403", "404", "409", "410", "412", "428", "429"),
                parameters=[match],
                status="204",
                scope=write,
            ),
        },
    }


def _paths_of_parts() -> Schema:
    """Updates, councils, outputs."""
    return {
        "/projects/{token}/updates": {
            "parameters": [TOKEN],
            "get": _operation(
                "list_updates",
                say("Updates about a project, newest first"),
                _page_of("updates", "Update"),
                (*READ, "401", "410"),
                parameters=PAGE,
            ),
            "post": _operation(
                "create_update",
                say("Write an update about one of our projects"),
                ref("Update"),
                (*UNWRITTEN, "404", "409", "410"),
                status="201",
                body=ref("UpdateText"),
                scope=Scope.write_updates,
            ),
        },
        "/updates/{token}": {
            "parameters": [TOKEN],
            "get": _operation(
                "read_update", say("One update"), ref("Update"), (*READ, "401", "410")
            ),
        },
        "/councils": {
            "get": _operation(
                "list_councils",
                say("Our council and the councils it follows"),
                object_of({"councils": {"type": "array", "items": ref("Council")}}),
                ("401", "429"),
            ),
        },
        "/outputs": {
            "get": _operation(
                "list_outputs",
                say("Outputs that others can reuse. A page of results can be empty"),
                _page_of("outputs", "Output"),
                (*READ, "401"),
                parameters=[*PAGE, *NARROW],
            ),
        },
    }


def _paths_of_webhooks() -> Schema:
    scope = Scope.webhooks
    number = parameter("webhook_id", "path", "Its number.", {"type": "integer"}, required=True)
    hooks = object_of({"webhooks": {"type": "array", "items": ref("Webhook")}})
    mine = ("401", "403", "429")
    return {
        "/webhooks": {
            "get": _operation("list_webhooks", say("Your webhooks"), hooks, mine, scope=scope),
            "post": _operation(
                "create_webhook",
                say("Create a webhook. The secret is shown only once"),
                ref("NewWebhook"),
                (*UNWRITTEN, "409"),
                status="201",
                body=ref("WebhookText"),
                scope=scope,
            ),
        },
        "/webhooks/{webhook_id}": {
            "parameters": [number],
            "get": _operation(
                "read_webhook", say("One webhook"), ref("Webhook"), (*mine, "404"), scope=scope
            ),
            "delete": _operation(
                "delete_webhook",
                say("Remove a webhook"),
                None,
                (*mine, "404"),
                status="204",
                scope=scope,
            ),
        },
    }


def _operation(
    name: str,
    summary: Saying,
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
        operation["description"] = say("Needs the scope %(scope)s.", scope=scope.value)
        if body and schema is not None and scope is not Scope.webhooks:
            operation["description"] = say(
                "Needs the scope %(scope)s. The response only includes what you wrote "
                "if the token also has the scope read.",
                scope=scope.value,
            )
    done: Schema = {status: good}
    if body and schema is not None and status == "200":
        done["204"] = {"description": f"{summary}. The token has not the scope read."}
    refused = {each: {"$ref": f"#/components/responses/problem{each}"} for each in problems}
    return operation | {"responses": done | refused}


def _page_of(name: str, kind: str) -> Schema:
    items = {"type": "array", "items": ref(kind)}
    return object_of({name: items, "next": {"type": ["string", "null"], "format": "uri"}})
