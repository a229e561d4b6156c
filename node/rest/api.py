"""The API: projects, updates, councils and outputs as JSON."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from node.councils import service as councils
from node.errors import ForbiddenError, InvalidInputError, NotFoundError
from node.feeds import describing
from node.projects import rendering
from node.projects import service as projects
from node.projects.licensing import licence_url
from node.projects.models import Project, State
from node.projects.writing import Text, text_of
from node.request import LARGEST_ROW_ID, current_work
from node.rest import openapi, writing
from node.rest.asking import (
    answer,
    body,
    endpoint,
    limit,
    may_read,
    reader,
    require_match,
    tag_of,
    whose,
)
from node.rest.models import Scope
from node.search import for_programs
from node.search.narrowing import asks_index, filter_of
from node.search.service import MOST, ordered
from node.search.wanted import Wanted
from node.updates import service as updates
from node.updates.models import State as UpdateState
from node.updates.models import Update
from node.webhooks import service as webhooks
from node.webhooks.models import Webhook
from node.wording import say

blueprint = Blueprint("rest", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
@endpoint()
def document() -> Response:
    """This API, described."""
    return answer(openapi.document(current_work().settings.base_url))


@blueprint.get("/")
@endpoint()
def index() -> Response:
    """Where things are."""
    names = {"projects": "rest.list_projects", "councils": "rest.list_councils"}
    names |= {"outputs": "rest.list_outputs", "openapi": "rest.document"}
    return answer({name: _here(url_for(view)) for name, view in names.items()})


@blueprint.get("/projects")
@endpoint()
def list_projects() -> Response:
    """Published projects that are asked for as the finder would be, in the order in which they came
    here or that is chosen; drafts with `state=draft`.
    """
    session, most, start = current_work().session, limit(), _cursor()
    wanted, since = for_programs.wanted(strictly=True), _moment("changed_since")
    is_sorted = bool(wanted.sort) and request.args.get("state") != State.draft.value
    if is_sorted:
        found = ordered(session, wanted, reader(), min(start, MOST), most + 1, since)
    else:
        found = projects.after(session, _filter(wanted), start, most + 1, since)
    items = [_in_list(each) for each in found[:most]]
    if len(found) <= most:
        return _paged("projects", items, None)
    # In an order that is chosen one goes on by how many were passed.
    return _paged("projects", items, start + most if is_sorted else found[most - 1].id)


def _filter(wanted: Wanted) -> projects.Filter:
    found = filter_of(current_work().session, wanted, reader())
    if request.args.get("state") != State.draft.value:
        return found
    if wanted.sort:
        wrong = {
            "state": say("Drafts cannot be sorted: they are listed in the order they were created")
        }
        raise InvalidInputError(say("The request could not be read."), wrong)
    if not reader().may_see_drafts:
        raise NotFoundError(
            say(
                "To see drafts, use a token that has the scope read and belongs to "
                "someone who can edit projects."
            )
        )
    if asks_index(wanted):
        wrong = {"state": say("Drafts cannot be searched by words or subjects")}
        raise InvalidInputError(say("The request could not be read."), wrong)
    return replace(found, drafts=True)


def _cursor() -> int:
    given = request.args.get("after", "0")
    if given.isascii() and given.isdigit() and len(given) < 11 and int(given) <= LARGEST_ROW_ID:
        return int(given)
    wrong = {"after": say("Use the value in the link to the next page")}
    raise InvalidInputError(say("The request could not be read."), wrong)


def _moment(name: str) -> datetime | None:
    given = request.args.get(name)
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        wrong = {name: say("Enter a date and time like 2026-01-31T12:00:00Z")}
        raise InvalidInputError(say("The request could not be read."), wrong) from error


def _paged(name: str, items: Sequence[Any], after: int | None) -> Response:
    """A page, and where the next one is: in the body, and as a Link (RFC 8288)."""
    onward = None
    if after is not None:
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != "after"]
        onward = _here(f"{request.path}?{urlencode([*pairs, ('after', after)])}")
    response = answer({name: items, "next": onward})
    if onward:
        response.headers["Link"] = f'<{onward}>; rel="next"'
    return response


def _here(path: str) -> str:
    return current_work().settings.base_url + path


def _in_list(project: Project) -> describing.Description:
    return describing.in_list(project, _page(project), _licence(project))


def _licence(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


def _page(project: Project) -> str:
    return _here(url_for("projects.show", token=project.token))


def _whole(project: Project, status: int = 200) -> Response:
    document = describing.whole(project, _page(project), _licence(project))
    response = answer(document, status, tag_of(project.version, project.token))
    if status == 201:
        response.headers["Location"] = _here(url_for("rest.read_project", token=project.token))
    return response


@blueprint.get("/projects/<token>")
@endpoint()
def read_project(token: str) -> Response:
    """One project; a draft of ours with a token that reads, of somebody who writes projects."""
    return _whole(projects.by_token(current_work().session, token, reader(), drafts=True))


@blueprint.post("/projects")
@endpoint(Scope.write_projects)
def create_project() -> Response:
    """A new project of our council: a draft, or published at once."""
    given, work = body(writing.PROJECT), current_work()
    text = writing.changed(Text("", "", "", ""), given)
    work.pause()
    rendering.prepare(text)
    project = projects.create(work, councils.require_own(work.session), text)
    if given.get("state") == State.published.value:
        projects.publish(work, project)
    return _whole(project, 201)


@blueprint.patch("/projects/<token>")
@endpoint(Scope.write_projects)
def change_project(token: str) -> Response:
    """Change what was sent of a project of ours, if nobody changed it since it was read."""
    given, work = body(writing.PROJECT), current_work()
    project = projects.for_change(work.session, token)
    require_match(project.version, project.token)
    text = writing.changed(text_of(project), given)
    if given.get("state") == State.draft.value and project.state is State.published:
        wrong = {"state": say("A published project cannot become a draft")}
        raise InvalidInputError(say("The project could not be saved."), wrong)
    version = project.version
    work.pause()
    rendering.prepare(text)
    project = projects.for_change(work.session, token)
    projects.update(work, project, text, version)
    if given.get("state") == State.published.value and project.state is not State.published:
        projects.publish(work, project)
    return _whole(project)


@blueprint.delete("/projects/<token>")
@endpoint(Scope.write_projects)
def delete_project(token: str) -> Response:
    """Delete a project of ours, here and, as far as others comply, everywhere."""
    work = current_work()
    project = projects.for_change(work.session, token)
    require_match(project.version, project.token)
    projects.delete(work, project)
    return Response(status=204)


def _told(update: Update, status: int = 200) -> Response:
    here = _here(url_for("updates.show", token=update.token))
    response = answer(describing.update(update, here), status, tag_of(update.version, update.token))
    if status == 201:
        response.headers["Location"] = _here(url_for("rest.read_update", token=update.token))
    return response


@blueprint.get("/projects/<token>/updates")
@endpoint()
def list_updates(token: str) -> Response:
    """The updates of a project, newest first."""
    session, most = current_work().session, limit()
    project = projects.by_token(session, token, reader())
    found = updates.before(session, project, _cursor(), most + 1)
    items = [
        describing.update(each, _here(url_for("updates.show", token=each.token)))
        for each in found[:most]
    ]
    return _paged("updates", items, found[most - 1].id if len(found) > most else None)


@blueprint.post("/projects/<token>/updates")
@endpoint(Scope.write_updates)
def create_update(token: str) -> Response:
    """Tell what is new in a project of ours."""
    text, work = writing.update(body(writing.UPDATE)), current_work()
    work.pause()
    updates.prepare(text)
    project = projects.for_change(work.session, token)
    return _told(updates.write(work, project, text), 201)


@blueprint.get("/updates/<token>")
@endpoint()
def read_update(token: str) -> Response:
    session = current_work().session
    update = updates.by_token(session, token)
    projects.by_token(session, update.project.token, reader())
    if update.state is UpdateState.deleted:
        raise NotFoundError(say("There is no such update."))
    return _told(update)


@blueprint.get("/councils")
@endpoint()
def list_councils() -> Response:
    """Our council, and those that it follows."""
    session = current_work().session
    own = councils.require_own(session)
    followed = [each for each in councils.followed(session) if each.follow.state == "accepted"]
    every = [own, *(each.council for each in followed)]
    return answer({"councils": [describing.council(each) for each in every]})


@blueprint.get("/outputs")
@endpoint()
def list_outputs() -> Response:
    """What everybody gets back from projects: those of each page of projects that have any."""
    most = limit()
    found = projects.after(
        current_work().session,
        _filter(for_programs.wanted(strictly=True)),
        _cursor(),
        most + 1,
        None,
    )
    items = [
        describing.output(each, number)
        for each in found[:most]
        for number in range(len(each.details.outputs))
    ]
    return _paged("outputs", items, found[most - 1].id if len(found) > most else None)


@blueprint.get("/webhooks")
@endpoint(Scope.webhooks)
def list_webhooks() -> Response:
    """The webhooks of whoever made the token."""
    found = webhooks.of_user(current_work().session, whose(), everybodys=False)
    return answer({"webhooks": [_hook(each) for each in found]})


@blueprint.post("/webhooks")
@endpoint(Scope.webhooks)
def create_webhook() -> Response:
    """A new webhook; its secret is said this once."""
    url, wanted, tells_all = writing.webhook(body(writing.WEBHOOK))
    if tells_all and not may_read():
        raise ForbiddenError(
            say(
                "This token does not have the scope read, so its webhooks can only get "
                "events about public projects."
            )
        )
    hook = webhooks.add(current_work(), whose(), url, wanted, tells_all=tells_all)
    response = answer(_hook(hook) | {"secret": hook.secret}, 201)
    response.headers["Location"] = _here(url_for("rest.read_webhook", webhook_id=hook.id))
    return response


@blueprint.get("/webhooks/<int:webhook_id>")
@endpoint(Scope.webhooks)
def read_webhook(webhook_id: int) -> Response:
    return answer(_hook(_own_hook(webhook_id)))


@blueprint.delete("/webhooks/<int:webhook_id>")
@endpoint(Scope.webhooks)
def delete_webhook(webhook_id: int) -> Response:
    """Nothing more is sent there."""
    webhooks.remove(current_work(), _own_hook(webhook_id))
    return Response(status=204)


def _own_hook(number: int) -> Webhook:
    return webhooks.find(current_work().session, whose(), number, everybodys=False)


def _hook(hook: Webhook) -> describing.Description:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "tells_all": hook.tells_all,
        "created": describing.moment(hook.created_at),
        "failing_since": describing.moment(hook.failing_since),
        "off": describing.moment(hook.off_at),
    }
