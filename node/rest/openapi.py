"""Builds the OpenAPI 3.1 document of the API. A test compares its paths with the endpoints.

The document is in English. The summaries and scopes that the API page shows can be translated.
"""

from node import __version__
from node.messages import Message, msg
from node.rest.auth_and_limits import DEFAULT_LIMIT, MAX_LIMIT
from node.rest.filter_parameters import (
    build_filter_parameters,
    build_parameter,
    build_sort_parameter,
)
from node.rest.models import TokenScope
from node.rest.schemas import (
    DATE_TIME,
    TEXT,
    Schema,
    build_schemas,
    enum_schema,
    object_schema,
    schema_ref,
)

PROBLEM_TYPE = "application/problem+json"
PROBLEM_DESCRIPTIONS = {
    "400": "The request is not valid. `fields` has the invalid fields and the reasons.",
    "401": "The token is missing, not valid, expired or revoked.",
    "403": "The token does not have the scope, or its owner does not have permission.",
    "404": "It does not exist, or this token cannot see it.",
    "409": "It cannot be changed in this way in its current state.",
    "410": "It has been deleted.",
    "412": "Someone else has changed it since you read it.",
    "413": "The request body is too large.",
    "415": "The request body is not JSON.",
    "428": "The If-Match header is missing.",
    "429": "Too many requests. Wait for the number of seconds in the Retry-After header.",
}


def build_document(base: str) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Moothall",
            "version": __version__,
            "summary": "Digital projects of councils",
            "description": "You can read everything that is public without a token. To see more, or"
            " to change anything, use a token that someone at the council created. Lists have"
            " several pages: `next` is the address of the next page.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{base}/api/v1"}],
        "security": [{}, {"token": []}],
        "paths": _build_paths(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + ", ".join(scope.value for scope in TokenScope),
                }
            },
            "schemas": build_schemas(),
            "responses": {
                f"problem{status}": {
                    "description": words,
                    "content": {PROBLEM_TYPE: {"schema": schema_ref("Problem")}},
                }
                for status, words in PROBLEM_DESCRIPTIONS.items()
            },
        },
    }


LIMIT_SCHEMA: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_LIMIT,
    "default": DEFAULT_LIMIT,
}
TOKEN_PARAMETER = build_parameter(
    "token", "path", "The identifier in its web address.", TEXT, required=True
)
PAGE_PARAMETERS = [
    build_parameter("limit", "query", "The maximum number of items on a page.", LIMIT_SCHEMA),
    build_parameter("after", "query", "Where the page starts. Use the value in `next`.", TEXT),
]
FILTER_PARAMETERS = build_filter_parameters()
LIST_PARAMETERS = [
    *FILTER_PARAMETERS,
    build_sort_parameter(),
    build_parameter(
        "state", "query", "`draft`: list drafts. Needs a token.", enum_schema(("draft",))
    ),
    build_parameter(
        "changed_since", "query", "Only projects that changed at this time or later.", DATE_TIME
    ),
]
READ_PROBLEMS = ("400", "404", "429")
WRITE_PROBLEMS = ("400", "401", "403", "413", "415", "429")


def _build_paths() -> Schema:
    return (
        _build_index_paths()
        | _build_project_paths()
        | _build_resource_paths()
        | _build_webhook_paths()
    )


def _build_index_paths() -> Schema:
    return {
        "/": {"get": _build_operation("index", msg("API addresses"), object_schema({}), ("429",))},
        "/openapi.json": {
            "get": _build_operation(
                "document", msg("This API description"), object_schema({}), ("429",)
            ),
        },
    }


def _build_project_paths() -> Schema:
    match = build_parameter(
        "If-Match",
        "header",
        "The ETag of the version that you read. `*` is not accepted.",
        TEXT,
        required=True,
    )
    write, body = TokenScope.write_projects, schema_ref("ProjectText")
    return {
        "/projects": {
            "get": _build_operation(
                "list_projects",
                msg("Projects"),
                _page_schema("projects", "ProjectInList"),
                (*READ_PROBLEMS, "401"),
                parameters=[*PAGE_PARAMETERS, *LIST_PARAMETERS],
            ),
            "post": _build_operation(
                "create_project",
                msg("Create a project, as a draft or published straight away"),
                schema_ref("Project"),
                (*WRITE_PROBLEMS, "409"),
                status="201",
                body=body,
                scope=write,
            ),
        },
        "/projects/{token}": {
            "parameters": [TOKEN_PARAMETER],
            "get": _build_operation(
                "read_project",
                msg("One project"),
                schema_ref("Project"),
                (*READ_PROBLEMS, "401", "410"),
            ),
            "patch": _build_operation(
                "change_project",
                msg("Change one of our projects (only the fields you send)"),
                schema_ref("Project"),
                (*WRITE_PROBLEMS, "404", "409", "410", "412", "428"),
                parameters=[match],
                body=body,
                scope=write,
            ),
            "delete": _build_operation(
                "delete_project",
                msg("Delete one of our projects"),
                None,
                ("401", "403", "404", "409", "410", "412", "428", "429"),
                parameters=[match],
                status="204",
                scope=write,
            ),
        },
    }


def _build_resource_paths() -> Schema:
    """Paths of updates, councils and outputs."""
    return {
        "/projects/{token}/updates": {
            "parameters": [TOKEN_PARAMETER],
            "get": _build_operation(
                "list_updates",
                msg("Updates about a project, newest first"),
                _page_schema("updates", "Update"),
                (*READ_PROBLEMS, "401", "410"),
                parameters=PAGE_PARAMETERS,
            ),
            "post": _build_operation(
                "create_update",
                msg("Write an update about one of our projects"),
                schema_ref("Update"),
                (*WRITE_PROBLEMS, "404", "409", "410"),
                status="201",
                body=schema_ref("UpdateText"),
                scope=TokenScope.write_updates,
            ),
        },
        "/updates/{token}": {
            "parameters": [TOKEN_PARAMETER],
            "get": _build_operation(
                "read_update",
                msg("One update"),
                schema_ref("Update"),
                (*READ_PROBLEMS, "401", "410"),
            ),
        },
        "/councils": {
            "get": _build_operation(
                "list_councils",
                msg("Our council and the councils it follows"),
                object_schema({"councils": {"type": "array", "items": schema_ref("Council")}}),
                ("401", "429"),
            ),
        },
        "/outputs": {
            "get": _build_operation(
                "list_outputs",
                msg("Outputs that others can reuse (a page of results can be empty)"),
                _page_schema("outputs", "Output"),
                (*READ_PROBLEMS, "401"),
                parameters=[*PAGE_PARAMETERS, *FILTER_PARAMETERS],
            ),
        },
    }


def _build_webhook_paths() -> Schema:
    scope = TokenScope.webhooks
    number = build_parameter(
        "webhook_id", "path", "The number of the webhook.", {"type": "integer"}, required=True
    )
    hooks = object_schema({"webhooks": {"type": "array", "items": schema_ref("Webhook")}})
    mine = ("401", "403", "429")
    return {
        "/webhooks": {
            "get": _build_operation(
                "list_webhooks", msg("Your webhooks"), hooks, mine, scope=scope
            ),
            "post": _build_operation(
                "create_webhook",
                msg("Create a webhook (the secret is shown only once)"),
                schema_ref("NewWebhook"),
                (*WRITE_PROBLEMS, "409"),
                status="201",
                body=schema_ref("WebhookText"),
                scope=scope,
            ),
        },
        "/webhooks/{webhook_id}": {
            "parameters": [number],
            "get": _build_operation(
                "read_webhook",
                msg("One webhook"),
                schema_ref("Webhook"),
                (*mine, "404"),
                scope=scope,
            ),
            "delete": _build_operation(
                "delete_webhook",
                msg("Remove a webhook"),
                None,
                (*mine, "404"),
                status="204",
                scope=scope,
            ),
        },
    }


def _build_operation(
    name: str,
    summary: Message,
    schema: Schema | None,
    problems: tuple[str, ...],
    *,
    parameters: list[Schema] | None = None,
    status: str = "200",
    body: Schema | None = None,
    scope: TokenScope | None = None,
) -> Schema:
    good: Schema = {"description": summary}
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
        good["headers"] = {"ETag": {"schema": TEXT, "description": "Identifies this version."}}
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
        operation["description"] = msg("Needs the %(scope)s scope.", scope=scope.value)
        if body and schema is not None and scope is not TokenScope.webhooks:
            operation["description"] = msg(
                "Needs the %(scope)s scope. The response only includes what you wrote "
                "if the token also has the read scope.",
                scope=scope.value,
            )
    responses: Schema = {status: good}
    if body and schema is not None and status == "200":
        responses["204"] = {"description": f"{summary}. The token does not have the scope read."}
    errors = {code: {"$ref": f"#/components/responses/problem{code}"} for code in problems}
    return operation | {"responses": responses | errors}


def _page_schema(name: str, kind: str) -> Schema:
    items = {"type": "array", "items": schema_ref(kind)}
    return object_schema({name: items, "next": {"type": ["string", "null"], "format": "uri"}})
