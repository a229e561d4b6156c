"""draft-cavage-http-signatures-12, as used in the fediverse."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime

from federation.errors import Refusal, RefusalReason
from federation.origin import host_of
from federation.signatures.algorithms import CAVAGE_ALGORITHMS_BY_NAME
from federation.signatures.body_digests import format_digest
from federation.signatures.dates import format_http_date, parse_http_date, parse_timestamp
from federation.signatures.keys import PrivateKey
from federation.signatures.parameters import parse_parameters
from federation.signatures.request import Headers, SignedRequest, request_target
from federation.signatures.signature import (
    Signature,
    SignatureCandidate,
    SignatureScheme,
    extra_signed_headers,
    join_signed_lines,
)
from federation.signatures.structured_fields import HeaderFieldError, decode_base64

MAX_COMPONENTS = 64
REQUEST_TARGET = "(request-target)"


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    key: PrivateKey,
    now: datetime,
) -> dict[str, str]:
    """Return Host, Date, Digest (with a body) and Signature for a request (draft section 4.1)."""
    signed = {"Host": Headers(headers).get("host") or host_of(url), "Date": format_http_date(now)}
    if body is not None:
        signed["Digest"] = format_digest(body)
    signed |= extra_signed_headers(headers)
    components = [REQUEST_TARGET, *(name.lower() for name in signed)]
    text = signing_string(components, method, request_target(url), Headers(signed))
    value = b64encode(key.sign(text)).decode()
    signed["Signature"] = (
        f'keyId="{key.key_id}",algorithm="{key.algorithm}",'
        f'headers="{" ".join(components)}",signature="{value}"'
    )
    return signed


def parse(request: SignedRequest) -> Signature:
    """Read the Signature header, without verifying it. Raises `Refusal`."""
    parameters = _parse_parameters(request.headers.get("signature") or "")
    key_id, value = parameters.get("keyId"), parameters.get("signature")
    if not key_id or not value:
        raise Refusal(RefusalReason.signature_malformed, "keyId or signature is missing")
    algorithm = parameters.get("algorithm")
    name = algorithm.lower() if algorithm is not None else None
    if name not in CAVAGE_ALGORITHMS_BY_NAME:
        raise Refusal(RefusalReason.signature_algorithm, str(name)[:100])
    components = parameters.get("headers", "date").lower().split(" ")
    _check_components(components, request, name)
    candidate = SignatureCandidate(
        value=_decode_value(value),
        texts=_signing_strings(components, request, parameters),
        algorithms=CAVAGE_ALGORITHMS_BY_NAME[name],
        created_times=_created_times(request, parameters),
        expires=_parse_time(parameters, "expires"),
        covered_components=frozenset(components),
    )
    return Signature(SignatureScheme.cavage, key_id, (candidate,))


def signing_string(
    components: Iterable[str],
    method: str,
    target: str,
    headers: Headers,
    parameters: Mapping[str, str] | None = None,
) -> bytes:
    """Build the signing string (draft section 2.3). Raises `Refusal` for an absent component."""
    lines = []
    for name in components:
        if name == REQUEST_TARGET:
            value: str | None = f"{method.lower()} {target}"
        elif name in {"(created)", "(expires)"}:
            value = (parameters or {}).get(name[1:-1])
        else:
            value = headers.get(name)
        if value is None:
            raise Refusal(RefusalReason.signature_incomplete, f"{name[:100]} is covered but absent")
        lines.append(f"{name}: {value}")
    return join_signed_lines(lines)


def _parse_parameters(header: str) -> dict[str, str]:
    try:
        return parse_parameters(header)
    except HeaderFieldError as error:
        raise Refusal(RefusalReason.signature_malformed, str(error)) from error


def _check_components(components: list[str], request: SignedRequest, algorithm: str | None) -> None:
    if len(components) > MAX_COMPONENTS or len(set(components)) != len(components):
        raise Refusal(RefusalReason.signature_malformed, "too many components, or one twice")
    if request.headers.get("date") is None:
        raise Refusal(RefusalReason.date_missing)
    required = [REQUEST_TARGET, "host", "date"]
    if request.has_content:
        required.append("digest")
        if request.headers.get("digest") is None:
            raise Refusal(RefusalReason.digest_missing)
    for name in required:
        if name not in components:
            raise Refusal(RefusalReason.signature_incomplete, f"{name} is not covered")
    # The draft forbids these two beside algorithms that predate them (section 2.3).
    if algorithm == "rsa-sha256" and {"(created)", "(expires)"} & set(components):
        raise Refusal(
            RefusalReason.signature_algorithm, "(created) and (expires) do not go with rsa-sha256"
        )


def _signing_strings(
    components: list[str], request: SignedRequest, parameters: Mapping[str, str]
) -> tuple[bytes, ...]:
    # Some servers sign the path with its query, some without.
    targets = dict.fromkeys((request.target, request.path))
    return tuple(
        signing_string(components, request.method, target, request.headers, parameters)
        for target in targets
    )


def _created_times(
    request: SignedRequest, parameters: Mapping[str, str]
) -> tuple[datetime | None, ...]:
    date = parse_http_date(request.headers.get("date") or "")
    return (date, _parse_time(parameters, "created")) if "created" in parameters else (date,)


def _parse_time(parameters: Mapping[str, str], name: str) -> datetime | None:
    if name not in parameters:
        return None
    text = parameters[name]
    timestamp = parse_timestamp(int(text)) if re.fullmatch("[0-9]{1,15}", text) else None
    if timestamp is None:
        raise Refusal(RefusalReason.signature_malformed, f"{name} is not a timestamp")
    return timestamp


def _decode_value(text: str) -> bytes:
    try:
        return decode_base64(text)
    except HeaderFieldError as error:
        raise Refusal(RefusalReason.signature_malformed, "the signature is not base64") from error
