"""Everything that a node answers to whoever only reads: each route, with each thing it is about."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from werkzeug.test import TestResponse

from node.conversations.models import Comment
from node.councils.models import Council
from node.federating.models import Actor, OutboxActivity
from node.moderation.models import Report
from node.notifications.models import NotificationSubscriber
from node.plugin_documents.models import PluginDocument
from node.projects.models import Project
from node.search.models import SavedSearch
from node.testing.nodes import TestNode
from node.unsaved.models import UnsavedInput
from node.updates.models import Update
from plugins.checklists.models import Assessment
from tests.visibility.answers import CHECKLIST

# What begins with this is written in what a test publishes, and nowhere else.
WORD = re.compile(r"quokka[a-z]+")
# Where a page of a collection leads on to.
ONWARD = ("first", "next", "last")
PARAMETER = re.compile(r"<(?:[^:<>]+:)?([a-z_]+)>")
ONE_OF = re.compile(r"<any\(([^)]*)\):[a-z_]+>")

Get = Callable[[str], TestResponse]


@dataclass
class Crawl:
    """`words` were found, and where. `types` are the media types of all answers, by address."""

    words: dict[str, set[str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def addresses(node: TestNode) -> list[str]:
    """The addresses of every route that can be read."""
    by_route = addresses_by_route(node)
    return [address for addresses in by_route.values() for address in addresses]


def addresses_by_route(node: TestNode, **few: list[str]) -> dict[str, list[str]]:
    """The addresses of each route that can be read, with every value that its parameters may have.

    A route with a parameter that nobody thought of here fails the test. `few` are the values of
    parameters, by the route's first part, of which not all are wanted: `projects=[a token]`.
    """
    known = _values(node) | {(part, "token"): tokens for part, tokens in few.items()}
    result: dict[str, list[str]] = {}
    for rule in node.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()):
            continue
        filled = [rule.rule]
        for words in ONE_OF.findall(rule.rule):
            filled = [
                ONE_OF.sub(word.strip(), one, 1) for one in filled for word in words.split(",")
            ]
        for name in PARAMETER.findall(filled[0]):
            values = known.get((rule.rule.split("/")[1], name)) or known.get(("", name))
            assert values, f"say which values <{name}> of {rule.rule} has"
            pattern = re.compile(rf"<(?:[^:<>]+:)?{name}>")
            filled = [pattern.sub(value, one) for one in filled for value in values]
        result[rule.rule] = filled
    return result


def crawl(node: TestNode, get: Get) -> Crawl:
    """Read everything, and on from page to page."""
    result, waiting = Crawl(), addresses(node)
    base = node.node.settings.base_url
    while waiting:
        address = waiting.pop()
        if address in result.types:
            continue
        answer = get(address)
        result.types[address] = answer.mimetype or ""
        assert answer.status_code < 500, address
        if answer.mimetype == "text/html" and b"csrf_token" in answer.data:
            # It is of whoever asks, who is signed in or may be about to be.
            assert answer.headers.get("Cache-Control") == "private, no-store", address
        said = answer.data.decode(errors="replace") + str(answer.headers)
        for word in WORD.findall(said):
            result.words.setdefault(word, set()).add(address)
        answer.close()
        waiting += [one.removeprefix(base) for one in _onward(answer) if one.startswith(base)]
    return result


def _onward(answer: TestResponse) -> Iterator[str]:
    if answer.status_code == 200 and "json" in (answer.mimetype or ""):
        document = json.loads(answer.data)
        if isinstance(document, dict):
            for name in ONWARD:
                value = document.get(name)
                if isinstance(value, str):
                    yield value


def _values(node: TestNode) -> dict[tuple[str, str], list[str]]:
    """What the parameters of routes may be, by the route's first part ("" for any) and name."""
    with node.reading() as session:
        projects = list(session.scalars(select(Project.token)))
        updates = list(session.scalars(select(Update.token)))
        officers = select(Actor.username).where(Actor.uri.contains("/officers/"))
        activities = [uri.rpartition("/")[2] for uri in session.scalars(select(OutboxActivity.uri))]
        runs = list(session.scalars(select(Assessment.token)))
        buckets = sorted(set(session.scalars(select(Project.bucket))))
        return {
            ("projects", "token"): projects,
            ("projects", "number"): ["1", "2", "3"],
            ("unsaved", "token"): [*session.scalars(select(UnsavedInput.token)), "nobody"],
            ("alike", "token"): ["none"],
            ("checklists", "token"): runs,
            ("checklists", "checklist_id"): [CHECKLIST],
            ("checklists", "section_id"): ["s1"],
            ("checklists", "question_id"): ["q1"],
            ("checklists", "advice_id"): ["r1"],
            ("checklists", "filename"): ["print.css"],
            ("updates", "token"): updates,
            ("documents", "token"): [*session.scalars(select(PluginDocument.token)), "none"],
            ("operator", "name"): ["checklists", "orchard"],
            ("api", "token"): [*projects, *updates],
            ("comments", "token"): list(session.scalars(select(Comment.token))),
            ("activities", "token"): activities,
            ("unsubscribe", "token"): list(session.scalars(select(NotificationSubscriber.token))),
            ("officers", "username"): list(session.scalars(officers)),
            ("searches", "token"): [*session.scalars(select(SavedSearch.token)), "none"],
            ("", "slug"): [node.name],
            ("", "webhook_id"): ["1", "2"],
            ("", "council_id"): [str(number) for number in session.scalars(select(Council.id))],
            ("", "report_id"): [str(number) for number in session.scalars(select(Report.id))],
            ("", "number"): [str(number) for number in buckets],
            ("", "kind"): ["ChecklistResult"],
            ("", "version"): ["2.0", "2.1"],
            ("", "filename"): ["moothall.css"],
            ("", "colour"): ["1d5b4f"],
        }
