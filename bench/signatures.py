"""Signing and verifying one delivery, beside what RSA itself costs on this machine."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from bench.repetition import measure_rate
from federation.signatures import (
    Headers,
    PrivateKey,
    PublicKey,
    SignatureScheme,
    SignedRequest,
    generate_rsa,
    parse_signature,
    public_pem,
    sign,
    verify,
)

URL = "https://aldermoor.test/inbox"
BODY = b'{"type":"Create"}' * 100


def measure() -> Iterator[tuple[str, str]]:
    private = PrivateKey("https://brackwell.test/actor#main-key", generate_rsa())
    public = PublicKey(private.key_id, "https://brackwell.test/actor", public_pem(private.pem))
    moment = datetime.now(UTC)
    raw = private.sign(BODY)
    yield (
        "RSA-2048 signature alone (the limit of signing)",
        measure_rate(lambda: private.sign(BODY)),
    )
    yield (
        "RSA-2048 verification alone (the limit of verifying)",
        measure_rate(lambda: public.verifies(BODY, raw)),
    )
    for scheme in SignatureScheme:
        headers = sign("POST", URL, {}, BODY, private, moment, scheme)
        request = SignedRequest("POST", "https", "aldermoor.test", "/inbox", Headers(headers), BODY)
        yield (
            f"sign, {scheme.value}",
            measure_rate(partial(sign, "POST", URL, {}, BODY, private, moment, scheme)),
        )
        yield (
            f"read and verify, {scheme.value}",
            measure_rate(partial(_read_and_verify, request, public, moment)),
        )


def _read_and_verify(request: SignedRequest, key: PublicKey, moment: datetime) -> None:
    verify(request, parse_signature(request), key, moment)
