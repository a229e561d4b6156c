"""HTTP Message Signatures (RFC 9421), the subset used in the fediverse."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime

from federation.errors import Refusal, RefusalReason
from federation.origin import parse_origin
from federation.signatures.algorithms import RFC9421_ALGORITHMS_BY_NAME, KeyAlgorithm
from federation.signatures.body_digests import format_content_digest
from federation.signatures.dates import parse_timestamp
from federation.signatures.keys import PrivateKey
from federation.signatures.request import Headers, SignedRequest, request_target
from federation.signatures.signature import (
    Signature,
    SignatureCandidate,
    SignatureScheme,
    extra_signed_headers,
    join_signed_lines,
)
from federation.signatures.structured_fields import (
    DictionaryMember,
    HeaderFieldError,
    parse_dictionary,
    quote_string,
)

SIGNATURE_LABEL = "sig1"
# Signatures tried per request.
MAX_SIGNATURES = 3
ALGORITHM_NAMES = {KeyAlgorithm.rsa_sha256: "rsa-v1_5-sha256", KeyAlgorithm.ed25519: "ed25519"}

# The components of a request that are not headers (RFC 9421 section 2.2).
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
    """Return Content-Digest (with a body), Signature-Input and Signature (RFC 9421 section 3.1)."""
    origin = parse_origin(url)
    signed = {} if body is None else {"Content-Digest": format_content_digest(body)}
    signed |= extra_signed_headers(headers)
    request = SignedRequest(
        method,
        origin.scheme,
        origin.authority,
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
        "Signature-Input": f"{SIGNATURE_LABEL}={parameters}",
        "Signature": f"{SIGNATURE_LABEL}=:{value}:",
    }


def parse(request: SignedRequest) -> Signature:
    """Read Signature-Input and Signature, without verifying them. Raises `Refusal`.

    The first complete signature decides which key counts; other signatures by that key are
    candidates as well.
    """
    inputs = _parse_dictionary(request, "signature-input")
    values = _parse_dictionary(request, "signature")
    candidates_by_key: dict[str, list[SignatureCandidate]] = {}
    refusal = Refusal(RefusalReason.signature_malformed, "no signature has its input")
    for label in list(inputs)[:MAX_SIGNATURES]:
        if label in values:
            try:
                key_id, candidate = _parse_candidate(inputs[label], values[label], request)
            except Refusal as error:
                refusal = error
            else:
                candidates_by_key.setdefault(key_id, []).append(candidate)
    if not candidates_by_key:
        raise refusal
    key_id, candidates = next(iter(candidates_by_key.items()))
    return Signature(SignatureScheme.rfc9421, key_id, tuple(candidates))


def signature_base(
    components: tuple[str, ...], signature_params: str, request: SignedRequest
) -> bytes:
    """Build the signature base (RFC 9421 section 2.5). Raises `Refusal` for an absent component."""
    lines = []
    for name in components:
        derived = DERIVED_COMPONENTS.get(name)
        value = derived(request) if derived else request.headers.get(name)
        if value is None:
            raise Refusal(RefusalReason.signature_incomplete, f"{name[:100]} is covered but absent")
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {signature_params}')
    return join_signed_lines(lines)


def _parse_dictionary(request: SignedRequest, name: str) -> dict[str, DictionaryMember]:
    try:
        return parse_dictionary(request.headers.get(name) or "")
    except HeaderFieldError as error:
        raise Refusal(RefusalReason.signature_malformed, f"{name}: {error}") from error


def _parse_candidate(
    input_member: DictionaryMember, signature_member: DictionaryMember, request: SignedRequest
) -> tuple[str, SignatureCandidate]:
    """Return the key id and the candidate of one label, from its two dictionary members."""
    components = _parse_components(input_member)
    _check_components(components, request)
    key_id, created = input_member.parameters.get("keyid"), input_member.parameters.get("created")
    if not isinstance(key_id, str) or not key_id or not isinstance(signature_member.value, bytes):
        raise Refusal(RefusalReason.signature_malformed, "keyid or signature is missing")
    if created is None:
        raise Refusal(RefusalReason.date_missing, "created is missing")
    algorithm = input_member.parameters.get("alg")
    if not isinstance(algorithm, str | None) or algorithm not in RFC9421_ALGORITHMS_BY_NAME:
        raise Refusal(RefusalReason.signature_algorithm, str(algorithm)[:100])
    return key_id, SignatureCandidate(
        value=signature_member.value,
        texts=(signature_base(components, input_member.raw, request),),
        algorithms=RFC9421_ALGORITHMS_BY_NAME[algorithm],
        created_times=(_parse_time(created),),
        expires=_parse_time(input_member.parameters["expires"])
        if "expires" in input_member.parameters
        else None,
        covered_components=frozenset(components),
    )


def _parse_components(input_member: DictionaryMember) -> tuple[str, ...]:
    """The names of the covered components. Component parameters are not supported."""
    if not isinstance(input_member.value, tuple):
        raise Refusal(RefusalReason.signature_malformed, "not a list of components")
    names = []
    for item in input_member.value:
        name = item.value
        if not isinstance(name, str) or item.parameters or name != name.lower() or name in names:
            raise Refusal(RefusalReason.signature_malformed, f"component {str(name)[:100]}")
        if name.startswith("@") and name not in DERIVED_COMPONENTS:
            raise Refusal(RefusalReason.signature_malformed, f"component {name[:100]}")
        names.append(name)
    return tuple(names)


def _check_components(components: tuple[str, ...], request: SignedRequest) -> None:
    required = ["@method", "@target-uri"]
    if request.has_content:
        required.append("content-digest")
        if request.headers.get("content-digest") is None:
            raise Refusal(RefusalReason.digest_missing)
    for name in required:
        if name not in components:
            raise Refusal(RefusalReason.signature_incomplete, f"{name} is not covered")


def _parse_time(value: object) -> datetime:
    timestamp = parse_timestamp(value) if type(value) is int else None
    if timestamp is None:
        raise Refusal(RefusalReason.signature_malformed, "created or expires is not a timestamp")
    return timestamp


def _origin(request: SignedRequest) -> str:
    return str(parse_origin(f"{request.scheme}://{request.authority}"))
