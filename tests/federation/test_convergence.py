"""Two councils that lost touch agree again by themselves, whatever was lost on the way."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from node.database.tables import now
from node.federating.models import Comparison, Delivery, Follow, RemoteTombstone
from node.projects.models import DigestBucket, Project, ProjectState
from node.testing.nodes import Nodes, TestNode
from node.testing.postgres import PostgresServer
from tests.federation.converging import (
    backup,
    change,
    change_update,
    compare,
    comparison,
    count_requests,
    forget_deliveries,
    held,
    held_updates,
    lose_deliveries,
    publish,
    remove,
    remove_update,
    said,
    tell,
    unreachable,
)
from tests.federation.test_main_job import follow

Pair = tuple[TestNode, TestNode]
Restoring = Callable[[TestNode], Callable[[], None]]


@pytest.fixture
def pair(nodes: Nodes) -> Pair:
    """Who publishes, and who follows; three projects have arrived."""
    here, there = nodes.pair()
    follow(nodes, there, here)
    publish(here, "Bins", "Potholes", "Libraries")
    nodes.run_until_idle()
    assert len(held(there, here)) == 3
    return here, there


@pytest.fixture
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Restoring:
    """`restore = kept(node)` copies its database; `restore()` puts the copy back."""

    def postgres() -> PostgresServer:
        server: PostgresServer = request.getfixturevalue("postgres")
        return server

    return lambda one: backup(one, postgres, tmp_path)


def agree(here: TestNode, there: TestNode) -> None:
    """Both have the same projects and updates of `here`, in the same state, and know it."""
    assert held(there, here) == held(here, here)
    assert held_updates(there, here) == held_updates(here, here)
    assert comparison(there).agreed_at is not None
    assert comparison(there).outcome == ""


def test_what_is_equal_costs_one_request(nodes: Nodes, pair: Pair) -> None:
    here, there = pair
    tell(here, "Bins", "Begun.")
    nodes.run_until_idle()
    compare(nodes, there)
    asked = count_requests(nodes, here)
    compare(nodes, there)
    assert asked == [f"GET /councils/{here.name}/projects/digest"]
    agree(here, there)


def test_a_node_that_was_off_for_a_month_catches_up_when_it_starts(
    nodes: Nodes, pair: Pair
) -> None:
    """Nothing is asked for but what differs, and nobody has to do anything."""
    here, there = pair
    compare(nodes, there)
    publish(here, "Parking", visibility="peers")
    nodes.run_until_idle()
    with unreachable(nodes, there):
        publish(here, "Trees")
        publish(here, "Benches", visibility="peers")
        change(here, "Bins", "Bins in one step")
        change(here, "Libraries", "Libraries", visibility="private")
        change(here, "Parking", "Parking", visibility="public")
        remove(here, "Potholes")
        nodes.run_until_idle()
        lose_deliveries(here)
    with there.work() as work:  # a month has passed
        past = now() - timedelta(days=30)
        work.session.execute(update(Comparison).values(due_at=past, compared_at=past))
    asked = count_requests(nodes, here)
    there.node.jobs.wake(Comparison.JOB)
    nodes.run_until_idle()
    agree(here, there)
    titles = {title for _, title in held(there, here).values()}
    assert titles == {"Trees", "Benches", "Bins in one step", "Parking"}
    assert len([one for one in asked if not re.search("/projects/digest|/context$", one)]) == 6
    page = there.visitor().visit("/projects").text
    assert "Bins in one step</a>" in page
    assert "Potholes" not in page
    assert "Libraries</a>" not in page  # the subject of that name is in its form


@pytest.mark.parametrize("lose", [lose_deliveries, forget_deliveries])
def test_what_was_never_told_of_projects_is_found(
    lose: Callable[[TestNode], None], nodes: Nodes, pair: Pair
) -> None:
    """Updates that were written, changed and deleted; nothing is asked for but these."""
    here, there = pair
    tell(here, "Bins", "Begun.", "Tried.", "Measured.")
    nodes.run_until_idle()
    compare(nodes, there)
    agree(here, there)
    with unreachable(nodes, there):
        tell(here, "Potholes", "Filled.")
        change_update(here, "Begun.", "Begun again.")
        remove_update(here, "Tried.")
        lose(here)
    nodes.run_until_idle()
    assert said(there, here) == {"Begun.", "Tried.", "Measured."}
    asked = count_requests(nodes, here)
    compare(nodes, there)
    agree(here, there)
    assert said(there, here) == {"Begun again.", "Measured.", "Filled."}
    assert len([one for one in asked if not re.search("/projects/digest|/context$", one)]) == 3


def test_a_project_is_asked_for_before_its_updates(nodes: Nodes, pair: Pair) -> None:
    """Whatever order they stand in, each is asked for once."""
    here, there = pair
    compare(nodes, there)
    with unreachable(nodes, there):
        publish(here, "Trees", "Benches")
        for title in ("Trees", "Benches"):
            tell(here, title, *(f"{title} {number}" for number in range(15)))
        forget_deliveries(here)
    asked = count_requests(nodes, here)
    compare(nodes, there)
    agree(here, there)
    assert len(said(there, here)) == 30
    assert len([one for one in asked if not re.search("/projects/digest|/context$", one)]) == 32


def test_an_update_whose_project_was_never_heard_of_brings_both(nodes: Nodes, pair: Pair) -> None:
    here, there = pair
    with unreachable(nodes, there):
        publish(here, "Trees")
        forget_deliveries(here)
    with there.work() as work:  # the last comparison is some time ago, the next one far away
        past, future = now() - timedelta(hours=1), now() + timedelta(hours=5)
        work.session.execute(update(Comparison).values(compared_at=past, due_at=future))
    tell(here, "Trees", "Planted.")
    nodes.run_until_idle()
    assert said(there, here) == {"Planted."}
    agree(here, there)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_project_that_is_shown_again_gets_its_updates_back(
    is_told: bool, nodes: Nodes, pair: Pair
) -> None:
    here, there = pair
    tell(here, "Bins", "Begun.", "Tried.")
    nodes.run_until_idle()
    change(here, "Bins", "Bins", visibility="private")
    nodes.run_until_idle()
    assert said(there, here) == set()
    page = there.visitor().visit("/projects").text
    assert "Bins" not in page
    remove_update(here, "Tried.")
    tell(here, "Bins", "Measured.")
    change(here, "Bins", "Bins")
    if not is_told:
        forget_deliveries(here)
    nodes.run_until_idle()
    if not is_told:
        assert said(there, here) == set()
        compare(nodes, there)
    agree(here, there)
    assert said(there, here) == {"Begun.", "Measured."}


def test_updates_of_what_was_deleted_or_hidden_while_we_were_away_go(
    nodes: Nodes, pair: Pair
) -> None:
    here, there = pair
    tell(here, "Bins", "Begun.")
    tell(here, "Potholes", "Filled.")
    tell(here, "Libraries", "Opened.")
    nodes.run_until_idle()
    with unreachable(nodes, there):
        remove(here, "Bins")
        change(here, "Potholes", "Potholes", visibility="private")
        forget_deliveries(here)
    compare(nodes, there)
    agree(here, there)
    assert said(there, here) == {"Opened."}


def test_what_is_for_peers_alone_is_in_their_digest_alone(nodes: Nodes, pair: Pair) -> None:
    here, there = pair
    tell(here, "Bins", "Begun.")
    everybodys = count(here)
    change(here, "Bins", "Bins", visibility="peers")
    assert count(here) == everybodys - 2
    nodes.run_until_idle()
    compare(nodes, there)
    agree(here, there)
    assert said(there, here) == {"Begun."}


def test_a_follower_restored_from_an_old_backup_catches_up(
    nodes: Nodes, pair: Pair, kept: Restoring
) -> None:
    here, there = pair
    restore = kept(there)
    publish(here, "Trees")
    change(here, "Bins", "Bins in one step")
    remove(here, "Potholes")
    nodes.run_until_idle()
    assert held(there, here) == held(here, here)
    restore()
    assert held(there, here) != held(here, here)
    compare(nodes, there)
    agree(here, there)


def test_an_origin_restored_from_an_old_backup_is_the_truth(
    nodes: Nodes, pair: Pair, kept: Restoring
) -> None:
    """What was changed, deleted or published since is as it was: its own node says so."""
    here, there = pair
    restore = kept(here)
    publish(here, "Trees")
    change(here, "Bins", "Bins in one step")
    remove(here, "Potholes")
    nodes.run_until_idle()
    restore()
    compare(nodes, there)
    agree(here, there)
    assert {title for _, title in held(there, here).values()} == {"Bins", "Potholes", "Libraries"}
    with there.reading() as session:
        assert session.scalars(select(RemoteTombstone.uri)).all() == []
    publish(here, "Benches")
    change(here, "Potholes", "Potholes again")
    nodes.run_until_idle()
    assert held(there, here) == held(here, here), "what is sent arrives as ever"


def test_an_origin_restored_to_before_we_followed_is_followed_again(
    nodes: Nodes, kept: Restoring
) -> None:
    here, there = nodes.pair()
    publish(here, "Bins")
    nodes.run_until_idle()
    restore = kept(here)
    follow(nodes, there, here)
    restore()
    compare(nodes, there)
    with here.reading() as session:
        assert session.scalars(select(Follow.state)).all() == ["accepted"]
    publish(here, "Potholes")
    nodes.run_until_idle()
    assert held(there, here) == held(here, here)


def test_a_follower_restored_to_before_it_followed_is_no_longer_sent_to(
    nodes: Nodes, kept: Restoring
) -> None:
    here, there = nodes.pair()
    restore = kept(there)
    follow(nodes, there, here)
    restore()
    publish(here, "Bins")
    nodes.run_until_idle()
    with here.reading() as session:
        assert session.scalars(select(Follow.id)).all() == []


@pytest.mark.parametrize("lose", [lose_deliveries, forget_deliveries])
def test_what_was_never_delivered_is_found(
    lose: Callable[[TestNode], None], nodes: Nodes, pair: Pair
) -> None:
    here, there = pair
    with unreachable(nodes, there):
        publish(here, "Trees")
        change(here, "Bins", "Bins in one step")
        remove(here, "Potholes")
        lose(here)
    nodes.run_until_idle()
    assert held(there, here) != held(here, here)
    compare(nodes, there)
    agree(here, there)
    with here.reading() as session:
        waiting = select(Delivery.id).where(Delivery.state == "pending")
        assert session.scalars(waiting).all() == []


def test_what_many_were_missed_is_read_page_by_page(
    nodes: Nodes, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.sync.comparison.MIN_FETCH_LIMIT", 20)
    monkeypatch.setattr("node.sync.views.MAX_PAGE_ITEMS", 11)
    here, there = pair
    with unreachable(nodes, there):
        publish(here, *(f"Project {number}" for number in range(30)))
        forget_deliveries(here)
    asked = count_requests(nodes, here)
    compare(nodes, there)
    agree(here, there)
    assert len(held(there, here)) == 33
    assert len([one for one in asked if not one.endswith("/context")]) < 15


def test_a_council_that_was_deleted_while_we_were_away_is_left_as_it_was(
    nodes: Nodes, pair: Pair
) -> None:
    """Its server is gone: nothing is removed, since nobody said so; and we do not ask for ever."""
    here, there = pair
    before = held(there, here)
    with unreachable(nodes, here):
        for _ in range(6):
            compare(nodes, there)
        row = comparison(there)
        assert held(there, here) == before
        assert "could not be reached" in row.outcome
        assert row.due_at > now() + timedelta(hours=4)


def test_a_delete_that_comes_late_does_not_hide_what_is_shown_again(
    nodes: Nodes, pair: Pair
) -> None:
    """A mark of a deletion that its origin takes back goes when its origin is asked."""
    here, there = pair
    with there.work() as work:
        project = work.session.scalars(select(Project).where(Project.title == "Bins")).one()
        mark = RemoteTombstone(uri=project.uri, actor_id=project.council.actor_id)
        work.session.add(mark)
        project.state = ProjectState.deleted
        project.erase()
    assert len(held(there, here)) == 2
    compare(nodes, there)
    agree(here, there)
    with there.reading() as session:
        assert session.scalars(select(RemoteTombstone.uri)).all() == []


def test_digests_never_drift(nodes: Nodes, pair: Pair) -> None:
    """After every change the digest is what it would be if it were made from nothing."""
    here, there = pair
    for number in range(3):
        publish(here, f"Trees {number}")
        tell(here, f"Trees {number}", f"Planted {number}.", f"Watered {number}.")
        digest(here)
        change_update(here, f"Planted {number}.", f"Planted all {number}.")
        digest(here)
        remove_update(here, f"Watered {number}.")
        digest(here)
        change(here, f"Trees {number}", f"Woods {number}", visibility="peers")
        nodes.run_until_idle()
        compare(nodes, there)
        first = digest(here)
        with here.work() as work:
            work.session.execute(delete(DigestBucket))
        assert digest(here) == first
    remove(here, "Woods 0")
    nodes.run_until_idle()
    compare(nodes, there)
    agree(here, there)


def digest(one: TestNode) -> str:
    found: str = _digest(one)["digest"]
    return found


def count(one: TestNode) -> int:
    """How many documents everybody may read."""
    found: int = _digest(one)["totalItems"]
    return found


def _digest(one: TestNode) -> dict[str, Any]:
    path = f"/councils/{one.name}/projects/digest"
    answer = one.app.test_client().get(path, headers={"Accept": "application/activity+json"})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found
