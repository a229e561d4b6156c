"""Everything is connected: views with permissions, forms with tokens, links with pages, queues with
jobs, and jobs with a sweeper.
"""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import inspect

from node import schema_migrations
from node.access.permissions import all_permissions
from node.database.tables import Base
from node.queue import pruning
from node.request import PUBLIC
from node.rooms import ROOMS
from node.testing.nodes import Nodes, TestNode
from node.web.request_lifecycle import permission_of

ROOT = Path(__file__).parents[2]
# Signed by their senders, who have no form of ours.
# A part of an address that is one of several words.
CHOICE = re.compile(r"<any\((\w+)[^>]*>")
ENDPOINT = re.compile(r"""url_for\(\s*["']([\w.]+)["']""")

# Tables without a retention, and what else limits them.
OWN = "grows with the council's own people and projects, and is theirs to delete"
BY_COUNCIL = "a limited number for each council that ours follows"
AT_ONCE = "the surplus is deleted when a row is added: delete_surplus"
DONE = "deleted once it is done"
UNPRUNED = {
    "actor_key": "at most 20 per actor; old ones of ours are deleted when the overlap ends",
    "adoption": "limited per server, and in all while held: adoption_service",
    "api_token": "valid ones are limited per person, who makes each by hand",
    "audit_entry": "the council's record of what it did; entries of others have a quota: runtime",
    "backfill": BY_COUNCIL,
    "block": "limited in all: actor_blocks.MAX_BLOCKS",
    "bucket": BY_COUNCIL,
    "clock": "one row",
    "comment": "limited per actor, per server, and in all while held: remote_comments",
    "comparison": BY_COUNCIL,
    "council": BY_COUNCIL,
    "departure": DONE,
    "follow": "limited per server and in all: following",
    "hand_over": OWN,
    "hourly_job": "one row per job",
    "imported_project": OWN,
    "local_service": OWN,
    "long_write": DONE,
    "notice_choice": OWN,
    "notice_subscriber": OWN,
    "peer": AT_ONCE,
    "peer_list": "one row per list that the operator chose",
    "plugin_document": "limited per council and type: plugin_documents.service.MAX_PER_COUNCIL",
    "plugin_failure": AT_ONCE,
    "plugin_job": "one row per job of a plugin",
    "plugin_switch": "one row per plugin",
    "plugin_value": "one row per setting of a plugin",
    "project": "limited per council that ours follows: remote_projects.MAX_PER_COUNCIL",
    "project_mark": DONE,
    "project_relation": "a limited number per project",
    "project_update": "a limited number per project that others wrote: updates.MAX_PER_PROJECT",
    "project_version": OWN,
    "refusal_count": AT_ONCE,
    "reminder": "deleted when the project is confirmed",
    "report": AT_ONCE,
    "review": OWN,
    "role": OWN,
    "saved_search": "limited per person: saved_searches.MAX_PER_PERSON",
    "search_entry": "one row per project",
    "search_output": "one row per output of a project",
    "statement": "limited per server: same_need.service.MAX_PER_HOST",
    "user_role": OWN,
    "users": OWN,
    "watch": OWN,
    "webhook": "limited per person: webhooks.service.MAX_PER_PERSON",
}

# The wiring is the same on every database.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)


@pytest.fixture
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.started[0] if lasting_nodes.started else lasting_nodes.start("aldermoor")


def addresses(council: TestNode, method: str) -> dict[str, str]:
    """Every route that answers `method`, each with an address that leads to it."""
    return {
        re.sub("<.*?>", "1", CHOICE.sub(r"\1", rule.rule)): rule.endpoint
        for rule in council.app.url_map.iter_rules()
        if method in (rule.methods or ())
    }


def test_every_view_needs_a_permission_that_a_role_has(council: TestNode) -> None:
    known = {item.name for item in all_permissions(council.node.hooks)} | {PUBLIC}
    needed = {name: permission_of(council.app, name) for name in council.app.view_functions}
    assert {name: one for name, one in needed.items() if one not in known} == {}


def test_a_stranger_is_let_in_where_it_says_so_and_nowhere_else(council: TestNode) -> None:
    visitor = council.visitor()
    visitor.visit("/sign-in")
    token = visitor.form("sign-in").values["csrf_token"]
    let_in = []
    for method, data in (("GET", {}), ("POST", {"csrf_token": token})):
        for address, endpoint in addresses(council, method).items():
            if permission_of(council.app, endpoint) != PUBLIC:
                answer = visitor.client.open(address, method=method, data=data)
                back = quote(address, safe="/") if method == "GET" else "/"
                if (answer.status_code, answer.location) != (302, f"/sign-in?next={back}"):
                    let_in.append((method, address, answer.status))
    assert let_in == []


def test_every_form_is_refused_without_its_token(council: TestNode) -> None:
    client = council.visitor("operator").client
    # The API has no forms: who shows no token of a program is not known there.
    posted = addresses(council, "POST")
    api = {address for address in posted if address.startswith("/api/")}
    assert {client.post(address).status_code for address in api} == {401}
    accepted = {
        address: answer.status
        for address in posted
        if address not in api
        and (
            (answer := client.post(address, headers={"Accept": "application/json"})).status_code,
            (answer.get_json() or {}).get("code"),
        )
        != (400, "form-expired")
    }
    assert accepted == {}


def test_every_link_in_the_code_leads_somewhere(council: TestNode) -> None:
    sources = [
        path
        for folder in ("node", "plugins")
        for kind in ("py", "html")
        for path in (ROOT / folder).rglob(f"*.{kind}")
    ]
    linked = {
        (str(path.relative_to(ROOT)), name)
        for path in sources
        for name in ENDPOINT.findall(path.read_text())
    }
    assert len(linked) > 20
    assert {link for link in linked if link[1] not in council.app.view_functions} == set()


def test_the_jobs_are_registered(council: TestNode) -> None:
    """Each of them runs every minute: see `tests/faults/test_engine_away.py`."""
    assert council.node.jobs.names >= {
        "deliver",
        "inbox",
        "inbox-fetching",
        "backfill",
        "compare",
        "mail",
        "notices",
    }


def test_every_queue_has_a_job(council: TestNode) -> None:
    """A table whose rows are leased is a queue; each is worked off by a job that is registered."""
    queues = {
        table.name
        for table in schema_migrations.load_metadata().tables.values()
        if "leased_until" in table.c
    }
    assert queues == {
        "delivery",
        "inbox_item",
        "backfill",
        "comparison",
        "departure",
        "peer_list",
        "mail",
        "webhook_message",
    }


@pytest.mark.usefixtures("council")
def test_every_table_is_pruned_or_limited_otherwise() -> None:
    """Tables of plugins, which have `__` in their names, are the plugins' own concern."""
    tables = {name for name in Base.metadata.tables if "__" not in name}
    declared = [*pruning.RETENTION, *(item for room in ROOMS for item in room.retention)]
    pruned = {retention.model.__tablename__ for retention in declared}
    assert len({retention.name for retention in declared}) == len(declared)
    assert pruned & UNPRUNED.keys() == set()
    assert pruned | UNPRUNED.keys() == tables


def test_every_owner_of_tables_has_one_newest_migration(council: TestNode) -> None:
    owners = {history.owner for history in schema_migrations.list_histories(council.node.hooks)}
    assert set(schema_migrations.find_heads(council.node.hooks)) == owners
    with council.reading() as session:
        assert schema_migrations.list_pending(session.get_bind().engine, council.node.hooks) == []
        tables = set(inspect(session.get_bind()).get_table_names())
    assert {
        item.version_table for item in schema_migrations.list_histories(council.node.hooks)
    } <= tables
