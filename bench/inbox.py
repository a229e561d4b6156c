"""Activities verified and stored, beside a bare Flask view that takes the same requests."""

from collections.abc import Iterator
from itertools import count

from flask import Flask, request

from bench.nodes import measured_node, signed_like
from bench.rates import SECONDS, rate

# Signed before the clock runs: more than can be used up.
PREPARED = 4_000


def measure() -> Iterator[tuple[str, str]]:
    bare = Flask("bare")
    bare.post("/inbox")(lambda: (request.get_data(), 202))
    with measured_node() as (app, key):
        letters = [signed_like(key, number) for number in range(PREPARED)]
        for name, target in (("a bare Flask view", bare), ("verified and stored", app)):
            client, numbers = target.test_client(), count()

            def post(client=client, numbers=numbers) -> None:  # type: ignore[no-untyped-def]
                headers, body = letters[next(numbers)]
                answer = client.post(
                    "/inbox", base_url="https://aldermoor.test", headers=headers, data=body
                )
                assert answer.status_code == 202, answer.text

            yield f"{name}, one thread, no sockets", rate(post, min(SECONDS, 1.0))
