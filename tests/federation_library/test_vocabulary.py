"""Documents: ours come back as they were, others' are read leniently or refused."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import vocabulary
from federation.addressing import PUBLIC_COLLECTION
from federation.errors import DocumentError, FederationError
from federation.signatures import PublicKey, generate_ed25519, public_pem
from federation.vocabulary import (
    ActorDocument,
    Article,
    Collection,
    CollectionPage,
    Note,
    ProjectDetails,
    ProjectDocument,
    Relationship,
    Tombstone,
    parse,
    parse_json,
)
from node.testing.requirements import end_as_not_run
from tests.federation_library.peer import ACTOR, HOST, public_key

BASE = f"https://{HOST}"
AT = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)

COUNCIL = ActorDocument(
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
        PublicKey(
            f"{ACTOR}#ed25519", ACTOR, public_pem(generate_ed25519()), is_assertion_method=True
        ),
    ),
    also_known_as=("https://old.example/actor",),
    moved_to="https://new.example/actor",
    digest=f"{ACTOR}/digest",
    gss_code="E06000063",
    generator=f"{BASE}/actor",
    implements=(vocabulary.RFC9421_CAPABILITY,),
)
GROUP = ActorDocument(
    id=f"{BASE}/projects/1/group",
    type="Group",
    inbox=f"{BASE}/projects/1/inbox",
    attributed_to=ACTOR,
)
NODE = ActorDocument(
    id=f"{BASE}/actor",
    type="Application",
    inbox=f"{BASE}/inbox",
    implements=(vocabulary.RFC9421_CAPABILITY, "https://x.example/other"),
)
PROJECT = Article(
    id=f"{BASE}/projects/1",
    name="Reporting damp",
    content="<p>Tenants report <b>damp</b>.</p>",
    attributed_to=ACTOR,
    url=f"{BASE}/projects/1",
    published=AT,
    updated=AT + timedelta(days=1),
    to=(PUBLIC_COLLECTION,),
    cc=(f"{ACTOR}/followers",),
    tags=({"type": "Hashtag", "name": "#housing", "href": f"{BASE}/tags/housing"},),
    context=f"{BASE}/projects/1/context",
    audience=GROUP.id,
    language="en",
    content_map={"en": "<p>Tenants report <b>damp</b>.</p>", "cy": "<p>Tamprwydd.</p>"},
    name_map={"en": "Reporting damp", "cy": "Adrodd tamprwydd"},
    project=ProjectDetails(
        "Damp, reported once", "alpha", "Tenants report **damp**.", 3, "public", "01JDXY-3"
    ),
    full_document=f"{BASE}/projects/1/document",
)
WHOLE = ProjectDocument(
    id=f"{BASE}/projects/1/document",
    project=PROJECT.id,
    name="Reporting damp",
    attributed_to=ACTOR,
    details=ProjectDetails(phase="alpha", visibility="peers", revision="7"),
    content="<p>Tenants report <b>damp</b>.</p>",
    url=f"{BASE}/projects/1",
    published=AT,
    updated=AT,
)
NOTE = Note(
    id=f"{BASE}/notes/1",
    content="<p>It works.</p>",
    attributed_to=ACTOR,
    url=f"{BASE}/notes/1",
    in_reply_to=PROJECT.id,
    context=f"{PROJECT.id}/context",
    audience=GROUP.id,
    language="cy",
    content_map={"cy": "<p>It works.</p>"},
    published=AT,
    updated=AT,
    to=(PUBLIC_COLLECTION,),
    cc=(),
)
DOCUMENTS: list[Any] = [
    COUNCIL,
    GROUP,
    NODE,
    PROJECT,
    WHOLE,
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


def test_every_term_that_we_send_is_defined() -> None:
    """Beside the terms of AS2 and of the security contexts, there are only our inline ones."""
    standard = set(
        """
        id type name nameMap content contentMap attributedTo url published updated to cc audience
        context tag source mediaType preferredUsername summary inbox outbox followers endpoints
        sharedInbox icon publicKey owner publicKeyPem controller publicKeyMultibase generator href
        inReplyTo
        """.split()  # noqa: SIM905 -- words
    )
    sent = set().union(*(names(document.dump(context=False)) for document in DOCUMENTS[:6]))
    assert sent - standard <= set(vocabulary.CONTEXT[-1])
    assert {"phase", "revision", "projects", "digest", "gssCode", "implements"} <= sent


def names(value: Any) -> set[str]:
    """The names of all properties, those of embedded documents too, less languages."""
    if isinstance(value, list):
        return set().union(*(names(item) for item in value))
    if not isinstance(value, dict):
        return set()
    inner = [names(item) for name, item in value.items() if not name.endswith("Map")]
    return set(value).union(*inner)


def test_what_is_not_said_to_be_public_is_for_peers() -> None:
    dumped = PROJECT.dump()
    for stated in ("peers", "private", "everybody", "Public", None, 5, ["public"]):
        article = Article.parse(dumped | {"visibility": stated})
        assert article.project
        assert article.project.visibility == "peers"
    del dumped["visibility"]
    article = Article.parse(dumped)
    assert article.project
    assert article.project.visibility == "peers"


@pytest.mark.parametrize("revision", ["x" * 41, "a b", "caf\u00e9", "", 5, None, ["x"], "x\n"])
def test_a_revision_that_cannot_be_one_is_none(revision: Any) -> None:
    article = Article.parse(PROJECT.dump() | {"revision": revision})
    assert article.project
    assert article.project.revision == ""


@pytest.mark.parametrize("code", ["E0600006", "E060000630", "e06000063", "X06000063", 6, None])
def test_a_code_that_is_no_gss_code(code: Any) -> None:
    assert ActorDocument.parse(COUNCIL.dump() | {"gssCode": code}).gss_code is None


def test_capabilities_are_read_where_either_kind_of_actor_says_them() -> None:
    assert NODE.dump()["implements"][0] == {
        "type": "Link",
        "href": "https://datatracker.ietf.org/doc/html/rfc9421",
        "name": "RFC-9421: HTTP Message Signatures",
    }
    generator = COUNCIL.dump()["generator"]
    assert (generator["type"], generator["id"]) == ("Application", f"{BASE}/actor")
    by_id = ActorDocument.parse(COUNCIL.dump() | {"generator": f"{BASE}/actor"})
    assert (by_id.generator, by_id.implements) == (f"{BASE}/actor", ())
    nameless = {"type": "Application", "implements": vocabulary.RFC9421_CAPABILITY}
    found = ActorDocument.parse(COUNCIL.dump() | {"generator": nameless})
    assert (found.generator, found.implements) == (None, (vocabulary.RFC9421_CAPABILITY,))
    for junk_value in (5, [5, {}, None], {"href": 5}):
        assert ActorDocument.parse(NODE.dump() | {"implements": junk_value}).implements == ()


def test_a_text_in_one_language_says_which() -> None:
    note = Note(id=f"{BASE}/1", content="<p>Helo</p>", attributed_to=ACTOR, language="cy")
    assert note.dump()["contentMap"] == {"cy": "<p>Helo</p>"}
    only_map: dict[str, Any] = {"type": "Note", "id": f"{BASE}/1", "attributedTo": ACTOR}
    only_map["contentMap"] = {"cy": "<p>Helo</p>", "en": "<p>Hello</p>", "not a tag": "x", "": "x"}
    read = Note.parse(only_map)
    assert (read.content, read.language) == ("<p>Helo</p>", "cy")
    assert read.content_map == {"cy": "<p>Helo</p>", "en": "<p>Hello</p>"}
    many = {f"en-x{number}": "x" for number in range(100)}
    assert len(Note.parse(only_map | {"contentMap": many}).content_map) == 30


def test_details_are_read_with_a_prefix_too() -> None:
    dumped = PROJECT.dump(context=False)
    for term in ("phase", "plainSummary", "projectVersion", "revision", "visibility"):
        dumped[f"moothall:{term}"] = dumped.pop(term)
    assert Article.parse(dumped) == PROJECT


def test_an_article_of_another_server_is_no_project() -> None:
    document = {"type": "Article", "id": f"{BASE}/1", "attributedTo": ACTOR, "name": None}
    article = Article.parse(document)
    assert (article.project, article.name) == (None, "")


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
        ActorDocument.parse(COUNCIL.dump() | changes)
    assert wrong.value.property_name == problem


def test_addresses_of_another_origin_are_not_the_actors() -> None:
    elsewhere = "https://victim.example/inbox"
    document = COUNCIL.dump() | {
        "outbox": elsewhere,
        "followers": elsewhere,
        "projects": elsewhere,
        "endpoints": {"sharedInbox": elsewhere},
    }
    actor = ActorDocument.parse(document)
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
        end_as_not_run(f"there are no documents of real servers in {activities()}")
    read: dict[str, str] = {}
    for file in files:
        try:
            read[file.name] = type(parse(parse_json(file.read_bytes()))).__name__
        except FederationError as error:
            read[file.name] = str(error)
    assert read["mastodon-create-note.json"] == "Activity"
    assert read["mastodon-academy-actor.json"] == "ActorDocument"
    assert read["lemmy-actor-group.json"] == "ActorDocument"
    assert read["mewmew-actor-no-name.json"] == "ActorDocument"
    assert read["wordpress-article.json"] == "Article"
    assert read["nodebb-article.json"] == "Article"
    assert read["spoofed-object.json"] == "Note"
    refused = {name for name, outcome in read.items() if " " in outcome}
    assert refused == {"c2s-create-no-id.json"}


def test_collections_of_ours_have_an_order() -> None:
    assert Collection(id=BASE).dump()["type"] == "OrderedCollection"
    assert CollectionPage(id=BASE, part_of=BASE).dump()["type"] == "OrderedCollectionPage"


def test_a_relationship_comes_back_as_it_was() -> None:
    same = Relationship(
        id=f"{BASE}/same/1",
        attributed_to=ACTOR,
        subject="https://x.example/1",
        object="https://y.example/2",
        relationship="https://moothall.org/ns#similar",
        published=AT,
    )
    assert Relationship.parse(same.dump()) == same
    assert Relationship.parse(same.dump(context=False)) == same
    assert Relationship.parse(same.dump() | {"relationship": 5}).relationship == ""
    for missing in ("id", "attributedTo", "subject", "object"):
        with pytest.raises(DocumentError):
            Relationship.parse(same.dump() | {missing: None})
    with pytest.raises(DocumentError):
        Relationship.parse(same.dump() | {"type": "Note"})
