"""Activities: made by us, and read again."""

from typing import Any

import pytest

from federation import vocabulary
from federation.addressing import PUBLIC_COLLECTION
from federation.vocabulary import Activity, Tombstone
from tests.federation_library.peer import ACTOR
from tests.federation_library.test_vocabulary import BASE, GROUP, NOTE, PROJECT

MAKERS = [
    (vocabulary.create, "Create", PROJECT.dump()),
    (vocabulary.update, "Update", PROJECT.dump()),
    (vocabulary.delete, "Delete", Tombstone(PROJECT.id).dump()),
    (vocabulary.like, "Like", PROJECT.dump()),
    (vocabulary.announce, "Announce", vocabulary.create(f"{BASE}/c", ACTOR, NOTE.dump())),
    (vocabulary.accept, "Accept", {"id": "https://x.example/1", "actor": "https://x.example/a"}),
    (vocabulary.reject, "Reject", {"id": "https://x.example/1", "actor": "https://x.example/a"}),
    (vocabulary.undo, "Undo", vocabulary.follow(f"{BASE}/2", ACTOR, "https://x.example/a")),
]


@pytest.mark.parametrize("make, kind, embedded", MAKERS)
def test_activities_are_made(make: Any, kind: str, embedded: dict[str, Any]) -> None:
    made = make(f"{BASE}/activities/1", ACTOR, embedded, to=[PUBLIC_COLLECTION])
    assert "@context" in made
    assert "@context" not in made["object"]
    activity = Activity.parse(made)
    assert (activity.id, activity.type, activity.actor) == (f"{BASE}/activities/1", kind, ACTOR)
    assert (activity.object_id, activity.to, activity.cc) == (
        embedded["id"],
        (PUBLIC_COLLECTION,),
        (),
    )
    assert activity.dump() == made


def test_an_activity_is_for_a_group() -> None:
    made = vocabulary.create(
        f"{BASE}/1", ACTOR, NOTE.dump(), [PUBLIC_COLLECTION], audience=GROUP.id
    )
    assert made["audience"] == Activity.parse(made).audience == GROUP.id


def test_what_a_proof_covers_is_embedded_as_it_is() -> None:
    proven = vocabulary.create(f"{BASE}/1", ACTOR, NOTE.dump()) | {"proof": {"type": "x"}}
    assert vocabulary.announce(f"{BASE}/2", GROUP.id, proven)["object"] == proven
    foreign = {"@context": "https://www.w3.org/ns/activitystreams", "id": "https://x.example/1"}
    assert vocabulary.announce(f"{BASE}/2", GROUP.id, foreign)["object"] == foreign


def test_a_report_names_several_objects() -> None:
    made = vocabulary.flag(f"{BASE}/1", ACTOR, ["https://x.example/a", "https://x.example/1"], "No")
    assert made["object"] == ["https://x.example/a", "https://x.example/1"]
    report = Activity.parse(made)
    assert (report.object, report.object_id) == (None, None)
    assert (report.objects, report.content) == (
        ("https://x.example/a", "https://x.example/1"),
        "No",
    )
    assert len(Activity.parse(made | {"object": [str(i) for i in range(999)]}).objects) == 100


def test_a_move_says_from_where_to_where() -> None:
    made = vocabulary.move(f"{BASE}/1", ACTOR, "https://new.example/a", [f"{ACTOR}/followers"])
    moved = Activity.parse(made)
    assert (moved.actor, moved.object_id, moved.target) == (ACTOR, ACTOR, "https://new.example/a")


def test_a_block_is_told_to_the_blocked() -> None:
    made = vocabulary.block(f"{BASE}/1", ACTOR, "https://x.example/a")
    assert (made["object"], made["to"]) == ("https://x.example/a", ["https://x.example/a"])


def test_answers_go_to_whom_they_concern() -> None:
    asked = vocabulary.follow(f"{BASE}/2", ACTOR, "https://x.example/a")
    assert asked["to"] == ["https://x.example/a"]
    assert vocabulary.accept("https://x.example/3", "https://x.example/a", asked)["to"] == [ACTOR]
    assert vocabulary.reject("https://x.example/3", "https://x.example/a", asked)["to"] == [ACTOR]
    assert vocabulary.undo(f"{BASE}/4", ACTOR, asked)["to"] == ["https://x.example/a"]
    assert "to" not in vocabulary.undo(f"{BASE}/4", ACTOR, asked["id"])
