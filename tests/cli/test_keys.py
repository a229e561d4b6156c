"""New keys for a node: what others take, before, between and after (must 20)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, literal, select, update

from node.access.visibility import Visibility
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Actor, ActorKey, Delivery, OutboxActivity
from node.operating import key_rotation
from node.projects.models import Project, ProjectState
from node.settings import ENVIRONMENT_PREFIX
from node.testing.fake_peer import FakeActor, FakePeer, SignedMessage
from node.testing.nodes import Nodes, TestNode
from tests.cli.conftest import Command
from tests.faults.many_rows import MOST_AT_ONCE, fill, finish, is_finished, recorded
from tests.federation.converging import count_requests
from tests.federation.talking import read
from tests.federation.test_main_job import follow, publish
from tests.visibility.town import write

PROJECTS = 250
WHOLE = {"council": "/councils/aldermoor", "node": "/actor"}


@pytest.fixture
def pair(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> tuple[TestNode, TestNode]:
    """Two councils, the second follows the first; commands are about the first."""
    here, there = nodes.pair()
    use(here, monkeypatch)
    follow(nodes, there, here)
    return here, there


def use(node: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are about this node."""
    for name in ("base_url", "database_url", "secret_key"):
        monkeypatch.setenv(
            ENVIRONMENT_PREFIX + name.upper(), str(getattr(node.node.settings, name))
        )


def signed(here: TestNode, there: TestNode) -> SignedMessage:
    """Something that the council says to `there`, signed with the key that it signs with now."""
    with here.reading() as session:
        actor = session.scalars(select(Actor).where(Actor.uri == here.council_uri)).one()
        who = FakeActor(FakePeer(here.host), actor.uri, actors.get_signing_key(actor))
    return who.sign(who.build_activity("Like", "x", id=f"{actor.uri}#{now().timestamp()}"), there)


def name_of(key_id: str) -> str:
    """`main-key-2` of `…#main-key-2-9f31c0`, whose end is random."""
    return re.sub("(-[0-9]+)-[0-9a-f]{6}$", r"\1", key_id.partition("#")[2])


def listed(node: TestNode, path: str) -> list[str]:
    """The names of the keys in a document."""
    document = read(node, path)
    older = document.get("verificationMethod", [])
    found = [document["publicKey"], *older, *document["assertionMethod"]]
    return [name_of(key["id"]) for key in found]


def known(node: TestNode, uri: str) -> set[str]:
    with node.reading() as session:
        keys = select(ActorKey.key_id).join(Actor).where(Actor.uri == uri)
        return {name_of(key_id) for key_id in session.scalars(keys)}


def told(nodes: Nodes, here: TestNode) -> None:
    """What a command left to be done is done; a minute has passed."""
    here.node.invalidate_caches()
    for node in nodes.started:
        node.node.key_document_cache.clear()
    here.node.jobs.wake(Delivery.JOB)
    nodes.run_until_idle()
    for node in nodes.started:
        node.node.invalidate_caches()


def overlap_ends(nodes: Nodes, here: TestNode) -> None:
    long_ago = now() - key_rotation.KEY_OVERLAP - timedelta(minutes=1)
    with here.work() as work:
        old = update(ActorKey).where(ActorKey.retired_at.is_not(None))
        work.session.execute(old.values(retired_at=long_ago))
    here.node.jobs.wake(key_rotation.JOB)
    told(nodes, here)


def test_must_20_what_an_old_key_signed_counts_for_a_while(
    pair: tuple[TestNode, TestNode], nodes: Nodes, moothall: Command
) -> None:
    here, there = pair
    path = publish(here, "Before")
    nodes.run_until_idle()
    before = [signed(here, there) for _ in range(3)]
    done = moothall("council", "rotate-keys")
    assert done == (0, "New keys for 3 actors of this server\n", "")
    here.node.invalidate_caches()
    assert before[0].send(there).status_code == 202, "known"
    new = ["main-key-2", "main-key", "ed25519-key-2", "ed25519-key"]
    for document in (*WHOLE.values(), f"{path}/group"):
        assert listed(here, document) == new
    told(nodes, here)
    assert known(there, here.council_uri) == set(new), "its followers are told"
    assert before[1].send(there).status_code == 202, "and take the old one still"
    overlap_ends(nodes, here)
    assert listed(here, WHOLE["council"]) == ["main-key-2", "ed25519-key-2"]
    assert known(there, here.council_uri) == {"main-key-2", "ed25519-key-2"}
    there.node.key_document_cache.clear()
    assert before[2].send(there).status_code == 401
    assert signed(here, there).send(there).status_code == 202


def test_must_38_an_actor_has_one_public_key_and_the_old_one_is_found_until_it_expires(
    pair: tuple[TestNode, TestNode], nodes: Nodes, moothall: Command
) -> None:
    here, _follower = pair
    stranger = nodes.start("cragford", federation="open")
    path = publish(here, "Before")
    before = [signed(here, stranger) for _ in range(2)]
    for number in (2, 3):
        moothall("council", "rotate-keys")
        told(nodes, here)
        for actor in (*WHOLE.values(), f"{path}/group"):
            key = read(here, actor)["publicKey"]
            assert key["id"].partition("#")[0] == key["owner"]
            assert name_of(key["id"]) == f"main-key-{number}"
    assert before[0].send(stranger).status_code == 202, "found at its own id by who knew no key"
    overlap_ends(nodes, here)
    assert "verificationMethod" not in read(here, WHOLE["council"])
    with stranger.work() as work:
        work.session.execute(delete(Actor).where(~Actor.is_local))
    assert before[1].send(stranger).status_code == 401


def test_must_20_a_new_key_is_fetched_once_by_who_was_not_told(
    pair: tuple[TestNode, TestNode], nodes: Nodes, moothall: Command
) -> None:
    here, there = pair
    moothall("council", "rotate-keys")
    here.node.invalidate_caches()
    there.node.key_document_cache.clear()
    asked = count_requests(nodes, here)
    assert [signed(here, there).send(there).status_code for _ in range(3)] == [202] * 3
    assert asked == [f"GET {WHOLE['council']}"]


def test_a_stolen_key_is_dropped_at_once(
    pair: tuple[TestNode, TestNode], nodes: Nodes, moothall: Command
) -> None:
    here, there = pair
    stolen = signed(here, there)
    assert moothall("council", "rotate-keys", "--drop-old").code == 0
    told(nodes, here)
    assert known(there, here.council_uri) == {"main-key-2", "ed25519-key-2"}
    there.node.key_document_cache.clear()
    assert stolen.send(there).status_code == 401
    publish(here, "After")
    nodes.run_until_idle()
    assert "After" in there.visitor().visit("/projects").text


def test_keys_are_changed_again_and_again(
    pair: tuple[TestNode, TestNode], nodes: Nodes, moothall: Command
) -> None:
    here, there = pair
    path = publish(here, "Bins")
    for number in (2, 3, 4):
        assert moothall("council", "rotate-keys").code == 0
        told(nodes, here)
        assert listed(here, WHOLE["council"])[0] == f"main-key-{number}"
        assert listed(here, f"{path}/group")[0] == f"main-key-{number}"
        assert signed(here, there).send(there).status_code == 202
    overlap_ends(nodes, here)
    assert listed(here, WHOLE["council"]) == ["main-key-4", "ed25519-key-4"]
    # What begins later begins with the keys of now, and reading is signed with them.
    later = publish(here, "Later")
    assert listed(here, f"{later}/group") == ["main-key-4", "ed25519-key-4"]
    write(there, "For peers", Visibility.peers, ProjectState.published)
    follow(nodes, here, there)
    assert "For peers" in here.visitor("officer").visit("/projects").text


def with_many_projects(node: TestNode) -> None:
    """Projects whose actors have the keys of the council, as all have."""
    node.publish("Bins")
    with node.reading() as session:
        project = session.scalars(select(Project)).one()
        group, keys = project.actor, project.council.actor.keys
    assert group is not None
    base = literal(f"{node.node.settings.base_url}/projects/")
    uri_of = base.concat
    group_of = lambda number: uri_of(number).concat("/group")  # noqa: E731
    name_of = lambda number: literal("bins-").concat(number)  # noqa: E731
    fill(node, Actor, PROJECTS, **values_of(group) | {"uri": group_of, "username": name_of})
    actor = lambda number: (  # noqa: E731
        select(Actor.id).where(Actor.uri == base.concat(number).concat("/group")).scalar_subquery()
    )
    own = {"uri": uri_of, "token": name_of, "actor_id": actor}
    fill(node, Project, PROJECTS, **values_of(project) | own)
    with node.work() as work:
        for key in keys:
            key_id = Actor.uri.concat(f"#{key.key_id.partition('#')[2]}")
            same = [literal(value) for value in (key.public_pem, key.private_pem, key.asserts)]
            copied = select(Actor.id, key_id, *same).where(Actor.kind == group.kind)
            columns = ["actor_id", "key_id", "public_pem", "private_pem", "asserts"]
            copied = copied.where(Actor.id != group.id)
            work.session.execute(insert(ActorKey).from_select(columns, copied))


def values_of(row: Actor | Project) -> dict[str, Any]:
    """All of a row but its id."""
    names = [column.key for column in type(row).__table__.c]
    return {name: getattr(row, name) for name in names if name != "id"}


def check_keys(node: TestNode, *, is_changed: bool) -> None:
    """Each actor has one key of each kind to sign with."""
    with node.reading() as session:
        for actor in session.scalars(select(Actor).where(Actor.is_local)):
            signing = [key for key in actor.keys if key.retired_at is None]
            assert [key.asserts for key in signing] == [False, True], actor.uri
            if is_changed:
                assert {name_of(key.key_id) for key in signing} == {"main-key-2", "ed25519-key-2"}


def count_told(node: TestNode) -> int:
    """How many actors of projects say what their documents are now."""
    with node.reading() as session:
        groups = OutboxActivity.type == "Update", OutboxActivity.actor.has(Actor.kind == "Group")
        return (
            session.scalar(select(func.count(OutboxActivity.actor_id.distinct())).where(*groups))
            or 0
        )


@pytest.mark.parametrize("options", [(), ("--drop-old",)])
def test_many_actors_get_new_keys_in_portions(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch, moothall: Command, options: tuple[str, ...]
) -> None:
    here = nodes.start("aldermoor")
    use(here, monkeypatch)
    with_many_projects(here)
    with recorded(here, by_command=True) as found:
        done = moothall("council", "rotate-keys", *options)
    assert done.out == f"New keys for {PROJECTS + 3} actors of this server\n"
    check_keys(here, is_changed=True)
    assert count_old(here) == (0 if options else 2 * (PROJECTS + 3))
    assert count_told(here) == PROJECTS + 1
    assert max(found.sizes) <= MOST_AT_ONCE / 2
    assert len(found.sizes) >= PROJECTS / 25
    assert found.of_others >= len(found.sizes) / 2
    assert is_finished(here)


@pytest.mark.parametrize("options", [(), ("--drop-old",)])
@pytest.mark.parametrize("after", [2, 6])
def test_a_rotation_that_was_killed_is_finished_by_the_job(
    nodes: Nodes,
    monkeypatch: pytest.MonkeyPatch,
    moothall: Command,
    after: int,
    options: tuple[str, ...],
) -> None:
    """While the keys are changed, and while followers are told."""
    here = nodes.start("aldermoor")
    use(here, monkeypatch)
    with_many_projects(here)

    def end() -> None:
        if len(found.sizes) == after:
            raise SystemExit(9)

    with recorded(here, by_command=True) as found:
        found.on_commit = end
        assert moothall("council", "rotate-keys", *options).code == 9
    assert count_told(here) < PROJECTS + 1
    with here.reading() as session:
        council = select(ActorKey.key_id).join(Actor).where(Actor.uri == here.council_uri)
        assert "main-key-2" in {name_of(key_id) for key_id in session.scalars(council)}
    check_keys(here, is_changed=False)
    for _keys_then_telling in range(2):
        finish(here)
    check_keys(here, is_changed=True)
    assert count_old(here) == (0 if options else 2 * (PROJECTS + 3))
    assert count_told(here) == PROJECTS + 1
    assert is_finished(here)


def count_old(node: TestNode) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).where(ActorKey.retired_at.is_not(None))) or 0
