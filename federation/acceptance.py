"""The fixed order in which the inbox checks a request, before any part of it is stored.

Size and type -> host allowed -> parse -> digest -> date -> key (known, or one fetch) -> signature
-> the key's owner is the actor, or forwards an activity that the actor proves -> origins.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from federation.errors import AddressError, DocumentError, Refusal, RefusalReason
from federation.origin import check_id, same_origin
from federation.proofs import check_proof
from federation.properties import JsonObject, id_of, ids_of
from federation.signatures import (
    PublicKey,
    Signature,
    SignedRequest,
    check_body_and_date,
    check_signature,
    parse_signature,
)
from federation.vocabulary import Activity, parse_json
from federation.vocabulary.activity_types import DELETE, activity_type

CONTENT_TYPES = frozenset({"application/activity+json", "application/ld+json"})
# Reasons to reject a proof that another key would not change.
PROOF_FORMAT_REASONS = frozenset({RefusalReason.proof_missing, RefusalReason.proof_malformed})
# Maximum age of the proof of a forwarded activity. Older ones may be replays of activities that
# were received, undone and forgotten.
MAX_FORWARDED_AGE = timedelta(days=14)


class KeyStore(Protocol):
    """Source of public keys."""

    def get_stored(self, key_id: str) -> PublicKey | None:
        """Return the stored key, without using the network."""

    def fetch(self, key_id: str) -> PublicKey:
        """Fetch the key from its owner's document. At most one fetch per key and minute.

        Raises `Refusal`: key_not_found, key_gone, key_not_owned or key_unusable; key_unreachable,
        too_many_keys or busy if the same message may be accepted later.
        """


@dataclass(frozen=True)
class InboxPolicy:
    """Limits that the operator sets for incoming requests.

    `is_host_allowed` receives `host`, or `host:port` if the port is not the scheme's default.
    `plain_http_hosts` holds the `host:port` pairs whose ids may use plain http. Activities made
    before `history_start` may have been received and forgotten; None means that only those older
    than `MAX_FORWARDED_AGE` are forgotten.
    """

    is_host_allowed: Callable[[str], bool]
    max_bytes: int = 1_048_576
    plain_http_hosts: Collection[str] = frozenset()
    history_start: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """An activity sent by `key.owner`, or proved by it and sent by `forwarded_by`.

    `body` holds the exact bytes received. `is_embedded_trusted`: the embedded object belongs to the
    actor and can be used as it is; otherwise it must be fetched from its own origin, or dropped.
    `covered_components` holds the lower-case names of the headers that the actor's signature
    covers; the author of any other header is unknown. `is_unverified`: `forwarded_by` sent an
    activity without a proof, so only its object may be used, after a fetch from the object's
    origin.
    """

    activity: Activity
    key: PublicKey
    body: bytes
    is_embedded_trusted: bool
    covered_components: frozenset[str] = frozenset()
    forwarded_by: str | None = None
    is_unverified: bool = False


@dataclass(frozen=True)
class Ignored:
    """A request to answer with 202 without storing anything, since a retry would not help.

    `deleted_actor`: the id of an actor that was deleted according to an unproven activity.
    `refusal`: why the activity is not trusted, for the operator's statistics.
    """

    reason: str
    deleted_actor: str | None = None
    refusal: Refusal | None = None


def accept(
    request: SignedRequest, policy: InboxPolicy, key_store: KeyStore, now: datetime
) -> Accepted | Ignored:
    """Check a request to an inbox. Raises `Refusal` for the first check that fails."""
    _check_size_and_type(request, policy)
    signature = parse_signature(request)
    _check_signer_host(signature, policy)
    activity = _parse_activity(request, policy)
    check_body_and_date(request, signature, now)
    _check_replay(signature, policy)
    known_key = key_store.get_stored(signature.key_id)
    if known_key is None and activity.type == DELETE and activity.object_id == activity.actor:
        # Servers announce a deleted account to every server they know; its key is gone by then.
        return Ignored("an actor with an unknown key was deleted", activity.actor)
    key = _signing_key(signature, known_key, key_store, now)
    _check_key_origin(key)
    if key.owner == activity.actor:
        trusted = _check_origins(activity)
        return Accepted(activity, key, request.body, trusted, signature.covered_components)
    if "proof" not in activity.raw and _has_linked_data_signature(activity):
        return _accept_unverified(activity, key, request.body, policy)
    proof_key = _check_forwarded(activity, key.owner, policy, key_store, now)
    trusted = _check_origins(activity)
    return Accepted(activity, proof_key, request.body, trusted, forwarded_by=key.owner)


def _accept_unverified(
    activity: Activity, key: PublicKey, body: bytes, policy: InboxPolicy
) -> Accepted | Ignored:
    """Accept a forwarded activity whose object can be fetched from the actor's origin.

    Such activities carry a Linked Data Signature, which is not checked. Servers such as Mastodon
    forward activities this way and would retry after a refusal, so the others are ignored.
    """
    uri = activity.object_id
    if activity.type == DELETE and uri == activity.actor:
        return Ignored("an unproven deletion of an actor", activity.actor)
    if (
        not activity_type(activity.type).is_shown_by_object
        or uri is None
        or not same_origin(uri, activity.actor)
    ):
        detail = f"{activity.actor}, {activity.type}, key of {key.owner}"
        return Ignored("not proven", refusal=Refusal(RefusalReason.actor_not_key_owner, detail))
    _check_actor_host(activity.actor, policy)
    _check_origins(activity)
    return Accepted(activity, key, body, False, forwarded_by=key.owner, is_unverified=True)


def identify_signer(
    request: SignedRequest, policy: InboxPolicy, key_store: KeyStore, now: datetime
) -> PublicKey:
    """Return the key that signed a GET request, as its owner's document lists it.

    Raises `Refusal`; for a host that is not allowed, before anything is fetched.
    """
    signature = parse_signature(request)
    _check_signer_host(signature, policy)
    check_body_and_date(request, signature, now)
    key = _signing_key(signature, key_store.get_stored(signature.key_id), key_store, now)
    _check_key_origin(key)
    return key


@dataclass(frozen=True)
class VerifiedDocument:
    """An embedded document that can be used without fetching it.

    `is_embedded_trusted`: the document is an activity whose embedded object can be used as well.
    """

    document: JsonObject
    is_embedded_trusted: bool


@dataclass(frozen=True)
class MustFetch:
    """The embedded document `uri` is not proven and must be fetched from its own origin."""

    uri: str


def verify_embedded(
    embedded: str | JsonObject | None,
    forwarder: str,
    policy: InboxPolicy,
    key_store: KeyStore,
    now: datetime,
) -> VerifiedDocument | MustFetch:
    """Decide whether to trust an activity or object that `forwarder` refers to or embeds.

    It is trusted if it has the origin of the forwarder, or a proof by its own actor or author.
    `forwarder`: id of the forwarding actor, or of the document in which this one was embedded.
    Raises `Refusal` (host_not_allowed) before anything is fetched from a server that is not
    allowed, `Refusal` (origin_mismatch) for an activity about an object that is not the actor's,
    and `DocumentError` for an unreadable document.
    """
    uri = id_of(embedded) or ""
    try:
        host = check_id(uri, policy.plain_http_hosts).authority
    except AddressError as error:
        raise DocumentError("object", "no usable ID") from error
    if not policy.is_host_allowed(host):
        raise Refusal(RefusalReason.host_not_allowed, host)
    if not isinstance(embedded, dict) or not _may_speak_for(uri, embedded):
        return MustFetch(uri)
    if not same_origin(uri, forwarder):
        try:
            _check_proof(embedded, key_store, now)
        except Refusal:
            return MustFetch(uri)
    trusted = "actor" in embedded and _check_origins(Activity.parse(embedded))
    return VerifiedDocument(embedded, trusted)


def _check_size_and_type(request: SignedRequest, policy: InboxPolicy) -> None:
    if len(request.body) > policy.max_bytes:
        raise Refusal(RefusalReason.too_large, f"{len(request.body)} bytes")
    content_type = request.headers.get("content-type") or ""
    if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        raise Refusal(RefusalReason.wrong_type, content_type[:100])


def _check_signer_host(signature: Signature, policy: InboxPolicy) -> None:
    try:
        host = check_id(signature.key_id, policy.plain_http_hosts).authority
    except AddressError as error:
        raise Refusal(RefusalReason.key_not_found, f"the key's id: {error}") from error
    if not policy.is_host_allowed(host):
        raise Refusal(RefusalReason.host_not_allowed, host)


def _check_replay(signature: Signature, policy: InboxPolicy) -> None:
    """Refuse signatures from before the stored history, which may be replays."""
    since = policy.history_start
    if since is not None and signature.is_older_than(since):
        raise Refusal(RefusalReason.date_outside_window, "from before the history stored here")


def _parse_activity(request: SignedRequest, policy: InboxPolicy) -> Activity:
    document = parse_json(request.body)
    try:
        activity = Activity.parse(document)
        check_id(activity.id, policy.plain_http_hosts)
        check_id(activity.actor, policy.plain_http_hosts)
    except (DocumentError, AddressError) as error:
        raise Refusal(RefusalReason.not_activity, error.safe_text) from error
    return activity


def _signing_key(
    signature: Signature, known_key: PublicKey | None, key_store: KeyStore, now: datetime
) -> PublicKey:
    """Return the key that verifies the signature: the known one, else a freshly fetched one."""
    if known_key is not None:
        try:
            check_signature(signature, known_key, now)
        except Refusal:
            pass
        else:
            return known_key
    key = key_store.fetch(signature.key_id)
    check_signature(signature, key, now)
    return key


def _check_key_origin(key: PublicKey) -> None:
    if not same_origin(key.key_id, key.owner):
        raise Refusal(RefusalReason.key_not_owned, f"{key.owner} and {key.key_id} differ in origin")


def _check_forwarded(
    activity: Activity, sender: str, policy: InboxPolicy, key_store: KeyStore, now: datetime
) -> PublicKey:
    """Return the key that proves an activity forwarded by the key owner `sender`."""
    if "proof" not in activity.raw:
        raise Refusal(RefusalReason.actor_not_key_owner, f"{activity.actor}, key of {sender}")
    _check_actor_host(activity.actor, policy)
    oldest = now - MAX_FORWARDED_AGE
    return _check_proof(activity.raw, key_store, now, max(oldest, policy.history_start or oldest))


def _check_actor_host(actor: str, policy: InboxPolicy) -> None:
    host = check_id(actor, policy.plain_http_hosts).authority
    if not policy.is_host_allowed(host):
        raise Refusal(RefusalReason.host_not_allowed, host)


def _has_linked_data_signature(activity: Activity) -> bool:
    """Whether the activity carries the signature that Mastodon adds so that it can be forwarded."""
    return isinstance(activity.raw.get("signature"), dict)


def _check_proof(
    document: JsonObject, key_store: KeyStore, now: datetime, oldest: datetime | None = None
) -> PublicKey:
    """Return the key that proves the document: the known one, else a freshly fetched one."""
    try:
        return check_proof(document, lambda key_id: _get_known_key(key_id, key_store), now, oldest)
    except Refusal as refusal:
        if refusal.reason in PROOF_FORMAT_REASONS:
            raise
    return check_proof(document, key_store.fetch, now, oldest)


def _get_known_key(key_id: str, key_store: KeyStore) -> PublicKey:
    key = key_store.get_stored(key_id)
    if key is None:
        raise Refusal(RefusalReason.key_not_found)
    return key


def _check_origins(activity: Activity) -> bool:
    """Check that id and object belong to the actor. Returns whether the embedded one does too."""
    if not same_origin(activity.id, activity.actor):
        raise Refusal(RefusalReason.origin_mismatch, f"{activity.actor} sent {activity.id}")
    uri = activity.object_id
    if activity_type(activity.type).has_own_object and (
        uri is None or not same_origin(uri, activity.actor)
    ):
        raise Refusal(RefusalReason.origin_mismatch, f"{activity.actor}, {activity.type} of {uri}")
    return isinstance(activity.object, dict) and _may_speak_for(activity.actor, activity.object)


def _may_speak_for(actor: str, document: JsonObject) -> bool:
    """Whether an embedded document, its authors and its own actor have the origin of `actor`."""
    authors = ids_of(document.get("attributedTo")) + ids_of(document.get("actor"))
    uri = document.get("id")
    return isinstance(uri, str) and all(same_origin(owned, actor) for owned in (uri, *authors))
