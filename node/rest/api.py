"""The API: projects, updates, councils and outputs as JSON."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from node.councils import service as councils
from node.errors import ForbiddenError, InvalidInputError, NotFoundError
from node.feeds import representations
from node.messages import msg
from node.projects import rendering
from node.projects import service as projects
from node.projects.licensing import licence_url
from node.projects.models import Project, ProjectState
from node.projects.validation import ProjectInput, to_input
from node.request import MAX_ROW_ID, current_work
from node.rest import openapi, payloads
from node.rest.auth_and_limits import (
    api_viewer,
    can_read,
    endpoint,
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


@blueprint.get("/openapi.json")
@endpoint()
def document() -> Response:
    """This API, described."""
    return json_response(openapi.build_document(current_work().settings.base_url))


@blueprint.get("/")
@endpoint()
def index() -> Response:
    """Where things are."""
    names = {"projects": "rest.list_projects", "councils": "rest.list_councils"}
    names |= {"outputs": "rest.list_outputs", "openapi": "rest.document"}
    return json_response({name: _absolute_url(url_for(view)) for name, view in names.items()})


@blueprint.get("/projects")
@endpoint()
def list_projects() -> Response:
    """Published projects that are asked for as the finder would be, in the order in which they came
    here or that is chosen; drafts with `state=draft`.
    """
    session, most, start = current_work().session, parse_limit(), _cursor()
    wanted, since = api_params.parse_request_params(strictly=True), _parse_datetime("changed_since")
    is_sorted = bool(wanted.sort) and request.args.get("state") != ProjectState.draft.value
    if is_sorted:
        found = list_ordered(
            session, wanted, api_viewer(), min(start, MAX_RESULTS), most + 1, since
        )
    else:
        found = projects.list_after(session, _project_filter(wanted), start, most + 1, since)
    items = [_list_item(each) for each in found[:most]]
    if len(found) <= most:
        return _page_response("projects", items, None)
    # In an order that is chosen one goes on by how many were passed.
    return _page_response("projects", items, start + most if is_sorted else found[most - 1].id)


def _project_filter(wanted: SearchParams) -> projects.ProjectFilter:
    found = to_project_filter(current_work().session, wanted, api_viewer())
    if request.args.get("state") != ProjectState.draft.value:
        return found
    if wanted.sort:
        wrong = {
            "state": msg("Drafts cannot be sorted: they are listed in the order they were created")
        }
        raise InvalidInputError(msg("The request could not be read."), wrong)
    if not api_viewer().may_see_drafts:
        raise NotFoundError(
            msg(
                "To see drafts, use a token that has the scope read and belongs to "
                "someone who can edit projects."
            )
        )
    if needs_index(wanted):
        wrong = {"state": msg("Drafts cannot be searched by words or subjects")}
        raise InvalidInputError(msg("The request could not be read."), wrong)
    return replace(found, drafts=True)


def _cursor() -> int:
    given = request.args.get("after", "0")
    if given.isascii() and given.isdigit() and len(given) < 11 and int(given) <= MAX_ROW_ID:
        return int(given)
    wrong = {"after": msg("Use the value in the link to the next page")}
    raise InvalidInputError(msg("The request could not be read."), wrong)


def _parse_datetime(name: str) -> datetime | None:
    given = request.args.get(name)
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        wrong = {name: msg("Enter a date and time like 2026-01-31T12:00:00Z")}
        raise InvalidInputError(msg("The request could not be read."), wrong) from error


def _page_response(name: str, items: Sequence[Any], after: int | None) -> Response:
    """A page, and where the next one is: in the body, and as a Link (RFC 8288)."""
    onward = None
    if after is not None:
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != "after"]
        onward = _absolute_url(f"{request.path}?{urlencode([*pairs, ('after', after)])}")
    response = json_response({name: items, "next": onward})
    if onward:
        response.headers["Link"] = f'<{onward}>; rel="next"'
    return response


def _absolute_url(path: str) -> str:
    return current_work().settings.base_url + path


def _list_item(project: Project) -> representations.Description:
    return representations.describe_in_list(project, _page_url(project), _licence(project))


def _licence(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


def _page_url(project: Project) -> str:
    return _absolute_url(url_for("projects.show", token=project.token))


def _project_response(project: Project, status: int = 200) -> Response:
    document = representations.describe_project(project, _page_url(project), _licence(project))
    response = json_response(document, status, make_etag(project.version, project.token))
    if status == 201:
        response.headers["Location"] = _absolute_url(
            url_for("rest.read_project", token=project.token)
        )
    return response


@blueprint.get("/projects/<token>")
@endpoint()
def read_project(token: str) -> Response:
    """One project; a draft of ours with a token that reads, of somebody who writes projects."""
    return _project_response(
        projects.by_token(current_work().session, token, api_viewer(), drafts=True)
    )


@blueprint.post("/projects")
@endpoint(TokenScope.write_projects)
def create_project() -> Response:
    """A new project of our council: a draft, or published at once."""
    given, work = parse_body(payloads.PROJECT_FIELDS), current_work()
    text = payloads.apply_project(ProjectInput("", "", "", ""), given)
    work.pause()
    rendering.prerender(text)
    project = projects.create(work, councils.require_own(work.session), text)
    if given.get("state") == ProjectState.published.value:
        projects.publish(work, project)
    return _project_response(project, 201)


@blueprint.patch("/projects/<token>")
@endpoint(TokenScope.write_projects)
def change_project(token: str) -> Response:
    """Change what was sent of a project of ours, if nobody changed it since it was read."""
    given, work = parse_body(payloads.PROJECT_FIELDS), current_work()
    project = projects.get_for_update(work.session, token)
    require_match(project.version, project.token)
    text = payloads.apply_project(to_input(project), given)
    if given.get("state") == ProjectState.draft.value and project.state is ProjectState.published:
        wrong = {"state": msg("A published project cannot become a draft")}
        raise InvalidInputError(msg("The project could not be saved."), wrong)
    version = project.version
    work.pause()
    rendering.prerender(text)
    project = projects.get_for_update(work.session, token)
    projects.update(work, project, text, version)
    if (
        given.get("state") == ProjectState.published.value
        and project.state is not ProjectState.published
    ):
        projects.publish(work, project)
    return _project_response(project)


@blueprint.delete("/projects/<token>")
@endpoint(TokenScope.write_projects)
def delete_project(token: str) -> Response:
    """Delete a project of ours, here and, as far as others comply, everywhere."""
    work = current_work()
    project = projects.get_for_update(work.session, token)
    require_match(project.version, project.token)
    projects.delete(work, project)
    return Response(status=204)


def _update_response(update: Update, status: int = 200) -> Response:
    here = _absolute_url(url_for("updates.show", token=update.token))
    response = json_response(
        representations.describe_update(update, here),
        status,
        make_etag(update.version, update.token),
    )
    if status == 201:
        response.headers["Location"] = _absolute_url(
            url_for("rest.read_update", token=update.token)
        )
    return response


@blueprint.get("/projects/<token>/updates")
@endpoint()
def list_updates(token: str) -> Response:
    """The updates of a project, newest first."""
    session, most = current_work().session, parse_limit()
    project = projects.by_token(session, token, api_viewer())
    found = updates.list_before(session, project, _cursor(), most + 1)
    items = [
        representations.describe_update(
            each, _absolute_url(url_for("updates.show", token=each.token))
        )
        for each in found[:most]
    ]
    return _page_response("updates", items, found[most - 1].id if len(found) > most else None)


@blueprint.post("/projects/<token>/updates")
@endpoint(TokenScope.write_updates)
def create_update(token: str) -> Response:
    """Tell what is new in a project of ours."""
    text, work = payloads.parse_update(parse_body(payloads.UPDATE_FIELDS)), current_work()
    work.pause()
    updates.prerender(text)
    project = projects.get_for_update(work.session, token)
    return _update_response(updates.create(work, project, text), 201)


@blueprint.get("/updates/<token>")
@endpoint()
def read_update(token: str) -> Response:
    session = current_work().session
    update = updates.by_token(session, token)
    projects.by_token(session, update.project.token, api_viewer())
    if update.state is UpdateState.deleted:
        raise NotFoundError(msg("There is no such update."))
    return _update_response(update)


@blueprint.get("/councils")
@endpoint()
def list_councils() -> Response:
    """Our council, and those that it follows."""
    session = current_work().session
    own = councils.require_own(session)
    followed = [each for each in councils.list_followed(session) if each.follow.state == "accepted"]
    every = [own, *(each.council for each in followed)]
    return json_response({"councils": [representations.describe_council(each) for each in every]})


@blueprint.get("/outputs")
@endpoint()
def list_outputs() -> Response:
    """What everybody gets back from projects: those of each page of projects that have any."""
    most = parse_limit()
    found = projects.list_after(
        current_work().session,
        _project_filter(api_params.parse_request_params(strictly=True)),
        _cursor(),
        most + 1,
        None,
    )
    items = [
        representations.describe_output(each, number)
        for each in found[:most]
        for number in range(len(each.details.outputs))
    ]
    return _page_response("outputs", items, found[most - 1].id if len(found) > most else None)


@blueprint.get("/webhooks")
@endpoint(TokenScope.webhooks)
def list_webhooks() -> Response:
    """The webhooks of whoever made the token."""
    found = webhooks.list_of_user(current_work().session, token_owner(), all_users=False)
    return json_response({"webhooks": [_webhook_document(each) for each in found]})


@blueprint.post("/webhooks")
@endpoint(TokenScope.webhooks)
def create_webhook() -> Response:
    """A new webhook; its secret is said this once."""
    url, wanted, tells_all = payloads.parse_webhook(parse_body(payloads.WEBHOOK_FIELDS))
    if tells_all and not can_read():
        raise ForbiddenError(
            msg(
                "This token does not have the scope read, so its webhooks can only get "
                "events about public projects."
            )
        )
    hook = webhooks.add(current_work(), token_owner(), url, wanted, tells_all=tells_all)
    response = json_response(_webhook_document(hook) | {"secret": hook.secret}, 201)
    response.headers["Location"] = _absolute_url(url_for("rest.read_webhook", webhook_id=hook.id))
    return response


@blueprint.get("/webhooks/<int:webhook_id>")
@endpoint(TokenScope.webhooks)
def read_webhook(webhook_id: int) -> Response:
    return json_response(_webhook_document(_own_webhook(webhook_id)))


@blueprint.delete("/webhooks/<int:webhook_id>")
@endpoint(TokenScope.webhooks)
def delete_webhook(webhook_id: int) -> Response:
    """Nothing more is sent there."""
    webhooks.remove(current_work(), _own_webhook(webhook_id))
    return Response(status=204)


def _own_webhook(number: int) -> Webhook:
    return webhooks.find(current_work().session, token_owner(), number, all_users=False)


def _webhook_document(hook: Webhook) -> representations.Description:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "tells_all": hook.tells_all,
        "created": representations.format_moment(hook.created_at),
        "failing_since": representations.format_moment(hook.failing_since),
        "off": representations.format_moment(hook.off_at),
    }
