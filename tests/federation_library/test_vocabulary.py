"""Documents: ours come back as they were, others' are read leniently or refused."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import vocabulary
from federation.addressing import PUBLIC, Audience, audience, is_public, recipients
from federation.errors import DocumentError, FederationError
from federation.reading import link, moment, text, texts_by_language, written
from federation.signatures import PublicKey, generate_ed25519, public_pem
from federation.vocabulary import (
    Activity,
    Actor,
    Article,
    Collection,
    CollectionPage,
    Note,
    ProjectDetails,
    Tombstone,
    id_of,
    ids_of,
    parse,
    parse_json,
    type_of,
)
from node.testing.missing import missing
from tests.federation_library.peer import ACTOR, HOST, KEY_ID, public_key

BASE = f"https://{HOST}"
AT = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)

COUNCIL = Actor(
    id=ACTOR,
    type="Organization",
    inbox=f"{ACTOR}/inbox",
    preferred_username="barrowdale",
    name="Barrowdale Council",
    summary="<p>A council.</p>",
    url=f"{BASE}/",
    outbox=f"{ACTOR}/outbox",
    followers=f"{ACTOR}/followers",
    projects=f"{ACTOR}/projects",
    shared_inbox=f"{BASE}/inbox",
    icon=f"{BASE}/logo.png",
    public_keys=(
        public_key(),
        PublicKey(f"{ACTOR}#ed25519", ACTOR, public_pem(generate_ed25519())),
    ),
    also_known_as=("https://old.example/actor",),
    moved_to="https://new.example/actor",
)
PROJECT = Article(
    id=f"{BASE}/projects/1",
    name="Reporting damp",
    content="<p>Tenants report <b>damp</b>.</p>",
    attributed_to=ACTOR,
    url=f"{BASE}/projects/1",
    published=AT,
    updated=AT + timedelta(days=1),
    to=(PUBLIC,),
    cc=(f"{ACTOR}/followers",),
    tags=({"type": "Hashtag", "name": "#housing", "href": f"{BASE}/tags/housing"},),
    project=ProjectDetails("Damp, reported once", "alpha", "Tenants report **damp**.", 3, "public"),
    full_document=f"{BASE}/projects/1/document",
)
NOTE = Note(
    id=f"{BASE}/notes/1",
    content="<p>It works.</p>",
    attributed_to=ACTOR,
    url=f"{BASE}/notes/1",
    in_reply_to=PROJECT.id,
    context=f"{PROJECT.id}/context",
    published=AT,
    updated=AT,
    to=(PUBLIC,),
    cc=(),
)
DOCUMENTS = [
    COUNCIL,
    PROJECT,
    NOTE,
    Article(id=f"{BASE}/1", name="", content="", attributed_to=ACTOR),
    Tombstone(PROJECT.id, "Article", AT),
    Tombstone(PROJECT.id),
    Collection(f"{ACTOR}/outbox", 0, first=f"{ACTOR}/outbox?page=1", last=f"{ACTOR}/outbox?page=9"),
    Collection(f"{ACTOR}/x", 2, items=("https://x.example/1", {"id": "https://x.example/2"})),
    Collection(f"{ACTOR}/x", 0, items=(), is_ordered=False),
    CollectionPage(
        f"{ACTOR}/outbox?page=2",
        f"{ACTOR}/outbox",
        ("https://x.example/1",),
        f"{ACTOR}/outbox?page=3",
        f"{ACTOR}/outbox?page=1",
        41,
    ),
    CollectionPage(None, None, (), is_ordered=False),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
@pytest.mark.parametrize("context", [True, False])
def test_ours_come_back_as_they_were(document: Any, context: bool) -> None:
    dumped = document.dump(context=context)
    assert ("@context" in dumped) is context
    assert parse(dumped) == document


def test_a_project_reads_well_without_knowing_us() -> None:
    dumped = PROJECT.dump()
    assert dumped["type"] == "Article"
    assert dumped["name"] == "Reporting damp"
    assert "summary" not in dumped  # Mastodon shows it as a content warning.
    assert dumped["source"] == {
        "content": "Tenants report **damp**.",
        "mediaType": "text/markdown",
    }
    assert dumped["tag"][-1] == {
        "type": "Link",
        "mediaType": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
        "href": f"{BASE}/projects/1/document",
    }


def test_every_term_of_ours_is_defined_inline() -> None:
    terms = vocabulary.CONTEXT[-1]
    standard = set(
        """
        id type name content attributedTo url published updated to cc tag source preferredUsername
        summary inbox outbox followers endpoints icon publicKey assertionMethod
        """.split()  # noqa: SIM905 -- words
    )
    sent = {*PROJECT.dump(context=False), *COUNCIL.dump(context=False)}
    assert sent - standard <= set(terms)
    assert {"phase", "plainSummary", "projectVersion", "visibility", "projects"} <= set(terms)


def test_details_are_read_with_a_prefix_too() -> None:
    dumped = PROJECT.dump(context=False)
    for term in ("phase", "plainSummary", "projectVersion", "visibility"):
        dumped[f"moothall:{term}"] = dumped.pop(term)
    assert Article.parse(dumped) == PROJECT


def test_an_article_of_another_server_is_no_project() -> None:
    document = {"type": "Article", "id": f"{BASE}/1", "attributedTo": ACTOR, "name": None}
    article = Article.parse(document)
    assert (article.project, article.name) == (None, "")


MAKERS = [
    (vocabulary.create, "Create", PROJECT.dump()),
    (vocabulary.update, "Update", PROJECT.dump()),
    (vocabulary.delete, "Delete", Tombstone(PROJECT.id).dump()),
    (vocabulary.accept, "Accept", {"id": "https://x.example/1", "actor": "https://x.example/a"}),
    (vocabulary.reject, "Reject", {"id": "https://x.example/1", "actor": "https://x.example/a"}),
    (vocabulary.undo, "Undo", vocabulary.follow(f"{BASE}/2", ACTOR, "https://x.example/a")),
]


@pytest.mark.parametrize("make, kind, embedded", MAKERS)
def test_activities_are_made(make: Any, kind: str, embedded: dict[str, Any]) -> None:
    made = make(f"{BASE}/activities/1", ACTOR, embedded, to=[PUBLIC])
    assert "@context" in made
    assert "@context" not in made["object"]
    activity = Activity.parse(made)
    assert (activity.id, activity.type, activity.actor) == (f"{BASE}/activities/1", kind, ACTOR)
    assert (activity.object_id, activity.to, activity.cc) == (embedded["id"], (PUBLIC,), ())
    assert activity.dump() == made


def test_answers_go_to_whom_they_concern() -> None:
    asked = vocabulary.follow(f"{BASE}/2", ACTOR, "https://x.example/a")
    assert asked["to"] == ["https://x.example/a"]
    assert vocabulary.accept("https://x.example/3", "https://x.example/a", asked)["to"] == [ACTOR]
    assert vocabulary.reject("https://x.example/3", "https://x.example/a", asked)["to"] == [ACTOR]
    assert vocabulary.undo(f"{BASE}/4", ACTOR, asked)["to"] == ["https://x.example/a"]
    assert "to" not in vocabulary.undo(f"{BASE}/4", ACTOR, asked["id"])


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"id": None}, "id"),
        ({"type": None}, "type"),
        ({"type": 5}, "type"),
        ({"type": "Note"}, "type"),
        ({"inbox": None}, "inbox"),
        ({"inbox": "https://victim.example/inbox"}, "inbox"),
        ({"id": "https://x.example/" + "x" * 2000}, "id"),
    ],
)
def test_what_is_no_actor(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(DocumentError) as wrong:
        Actor.parse(COUNCIL.dump() | changes)
    assert wrong.value.property_name == problem


def test_addresses_of_another_origin_are_not_the_actors() -> None:
    elsewhere = "https://victim.example/inbox"
    document = COUNCIL.dump() | {
        "outbox": elsewhere,
        "followers": elsewhere,
        "projects": elsewhere,
        "endpoints": {"sharedInbox": elsewhere},
    }
    actor = Actor.parse(document)
    assert (actor.outbox, actor.followers, actor.projects, actor.shared_inbox) == (None,) * 4


@pytest.mark.parametrize("total", ["5", 5.5, -1, True, [5], 2**31])
def test_totals_are_numbers(total: Any) -> None:
    for kind in ("OrderedCollection", "CollectionPage"):
        with pytest.raises(DocumentError):
            parse({"type": kind, "id": f"{BASE}/1", "totalItems": total})


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "href", "url", "content", "owner"]), inner)
    ),
    max_leaves=6,
)
KNOWN_TYPES: list[str] = [
    "Organization",
    "Article",
    "Note",
    "Tombstone",
    "Collection",
    "CollectionPage",
    "Create",
]


@given(st.sampled_from(DOCUMENTS), st.sampled_from(KNOWN_TYPES), st.data())
@settings(deadline=None, max_examples=300)
def test_nothing_but_document_errors(document: Any, kind: str, data: st.DataObject) -> None:
    dumped = document.dump() | {"type": kind}
    names = st.lists(
        st.sampled_from([*dumped, "object", "actor", "items", "contentMap"]), max_size=4
    )
    for name in data.draw(names):
        dumped[name] = data.draw(junk)
    with suppress(DocumentError):
        parse(dumped)


def activities() -> Path:
    default = Path(__file__).parents[3] / "shared" / "data"
    return Path(os.environ.get("MOOTHALL_SHARED_DATA", default)) / "activities"


def test_documents_of_real_servers_are_read_or_refused() -> None:
    files = sorted(activities().glob("*.json"))
    if not files:
        missing(f"there are no documents of real servers in {activities()}")
    read: dict[str, str] = {}
    for file in files:
        try:
            read[file.name] = type(parse(parse_json(file.read_bytes()))).__name__
        except FederationError as error:
            read[file.name] = str(error)
    assert read["mastodon-create-note.json"] == "Activity"
    assert read["mastodon-academy-actor.json"] == "Actor"
    assert read["lemmy-actor-group.json"] == "Actor"
    assert read["mewmew-actor-no-name.json"] == "Actor"
    assert read["wordpress-article.json"] == "Article"
    assert read["nodebb-article.json"] == "Article"
    assert read["spoofed-object.json"] == "Note"
    refused = {name for name, outcome in read.items() if " " in outcome}
    assert refused == {"c2s-create-no-id.json"}


def test_one_or_many_and_ids() -> None:
    assert id_of("https://x.example/1") == "https://x.example/1"
    assert id_of({"id": "https://x.example/1"}) == "https://x.example/1"
    assert id_of(["https://x.example/1"]) == "https://x.example/1"
    assert [id_of(value) for value in (None, "", 5, {}, {"id": 5}, [], ["a", "b"])] == [None] * 7
    assert ids_of(None) == ()
    assert ids_of(["a", {"id": "b"}, "a", None, 5]) == ("a", "b")
    assert [type_of({"type": value}) for value in ("A", ["A", "B"], [5, "B"], None, 5)] == [
        "A",
        "A",
        "B",
        "",
        "",
    ]


def test_texts_by_language() -> None:
    document = {"nameMap": {"cy": "Cyngor", "en": "Council", "x": 5}, "content": "<p>"}
    assert texts_by_language(document, "name") == {"cy": "Cyngor", "en": "Council"}
    assert text(document, "name") == "Cyngor"
    assert text(document, "content") == "<p>"
    assert text({"name": 5, "nameMap": []}, "name") is None


def test_links() -> None:
    page = {"type": "Link", "mediaType": "text/html", "href": "https://x.example/page"}
    audio = {"type": "Link", "mediaType": "audio/ogg", "href": "https://x.example/audio"}
    assert link([audio, page]) == "https://x.example/page"
    assert link([audio, "https://x.example/plain"]) == "https://x.example/plain"
    assert link(audio) == "https://x.example/audio"
    nothing: list[Any] = [None, 5, {}, [], {"href": 5}, "/x", "javascript:alert(1)"]
    assert [link(value) for value in nothing] == [None] * 7
    assert link(["javascript:alert(1)", page]) == "https://x.example/page"


@pytest.mark.parametrize(
    "value, read",
    [
        ("2026-11-23T12:30:15Z", AT.replace(microsecond=0)),
        ("2026-11-23T12:30:15.123456789Z", AT),
        ("2026-11-23T13:30:15+01:00", AT.replace(microsecond=0)),
        ("2026-11-23T12:30:15", AT.replace(microsecond=0)),
        ("2026-11-23 12:30:15z", AT.replace(microsecond=0)),
        ("0001-01-01T00:00:00+23:59", None),
        ("0001-01-01T00:00:00Z", None),
        ("1969-12-31T23:59:59Z", None),
        ("3000-01-01T00:00:00Z", None),
        ("2999-12-31T23:59:59Z", datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("2" * 100, None),
        (5, None),
        (None, None),
    ],
)
def test_times_are_read_leniently(value: Any, read: datetime | None) -> None:
    assert moment(value) == read


@given(st.timedeltas(timedelta(days=-20_000), timedelta(days=40_000)), st.integers(-12, 14))
def test_times_come_back_as_they_were(distance: timedelta, zone: int) -> None:
    value = (AT + distance).astimezone(timezone(timedelta(hours=zone)))
    assert moment(written(value)) == value
    assert written(value).endswith("Z")


def test_addressing() -> None:
    followers = f"{ACTOR}/followers"
    for public in (PUBLIC, "as:Public", "Public", [PUBLIC], ["x", {"id": PUBLIC}]):
        assert is_public(public)
        assert is_public(None, public)
        assert audience(None, public, followers) is Audience.public
    assert not is_public(None)
    assert not is_public(["https://www.w3.org/ns/activitystreams"], [])
    assert audience(followers, KEY_ID, followers) is Audience.followers
    assert audience(KEY_ID, None, followers) is Audience.direct
    assert audience(None, None, None) is Audience.direct
    assert recipients([PUBLIC, "a", "b"], ["b", "as:Public", {"id": "c"}]) == ("a", "b", "c")
