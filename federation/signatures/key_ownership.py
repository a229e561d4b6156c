"""Ownership of keys: a key counts only if the document at its owner's id lists it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from federation.errors import Refusal, RefusalReason
from federation.origin import same_origin, without_fragment
from federation.properties import JsonObject, id_of, ids_of, one_or_many
from federation.signatures.keys import MAX_LEN_PEM, PublicKey, multikey_to_pem

MAX_KEYS = 10
KEY_STRING_PROPERTIES = ("id", "publicKeyPem", "publicKeyMultibase")
KEY_LIST_PROPERTIES = ("publicKey", "verificationMethod", "assertionMethod")


@dataclass(frozen=True)
class OwnerToFetch:
    """The owner's document decides: fetch it from `owner` and pass it to `find_key_in`."""

    owner: str
    key_id: str

    def find_key_in(self, document: Mapping[str, Any]) -> PublicKey:
        """Return the key from the document fetched from `owner`. Raises `Refusal`."""
        if document.get("id") != self.owner:
            raise Refusal(RefusalReason.key_not_owned, f"{self.owner} has another id")
        return key_from_actor(document, self.key_id)


def strip_to_keys(document: Mapping[str, Any]) -> JsonObject:
    """Return only the properties about keys and their owner, which this module reads.

    Keeps caches of unknown servers' documents small.
    """
    stripped = _strip_key(document)
    for name in KEY_LIST_PROPERTIES:
        entries = one_or_many(document.get(name))[:MAX_KEYS]
        stripped[name] = [
            _strip_key(entry) if isinstance(entry, dict) else entry
            for entry in entries
            if isinstance(entry, dict | str)
        ]
    return stripped


def _strip_key(document: Mapping[str, Any]) -> JsonObject:
    owners = {name: id_of(document.get(name)) for name in ("owner", "controller")}
    values = {name: document.get(name) for name in KEY_STRING_PROPERTIES} | owners
    # One character more than the limit, so that a value that is too long stays too long.
    return {
        name: value[: MAX_LEN_PEM + 1] for name, value in values.items() if isinstance(value, str)
    }


def key_or_owner(document: Mapping[str, Any], key_id: str) -> PublicKey | OwnerToFetch:
    """Read the key `key_id` from the document at its address, without the fragment.

    That is the owner's document, or a document of the key alone, or a copy of the owner's document
    at another address. Only the owner's id is taken from the last two. Raises `Refusal`
    (key_not_owned, key_unusable).
    """
    uri = document.get("id")
    at_its_own_id = uri == without_fragment(key_id)
    if at_its_own_id and not _is_key(document):
        return key_from_actor(document, key_id)
    owner = id_of(document.get("owner") or document.get("controller")) if _is_key(document) else uri
    if not isinstance(owner, str) or not same_origin(owner, key_id):
        raise Refusal(
            RefusalReason.key_not_owned, "the key's document has no owner with its origin"
        )
    return OwnerToFetch(owner, key_id)


def key_from_actor(document: Mapping[str, Any], key_id: str) -> PublicKey:
    """Return the key that an actor's document lists under `key_id`.

    A `key_id` equal to the actor's id means the actor's first key. Raises `Refusal`
    (key_not_owned, key_unusable).
    """
    uri = document.get("id")
    if not isinstance(uri, str) or not same_origin(uri, key_id):
        raise Refusal(RefusalReason.key_not_owned, "the owner has another origin")
    for key in _iter_keys(document, uri):
        if key_id in {key.key_id, uri}:
            named_key = replace(key, key_id=key_id)
            named_key.check_usable()
            return named_key
    raise Refusal(RefusalReason.key_not_owned, f"{uri} does not list the key")


def listed_keys(document: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The usable keys that an actor's document lists as the actor's own."""
    uri = document.get("id")
    if not isinstance(uri, str):
        return ()
    keys = {key.key_id: key for key in _iter_keys(document, uri) if _is_usable(key)}
    return tuple(key for key in keys.values() if same_origin(key.key_id, uri))


def _is_key(document: Mapping[str, Any]) -> bool:
    return "publicKeyPem" in document or "publicKeyMultibase" in document


def _is_usable(key: PublicKey) -> bool:
    try:
        key.check_usable()
    except Refusal:
        return False
    return True


def _iter_keys(document: Mapping[str, Any], uri: str) -> Iterator[PublicKey]:
    """The keys in `publicKey` (the security vocabulary), `verificationMethod` (Controlled
    Identifiers 1.0; holds older keys that are still valid) and `assertionMethod` (FEP-521a).
    """
    entries = {name: one_or_many(document.get(name))[:MAX_KEYS] for name in KEY_LIST_PROPERTIES}
    asserting = ids_of(entries["assertionMethod"])
    for entry in chain.from_iterable(entries.values()):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            continue
        if id_of(entry.get("owner") or entry.get("controller")) not in {uri, None}:
            continue
        if pem := _find_pem(entry):
            yield PublicKey(entry["id"], uri, pem, is_assertion_method=entry["id"] in asserting)


def _find_pem(entry: Mapping[str, Any]) -> str | None:
    pem, multibase = entry.get("publicKeyPem"), entry.get("publicKeyMultibase")
    if isinstance(pem, str):
        return pem
    if not isinstance(multibase, str):
        return None
    try:
        return multikey_to_pem(multibase)
    except Refusal:
        return None
