"""Many servers in one process, each with one council, which note when they are sent an Accept. Run
as `python -m bench.followed_servers FOLDER PORT NUMBER`; the key of all is in FOLDER.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path

from bench.follow_burst import loopback_address
from federation.signatures import PublicKey, public_pem
from federation.vocabulary import ActorDocument


class FollowedServers:
    """`accepts` is the file where they note `HOST MOMENT`, a line for each."""

    def __init__(self, folder: Path, port: int, number: int) -> None:
        self._pem = public_pem((folder / "key.pem").read_text())
        self._accepts_file = folder / "accepts"
        self._port = port
        self._addresses = [loopback_address(each) for each in range(number)]

    async def serve(self) -> None:
        server = await asyncio.start_server(
            self._handle_connection, self._addresses, self._port, backlog=128, limit=1_000_000
        )
        await server.serve_forever()

    async def _handle_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = dict(
                    line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
                )
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                writer.write(self._build_response(head.split(" ", 1)[0], fields["host"], body))
                await writer.drain()
        writer.close()

    def _build_response(self, method: str, host: str, body: bytes) -> bytes:
        if method == "POST":
            if json.loads(body)["type"] == "Accept":
                with self._accepts_file.open("a") as file:
                    file.write(f"{host} {time.time()}\n")
            return b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
        uri = f"http://{host}/actor"
        key = PublicKey(f"{uri}#main-key", uri, self._pem)
        actor = ActorDocument(uri, "Organization", f"http://{host}/inbox", public_keys=(key,))
        document = json.dumps(actor.dump()).encode()
        head = f"content-type: application/activity+json\r\ncontent-length: {len(document)}"
        return f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + document


if __name__ == "__main__":
    folder_argument, port_argument, count_argument = sys.argv[1:]
    asyncio.run(
        FollowedServers(Path(folder_argument), int(port_argument), int(count_argument)).serve()
    )
