"""Whose key it is: a key counts only if its owner's own document, at the owner's id, lists it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from federation.errors import Reason, Refusal
from federation.origin import same_origin, without_fragment
from federation.properties import JsonObject, id_of, ids_of, one_or_many
from federation.signatures.keys import MAX_LEN_PEM, PublicKey, multikey_to_pem

MAX_KEYS = 10
KEY_STRING_PROPERTIES = ("id", "publicKeyPem", "publicKeyMultibase")
KEY_LIST_PROPERTIES = ("publicKey", "verificationMethod", "assertionMethod")


@dataclass(frozen=True)
class OwnerToFetch:
    """The owner has to be asked: fetch the document at `owner`, then take the `key_in` it."""

    owner: str
    key_id: str

    def key_in(self, document: Mapping[str, Any]) -> PublicKey:
        """The key, as the document fetched from `owner` lists it. Raises `Refusal`."""
        if document.get("id") != self.owner:
            raise Refusal(Reason.key_not_owned, f"{self.owner} has another id")
        return key_from_actor(document, self.key_id)


def strip_to_keys(document: Mapping[str, Any]) -> JsonObject:
    """What a document says of keys and their owner, which is all that the functions here look at:
    so much of a stranger's document is kept, and no more.
    """
    kept = _strip_key(document)
    for name in KEY_LIST_PROPERTIES:
        listed = one_or_many(document.get(name))[:MAX_KEYS]
        kept[name] = [
            _strip_key(one) if isinstance(one, dict) else one
            for one in listed
            if isinstance(one, dict | str)
        ]
    return kept


def _strip_key(document: Mapping[str, Any]) -> JsonObject:
    owners = {name: id_of(document.get(name)) for name in ("owner", "controller")}
    values = {name: document.get(name) for name in KEY_STRING_PROPERTIES} | owners
    # One character more than is read: what is too long stays so.
    return {
        name: value[: MAX_LEN_PEM + 1] for name, value in values.items() if isinstance(value, str)
    }


def key_or_owner(document: Mapping[str, Any], key_id: str) -> PublicKey | OwnerToFetch:
    """Judge the document fetched from the address of the key `key_id`, without its fragment.

    It is the owner's own document, a document of the key alone, or an owner's document served in
    another place; of the last two only the owner's id is believed. Raises `Refusal`
    (key_not_owned, key_unusable).
    """
    uri = document.get("id")
    at_its_own_id = uri == without_fragment(key_id)
    if at_its_own_id and not _is_key(document):
        return key_from_actor(document, key_id)
    owner = id_of(document.get("owner") or document.get("controller")) if _is_key(document) else uri
    if not isinstance(owner, str) or not same_origin(owner, key_id):
        raise Refusal(Reason.key_not_owned, "the key's document names no owner of its origin")
    return OwnerToFetch(owner, key_id)


def key_from_actor(document: Mapping[str, Any], key_id: str) -> PublicKey:
    """The key that an actor's own document lists under `key_id`.

    A `key_id` that is the actor's own id, without a fragment, means the actor's first key. Raises
    `Refusal` (key_not_owned, key_unusable).
    """
    uri = document.get("id")
    if not isinstance(uri, str) or not same_origin(uri, key_id):
        raise Refusal(Reason.key_not_owned, "the owner is of another origin")
    for key in _iter_keys(document, uri):
        if key_id in {key.key_id, uri}:
            found = replace(key, key_id=key_id)
            found.check()
            return found
    raise Refusal(Reason.key_not_owned, f"{uri} does not list the key")


def listed_keys(document: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The usable keys that an actor's document lists as its own."""
    uri = document.get("id")
    if not isinstance(uri, str):
        return ()
    keys = {key.key_id: key for key in _iter_keys(document, uri) if _is_usable(key)}
    return tuple(key for key in keys.values() if same_origin(key.key_id, uri))


def _is_key(document: Mapping[str, Any]) -> bool:
    return "publicKeyPem" in document or "publicKeyMultibase" in document


def _is_usable(key: PublicKey) -> bool:
    try:
        key.check()
    except Refusal:
        return False
    return True


def _iter_keys(document: Mapping[str, Any], uri: str) -> Iterator[PublicKey]:
    """The keys under `publicKey` (the security vocabulary), `verificationMethod` (Controlled
    Identifiers 1.0; older ones that still count) and `assertionMethod` (FEP-521a).
    """
    listed = {name: one_or_many(document.get(name))[:MAX_KEYS] for name in KEY_LIST_PROPERTIES}
    asserting = ids_of(listed["assertionMethod"])
    for entry in chain.from_iterable(listed.values()):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            continue
        if id_of(entry.get("owner") or entry.get("controller")) not in {uri, None}:
            continue
        if pem := _find_pem(entry):
            yield PublicKey(entry["id"], uri, pem, asserts=entry["id"] in asserting)


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
