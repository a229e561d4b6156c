"""HTTP Message Signatures (RFC 9421), the part that the fediverse speaks."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime

from federation.errors import Reason, Refusal
from federation.origin import parse_origin
from federation.signatures.algorithms import RFC9421_NAMES, Algorithm
from federation.signatures.body_digests import format_content_digest
from federation.signatures.dates import parse_timestamp
from federation.signatures.keys import PrivateKey
from federation.signatures.request import Headers, SignedRequest, request_target
from federation.signatures.signature import (
    Scheme,
    Signature,
    SignatureCandidate,
    extra_signed_headers,
    join_signed_lines,
)
from federation.signatures.structured_fields import (
    FieldError,
    Member,
    parse_dictionary,
    quote_string,
)

LABEL = "sig1"
# How many signatures of one request are tried.
MAX_SIGNATURES = 3
ALGORITHM_NAMES = {Algorithm.rsa_sha256: "rsa-v1_5-sha256", Algorithm.ed25519: "ed25519"}

# The components of a request that are no header (RFC 9421 section 2.2).
DERIVED_COMPONENTS: dict[str, Callable[[SignedRequest], str]] = {
    "@method": lambda request: request.method,
    "@target-uri": lambda request: f"{_origin(request)}{request.target}",
    "@authority": lambda request: parse_origin(_origin(request)).authority,
    "@scheme": lambda request: request.scheme,
    "@request-target": lambda request: request.target,
    "@path": lambda request: request.path,
    "@query": lambda request: f"?{request.query or ''}",
}


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    key: PrivateKey,
    now: datetime,
) -> dict[str, str]:
    """Content-Digest (with a body), Signature-Input and Signature (RFC 9421 section 3.1)."""
    here = parse_origin(url)
    signed = {} if body is None else {"Content-Digest": format_content_digest(body)}
    signed |= extra_signed_headers(headers)
    request = SignedRequest(
        method,
        here.scheme,
        here.authority,
        request_target(url),
        Headers({**headers, **signed}),
        body or b"",
    )
    components = ("@method", "@target-uri", *(name.lower() for name in signed))
    covered = " ".join(quote_string(name) for name in components)
    parameters = (
        f"({covered});created={int(now.timestamp())};keyid={quote_string(key.key_id)}"
        f";alg={quote_string(ALGORITHM_NAMES[key.algorithm])}"
    )
    value = b64encode(key.sign(signature_base(components, parameters, request))).decode()
    return {
        **signed,
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{value}:",
    }


def parse(request: SignedRequest) -> Signature:
    """What Signature-Input and Signature claim. Raises `Refusal`.

    Of several signatures, the first complete one says whose key it is; others by the same key are
    tried too.
    """
    inputs = _parse_dictionary(request, "signature-input")
    values = _parse_dictionary(request, "signature")
    found: dict[str, list[SignatureCandidate]] = {}
    refusal = Refusal(Reason.signature_malformed, "no signature has its input")
    for label in list(inputs)[:MAX_SIGNATURES]:
        if label in values:
            try:
                key_id, candidate = _parse_candidate(inputs[label], values[label], request)
            except Refusal as error:
                refusal = error
            else:
                found.setdefault(key_id, []).append(candidate)
    if not found:
        raise refusal
    key_id, candidates = next(iter(found.items()))
    return Signature(Scheme.rfc9421, key_id, tuple(candidates))


def signature_base(
    components: tuple[str, ...], signature_params: str, request: SignedRequest
) -> bytes:
    """The text that is signed (RFC 9421 section 2.5). Raises `Refusal` for an absent component."""
    lines = []
    for name in components:
        derived = DERIVED_COMPONENTS.get(name)
        value = derived(request) if derived else request.headers.get(name)
        if value is None:
            raise Refusal(Reason.signature_incomplete, f"{name[:100]} is covered but absent")
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {signature_params}')
    return join_signed_lines(lines)


def _parse_dictionary(request: SignedRequest, name: str) -> dict[str, Member]:
    try:
        return parse_dictionary(request.headers.get(name) or "")
    except FieldError as error:
        raise Refusal(Reason.signature_malformed, f"{name}: {error}") from error


def _parse_candidate(
    given: Member, value: Member, request: SignedRequest
) -> tuple[str, SignatureCandidate]:
    """The key id and the signature of one label."""
    components = _parse_components(given)
    _check_components(components, request)
    key_id, created = given.parameters.get("keyid"), given.parameters.get("created")
    if not isinstance(key_id, str) or not key_id or not isinstance(value.value, bytes):
        raise Refusal(Reason.signature_malformed, "keyid or signature is missing")
    if created is None:
        raise Refusal(Reason.date_missing, "created is missing")
    algorithm = given.parameters.get("alg")
    if not isinstance(algorithm, str | None) or algorithm not in RFC9421_NAMES:
        raise Refusal(Reason.signature_algorithm, str(algorithm)[:100])
    return key_id, SignatureCandidate(
        value=value.value,
        texts=(signature_base(components, given.raw, request),),
        algorithms=RFC9421_NAMES[algorithm],
        created_times=(_parse_time(created),),
        expires=_parse_time(given.parameters["expires"]) if "expires" in given.parameters else None,
        covered=frozenset(components),
    )


def _parse_components(given: Member) -> tuple[str, ...]:
    """The names of what is covered. Names with parameters are not understood."""
    if not isinstance(given.value, tuple):
        raise Refusal(Reason.signature_malformed, "no list of components")
    names = []
    for item in given.value:
        name = item.value
        if not isinstance(name, str) or item.parameters or name != name.lower() or name in names:
            raise Refusal(Reason.signature_malformed, f"component {str(name)[:100]}")
        if name.startswith("@") and name not in DERIVED_COMPONENTS:
            raise Refusal(Reason.signature_malformed, f"component {name[:100]}")
        names.append(name)
    return tuple(names)


def _check_components(components: tuple[str, ...], request: SignedRequest) -> None:
    required = ["@method", "@target-uri"]
    if request.has_content:
        required.append("content-digest")
        if request.headers.get("content-digest") is None:
            raise Refusal(Reason.digest_missing)
    for name in required:
        if name not in components:
            raise Refusal(Reason.signature_incomplete, f"{name} is not covered")


def _parse_time(value: object) -> datetime:
    moment = parse_timestamp(value) if type(value) is int else None
    if moment is None:
        raise Refusal(Reason.signature_malformed, "created or expires is no time")
    return moment


def _origin(request: SignedRequest) -> str:
    return str(parse_origin(f"{request.scheme}://{request.authority}"))
