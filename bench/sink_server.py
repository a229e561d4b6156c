"""A server that takes whatever is sent to it, under any of its names, over TLS. Run as
`python -m bench.sink_server PORT CERTIFICATE MILLISECONDS`, the last being how long
each answer takes.
"""

import asyncio
import ssl
import sys
from contextlib import suppress

ACCEPTED_RESPONSE = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"


async def handle_connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    """Requests on one connection, one after the other."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            if seconds:
                await asyncio.sleep(seconds)
            writer.write(ACCEPTED_RESPONSE)
            await writer.drain()
    writer.close()


async def serve(port: int, certificate: str, seconds: float) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(
        lambda reader, writer: handle_connection(reader, writer, seconds),
        "127.0.0.1",
        port,
        ssl=context,
        backlog=1024,
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) / 1000))
