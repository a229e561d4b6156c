"""Python imports this at its start, from PYTHONPATH: names below .test are on this machine.

No other name is known. Whoever asks for one is written to the file that STRANGE_NAMES names.
"""

import os
import socket
from pathlib import Path
from typing import Any

_look_up = socket.getaddrinfo


def getaddrinfo(host: bytes | str | None, *rest: Any, **more: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host or ""
    if name.endswith(".test"):
        return _look_up("127.0.0.1", *rest, **more)
    if name and name != "localhost" and not name.startswith("127."):
        with Path(os.environ["STRANGE_NAMES"]).open("a") as file:
            file.write(f"{name}\n")
        raise socket.gaierror(socket.EAI_NONAME, "not a name of this test")
    return _look_up(host, *rest, **more)


socket.getaddrinfo = getaddrinfo
