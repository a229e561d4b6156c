"""The fixed order in which the inbox judges a request, before anything of it is stored.

Size and type -> host allowed -> parse -> digest -> date -> key (known, or one fetch) -> signature
-> the key's owner is the actor, or has passed on what the actor proves -> origins.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from federation.errors import AddressError, DocumentError, Reason, Refusal
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

CONTENT_TYPES = frozenset({"application/activity+json", "application/ld+json"})
# Activities by which an actor speaks about its own object only.
OWN_OBJECT_TYPES = frozenset({"Update", "Delete"})
# Activities of which nothing but the object counts: as its own origin has it, or that it is gone.
OBJECT_ONLY_TYPES = frozenset({"Create", "Update", "Delete"})
# What is wrong with a proof whatever its key is.
PROOF_FORMAT_REASONS = frozenset({Reason.proof_missing, Reason.proof_malformed})
# What was proven before that is no news that anybody has to pass on: it would be said once more,
# when nobody remembers that it was said, and taken back.
MAX_FORWARDED_AGE = timedelta(days=14)


class KeyStore(Protocol):
    """Where public keys come from."""

    def known(self, key_id: str) -> PublicKey | None:
        """The key as it was last seen, without any network."""

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner lists it now. At most one fetch per key and minute.

        Raises `Refusal`: key_not_found, key_gone, key_not_owned, key_unusable; key_unreachable,
        too_many_keys or busy where the same message may be taken later.
        """


@dataclass(frozen=True)
class InboxPolicy:
    """What the operator decided.

    `host_allowed` is asked about `host`, or `host:port` where the port is not the scheme's own.
    `plain_http` names the `host:port` whose ids may be plain http. What was said before
    `remembers_since` may have been heard and forgotten; None: nothing is forgotten but what is
    older than `PASSED_ON_WITHIN`.
    """

    host_allowed: Callable[[str], bool]
    max_bytes: int = 1_048_576
    plain_http: Collection[str] = frozenset()
    history_start: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """`key.owner` sent `activity`, byte for byte `body`; or proved it, and `forwarded_by` sent it.

    `embedded_trusted`: it embeds its object and may speak for it. Otherwise the object has to be
    fetched from its own origin, or dropped. `covered` names the headers, in lower case, that the
    signature of the actor covers: of no other is known who wrote it. `is_hearsay`: `forwarded_by`
    sent it, and nobody has proved it; only the object counts, as it is at its own origin.
    """

    activity: Activity
    key: PublicKey
    body: bytes
    embedded_trusted: bool
    covered: frozenset[str] = frozenset()
    forwarded_by: str | None = None
    is_unverified: bool = False


@dataclass(frozen=True)
class Ignored:
    """To be answered 202, storing nothing, since sending it again would be in vain.

    `deleted_actor`: the id of an actor that is said, unproven, to be deleted. `refusal`: why it is
    not believed, to be counted.
    """

    reason: str
    deleted_actor: str | None = None
    refusal: Refusal | None = None


def accept(
    request: SignedRequest, policy: InboxPolicy, keys: KeyStore, now: datetime
) -> Accepted | Ignored:
    """Judge a request to an inbox. Raises `Refusal` with the first thing that is wrong."""
    _check_size_and_type(request, policy)
    signature = parse_signature(request)
    _check_host(signature, policy)
    activity = _parse_activity(request, policy)
    check_body_and_date(request, signature, now)
    _check_replay(signature, policy)
    known = keys.known(signature.key_id)
    if known is None and activity.type == "Delete" and activity.object_id == activity.actor:
        # A deleted actor's key is gone, and its server tells everybody: there is nothing to fetch.
        return Ignored("an actor whose key is unknown here was deleted", activity.actor)
    key = _signing_key(signature, known, keys, now)
    _check_key_origin(key)
    if key.owner == activity.actor:
        trusted = _check_origins(activity)
        return Accepted(activity, key, request.body, trusted, signature.covered)
    if "proof" not in activity.raw and _has_linked_data_signature(activity):
        return _accept_unverified(activity, key, request.body, policy)
    proven = _check_forwarded(activity, key.owner, policy, keys, now)
    trusted = _check_origins(activity)
    return Accepted(activity, proven, request.body, trusted, forwarded_by=key.owner)


def _accept_unverified(
    activity: Activity, key: PublicKey, body: bytes, policy: InboxPolicy
) -> Accepted | Ignored:
    """An activity that somebody else sent with a Linked Data Signature, which is not looked at. It
    counts where its own origin can be asked about its object. Servers such as Mastodon pass on
    everything so, and would do again what is refused.
    """
    uri = activity.object_id
    if activity.type == "Delete" and uri == activity.actor:
        return Ignored("an actor is said to be deleted", activity.actor)
    if (
        activity.type not in OBJECT_ONLY_TYPES
        or uri is None
        or not same_origin(uri, activity.actor)
    ):
        detail = f"{activity.actor}, {activity.type}, key of {key.owner}"
        return Ignored("hearsay", refusal=Refusal(Reason.actor_not_key_owner, detail))
    _check_host_of(activity.actor, policy)
    _check_origins(activity)
    return Accepted(activity, key, body, False, forwarded_by=key.owner, is_unverified=True)


def identify(
    request: SignedRequest, policy: InboxPolicy, keys: KeyStore, now: datetime
) -> PublicKey:
    """Who signed a request that only reads: the key, which its owner's own document lists.

    Raises `Refusal`, for a host that is not allowed before anything is fetched.
    """
    signature = parse_signature(request)
    _check_host(signature, policy)
    check_body_and_date(request, signature, now)
    key = _signing_key(signature, keys.known(signature.key_id), keys, now)
    _check_key_origin(key)
    return key


@dataclass(frozen=True)
class VerifiedDocument:
    """A document that counts as it is embedded.

    `embedded_trusted`: it is an activity, embeds its object in turn, and may speak for it.
    """

    document: JsonObject
    embedded_trusted: bool


@dataclass(frozen=True)
class MustFetch:
    """What is told of `uri` is hearsay: it counts as it is at its own origin."""

    uri: str


def verify_embedded(
    told: str | JsonObject | None, teller: str, policy: InboxPolicy, keys: KeyStore, now: datetime
) -> VerifiedDocument | MustFetch:
    """Judge what `teller` passes on: an activity or object, by its id or embedded.

    It is believed where it is of the teller's origin, or where its own actor or author proves it.
    `teller` is the id of an actor; or that of what was fetched from there. Raises `Refusal`
    (host_not_allowed) before anything is fetched from a server not to be spoken with, (origin
    mismatch) for an activity whose actor may not do that, `DocumentError` for what cannot be read.
    """
    uri = id_of(told) or ""
    try:
        host = check_id(uri, policy.plain_http).authority
    except AddressError as error:
        raise DocumentError("object", "no usable id") from error
    if not policy.host_allowed(host):
        raise Refusal(Reason.host_not_allowed, host)
    if not isinstance(told, dict) or not _may_speak_for(uri, told):
        return MustFetch(uri)
    if not same_origin(uri, teller):
        try:
            _check_proof(told, keys, now)
        except Refusal:
            return MustFetch(uri)
    return VerifiedDocument(told, "actor" in told and _check_origins(Activity.parse(told)))


def _check_size_and_type(request: SignedRequest, policy: InboxPolicy) -> None:
    if len(request.body) > policy.max_bytes:
        raise Refusal(Reason.too_large, f"{len(request.body)} bytes")
    content_type = request.headers.get("content-type") or ""
    if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        raise Refusal(Reason.wrong_type, content_type[:100])


def _check_host(signature: Signature, policy: InboxPolicy) -> None:
    try:
        host = check_id(signature.key_id, policy.plain_http).authority
    except AddressError as error:
        raise Refusal(Reason.key_not_found, f"the key's id: {error}") from error
    if not policy.host_allowed(host):
        raise Refusal(Reason.host_not_allowed, host)


def _check_replay(signature: Signature, policy: InboxPolicy) -> None:
    """Of what is older, nobody could tell whether it is said again."""
    since = policy.history_start
    if since is not None and signature.is_older_than(since):
        raise Refusal(Reason.date_outside_window, "from a time of which nothing is remembered here")


def _parse_activity(request: SignedRequest, policy: InboxPolicy) -> Activity:
    document = parse_json(request.body)
    try:
        activity = Activity.parse(document)
        check_id(activity.id, policy.plain_http)
        check_id(activity.actor, policy.plain_http)
    except (DocumentError, AddressError) as error:
        raise Refusal(Reason.not_activity, error.safe_text) from error
    return activity


def _signing_key(
    signature: Signature, known: PublicKey | None, keys: KeyStore, now: datetime
) -> PublicKey:
    """The key that signed: the one known, or what it is now if the known one does not fit."""
    if known is not None:
        try:
            check_signature(signature, known, now)
        except Refusal:
            pass
        else:
            return known
    key = keys.fetch(signature.key_id)
    check_signature(signature, key, now)
    return key


def _check_key_origin(key: PublicKey) -> None:
    if not same_origin(key.key_id, key.owner):
        raise Refusal(Reason.key_not_owned, f"{key.owner} is of another origin than {key.key_id}")


def _check_forwarded(
    activity: Activity, sender: str, policy: InboxPolicy, keys: KeyStore, now: datetime
) -> PublicKey:
    """The key that proves an activity which somebody else sent."""
    if "proof" not in activity.raw:
        raise Refusal(Reason.actor_not_key_owner, f"{activity.actor}, key of {sender}")
    _check_host_of(activity.actor, policy)
    oldest = now - MAX_FORWARDED_AGE
    return _check_proof(activity.raw, keys, now, max(oldest, policy.history_start or oldest))


def _check_host_of(actor: str, policy: InboxPolicy) -> None:
    host = check_id(actor, policy.plain_http).authority
    if not policy.host_allowed(host):
        raise Refusal(Reason.host_not_allowed, host)


def _has_linked_data_signature(activity: Activity) -> bool:
    """Whether it is signed as Mastodon signs what others pass on."""
    return isinstance(activity.raw.get("signature"), dict)


def _check_proof(
    document: JsonObject, keys: KeyStore, now: datetime, oldest: datetime | None = None
) -> PublicKey:
    """The key that proves a document: the one known, or what it is now if that does not fit."""
    try:
        return check_proof(document, lambda key_id: _get_known_key(key_id, keys), now, oldest)
    except Refusal as refusal:
        if refusal.reason in PROOF_FORMAT_REASONS:
            raise
    return check_proof(document, keys.fetch, now, oldest)


def _get_known_key(key_id: str, keys: KeyStore) -> PublicKey:
    key = keys.known(key_id)
    if key is None:
        raise Refusal(Reason.key_not_found)
    return key


def _check_origins(activity: Activity) -> bool:
    """Check whom the actor may speak for; returns whether it may speak for the object it embeds."""
    if not same_origin(activity.id, activity.actor):
        raise Refusal(Reason.origin_mismatch, f"{activity.actor} sent {activity.id}")
    uri = activity.object_id
    if activity.type in OWN_OBJECT_TYPES and (uri is None or not same_origin(uri, activity.actor)):
        raise Refusal(Reason.origin_mismatch, f"{activity.actor}, {activity.type} of {uri}")
    return isinstance(activity.object, dict) and _may_speak_for(activity.actor, activity.object)


def _may_speak_for(actor: str, document: JsonObject) -> bool:
    """Whether an embedded object, its authors and its own actor are of the actor's origin."""
    authors = ids_of(document.get("attributedTo")) + ids_of(document.get("actor"))
    uri = document.get("id")
    return isinstance(uri, str) and all(same_origin(one, actor) for one in (uri, *authors))
