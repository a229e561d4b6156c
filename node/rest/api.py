"""Endpoints of the API: projects, updates, councils, outputs and webhooks as JSON."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request, url_for

from node.councils import service as councils
from node.errors import ForbiddenError, InvalidInputError, NotFoundError
from node.feeds import listing, representations
from node.messages import msg
from node.pagination import Page, cut_page
from node.projects import rendering
from node.projects import service as projects
from node.projects.licensing import licence_url
from node.projects.models import Project, ProjectState
from node.projects.validation import ProjectInput, to_input
from node.request import MAX_ROW_ID, current_work
from node.rest import openapi, payloads
from node.rest.auth_and_limits import (
    api_view,
    api_viewer,
    can_read,
    init_rate_limits,
    json_response,
    make_etag,
    parse_body,
    parse_limit,
    require_match,
    token_owner,
)
from node.rest.models import TokenScope
from node.search import api_params
from node.search.search_params import SearchParams
from node.search.service import MAX_RESULTS, list_ordered
from node.search.sql_filters import needs_index, to_project_filter
from node.updates import service as updates
from node.updates.models import Update, UpdateState
from node.webhooks import service as webhooks
from node.webhooks.models import Webhook

blueprint = Blueprint("rest", __name__, url_prefix="/api/v1")
blueprint.record_once(init_rate_limits)


@blueprint.get("/openapi.json")
@api_view()
def document() -> Response:
    """The OpenAPI document of this API."""
    return json_response(openapi.build_document(current_work().settings.base_url))


@blueprint.get("/")
@api_view()
def index() -> Response:
    """URLs of the collections."""
    names = {"projects": "rest.list_projects", "councils": "rest.list_councils"}
    names |= {"outputs": "rest.list_outputs", "openapi": "rest.document"}
    return json_response({name: _absolute_url(url_for(view)) for name, view in names.items()})


@blueprint.get("/projects")
@api_view()
def list_projects() -> Response:
    """Published projects, filtered and sorted as in the project search; with `state=draft`, drafts.

    Without `sort` they come in the order in which they arrived here, and `after` is a row id; with
    `sort`, `after` is the number of projects already read.
    """
    session, limit, start = current_work().session, parse_limit(), _parse_cursor()
    params, since = api_params.parse_request_params(strictly=True), _parse_datetime("changed_since")
    if params.sort and request.args.get("state") != ProjectState.draft.value:
        first = min(start, MAX_RESULTS)
        matches = list_ordered(session, params, api_viewer(), first, limit + 1, since)
        page = cut_page(matches, limit, lambda _last: start + limit)
    else:
        page = projects.list_after(session, _project_filter(params), start, limit, since)
    items = [_describe_list_item(project) for project in page.rows]
    return _page_response("projects", items, page)


def _project_filter(params: SearchParams) -> projects.ProjectFilter:
    project_filter = to_project_filter(current_work().session, params, api_viewer())
    if request.args.get("state") != ProjectState.draft.value:
        return project_filter
    if params.sort:
        errors = {
            "state": msg("Drafts cannot be sorted: they are listed in the order they were created")
        }
        raise InvalidInputError(msg("The request could not be read."), errors)
    if not api_viewer().may_see_drafts:
        raise NotFoundError(
            msg(
                "To see drafts, use a token that has the read scope and belongs to "
                "someone who can edit projects."
            )
        )
    if needs_index(params):
        errors = {"state": msg("Drafts cannot be searched by words or subjects")}
        raise InvalidInputError(msg("The request could not be read."), errors)
    return replace(project_filter, drafts_only=True)


def _parse_cursor() -> int:
    cursor = request.args.get("after", "0")
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 11 and int(cursor) <= MAX_ROW_ID:
        return int(cursor)
    errors = {"after": msg("Use the value from the link to the next page")}
    raise InvalidInputError(msg("The request could not be read."), errors)


def _parse_datetime(name: str) -> datetime | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        errors = {name: msg("Enter a date and time such as 2026-01-31T12:00:00Z")}
        raise InvalidInputError(msg("The request could not be read."), errors) from error


def _page_response(name: str, items: Sequence[Any], page: Page[Any]) -> Response:
    """The `items` of a page of a collection, with the URL of the next page in the body and as a
    Link header (RFC 8288).
    """
    next_url = listing.next_url(page, "after")
    response = json_response({name: items, "next": next_url})
    if next_url:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    return response


def _absolute_url(path: str) -> str:
    return current_work().settings.base_url + path


def _describe_list_item(project: Project) -> representations.JsonObject:
    return representations.describe_listed_project(
        project, _page_url(project), _licence_url(project)
    )


def _licence_url(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


def _page_url(project: Project) -> str:
    return _absolute_url(url_for("projects.show", token=project.token))


def _project_response(project: Project, status: int = 200) -> Response:
    document = representations.describe_project(project, _page_url(project), _licence_url(project))
    response = json_response(document, status, make_etag(project.version, project.token))
    if status == 201:
        response.headers["Location"] = _absolute_url(
            url_for("rest.read_project", token=project.token)
        )
    return response


@blueprint.get("/projects/<token>")
@api_view()
def read_project(token: str) -> Response:
    """One project. Drafts need a token with the scope read whose owner may edit projects."""
    return _project_response(
        projects.by_token(current_work().session, token, api_viewer(), include_drafts=True)
    )


@blueprint.post("/projects")
@api_view(TokenScope.write_projects)
def create_project() -> Response:
    """Create a project of our council, as a draft or published."""
    body, work = parse_body(payloads.PROJECT_FIELDS), current_work()
    text = payloads.apply_merge_patch(ProjectInput("", "", "", ""), body)
    work.pause()
    rendering.prerender(text)
    project = projects.create(work, councils.require_own(work.session), text)
    if body.get("state") == ProjectState.published.value:
        projects.publish(work, project)
    return _project_response(project, 201)


@blueprint.patch("/projects/<token>")
@api_view(TokenScope.write_projects)
def change_project(token: str) -> Response:
    """Change the fields that are sent, if the project has not changed since the client read it."""
    body, work = parse_body(payloads.PROJECT_FIELDS), current_work()
    project = projects.get_for_update(work.session, token)
    require_match(project.version, project.token)
    text = payloads.apply_merge_patch(to_input(project), body)
    if body.get("state") == ProjectState.draft.value and project.state is ProjectState.published:
        errors = {"state": msg("A published project cannot become a draft")}
        raise InvalidInputError(msg("The project could not be saved."), errors)
    version = project.version
    work.pause()
    rendering.prerender(text)
    project = projects.get_for_update(work.session, token)
    projects.update(work, project, text, version)
    if (
        body.get("state") == ProjectState.published.value
        and project.state is not ProjectState.published
    ):
        projects.publish(work, project)
    return _project_response(project)


@blueprint.delete("/projects/<token>")
@api_view(TokenScope.write_projects)
def delete_project(token: str) -> Response:
    """Delete a project of ours, and ask other servers to delete their copies."""
    work = current_work()
    project = projects.get_for_update(work.session, token)
    require_match(project.version, project.token)
    projects.delete(work, project)
    return Response(status=204)


def _update_response(update: Update, status: int = 200) -> Response:
    page_url = _absolute_url(url_for("updates.show", token=update.token))
    response = json_response(
        representations.describe_update(update, page_url),
        status,
        make_etag(update.version, update.token),
    )
    if status == 201:
        response.headers["Location"] = _absolute_url(
            url_for("rest.read_update", token=update.token)
        )
    return response


@blueprint.get("/projects/<token>/updates")
@api_view()
def list_updates(token: str) -> Response:
    """The updates of a project, newest first."""
    session, limit = current_work().session, parse_limit()
    project = projects.by_token(session, token, api_viewer())
    page = updates.list_before(session, project, _parse_cursor(), limit)
    items = [
        representations.describe_update(
            update, _absolute_url(url_for("updates.show", token=update.token))
        )
        for update in page.rows
    ]
    return _page_response("updates", items, page)


@blueprint.post("/projects/<token>/updates")
@api_view(TokenScope.write_updates)
def create_update(token: str) -> Response:
    """Publish an update about a project of ours."""
    text, work = payloads.parse_update(parse_body(payloads.UPDATE_FIELDS)), current_work()
    work.pause()
    updates.prerender(text)
    project = projects.get_for_update(work.session, token)
    return _update_response(updates.create(work, project, text), 201)


@blueprint.get("/updates/<token>")
@api_view()
def read_update(token: str) -> Response:
    session = current_work().session
    update = updates.by_token(session, token)
    projects.by_token(session, update.project.token, api_viewer())
    if update.state is UpdateState.deleted:
        raise NotFoundError(msg("Update not found."))
    return _update_response(update)


@blueprint.get("/councils")
@api_view()
def list_councils() -> Response:
    """Our council, and those that it follows."""
    session = current_work().session
    own = councils.require_own(session)
    followed = [
        row.council for row in councils.list_followed(session) if row.follow.state == "accepted"
    ]
    documents = [representations.describe_council(council) for council in (own, *followed)]
    return json_response({"councils": documents})


@blueprint.get("/outputs")
@api_view()
def list_outputs() -> Response:
    """Outputs of projects. Paging counts projects, so a page may have few outputs or none."""
    limit = parse_limit()
    project_filter = _project_filter(api_params.parse_request_params(strictly=True))
    page = projects.list_after(current_work().session, project_filter, _parse_cursor(), limit)
    items = [
        representations.describe_output(project, index)
        for project in page.rows
        for index in range(len(project.details.outputs))
    ]
    return _page_response("outputs", items, page)


@blueprint.get("/webhooks")
@api_view(TokenScope.webhooks)
def list_webhooks() -> Response:
    """The webhooks of the token's owner."""
    hooks = webhooks.list_of_user(current_work().session, token_owner(), all_users=False)
    return json_response({"webhooks": [_describe_webhook(hook) for hook in hooks]})


@blueprint.post("/webhooks")
@api_view(TokenScope.webhooks)
def create_webhook() -> Response:
    """Create a webhook. Only this response shows its secret."""
    url, events, tells_all = payloads.parse_webhook(parse_body(payloads.WEBHOOK_FIELDS))
    if tells_all and not can_read():
        raise ForbiddenError(
            msg(
                "This token does not have the read scope, so its webhooks can only get "
                "events about public projects."
            )
        )
    hook = webhooks.add_webhook(current_work(), token_owner(), url, events, tells_all=tells_all)
    response = json_response(_describe_webhook(hook) | {"secret": hook.secret}, 201)
    response.headers["Location"] = _absolute_url(url_for("rest.read_webhook", webhook_id=hook.id))
    return response


@blueprint.get("/webhooks/<int:webhook_id>")
@api_view(TokenScope.webhooks)
def read_webhook(webhook_id: int) -> Response:
    return json_response(_describe_webhook(_own_webhook(webhook_id)))


@blueprint.delete("/webhooks/<int:webhook_id>")
@api_view(TokenScope.webhooks)
def delete_webhook(webhook_id: int) -> Response:
    """Remove a webhook."""
    webhooks.remove_webhook(current_work(), _own_webhook(webhook_id))
    return Response(status=204)


def _own_webhook(number: int) -> Webhook:
    return webhooks.find(current_work().session, token_owner(), number, all_users=False)


def _describe_webhook(hook: Webhook) -> representations.JsonObject:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "tells_all": hook.tells_all,
        "created": representations.format_moment(hook.created_at),
        "failing_since": representations.format_moment(hook.failing_since),
        "off": representations.format_moment(hook.off_at),
    }
