"""Run the measurements, or those that are named."""

import sys
from collections.abc import Iterable

from bench import as_run, documents, fanout, followers, inbox, memory, search, signatures, sync
from node import logs
from node.settings import Settings

MEASUREMENTS = {
    "signatures": signatures.measure,
    "inbox": inbox.measure,
    "as-run": as_run.measure,
    "documents": documents.measure,
    "fanout": fanout.measure,
    "followers": followers.measure,
    "memory": memory.measure,
    "sync": sync.measure,
    "search": search.measure,
}


def main(words: list[str]) -> None:
    logs.configure(Settings(log_level="ERROR"))
    if words[:2] == ["inbox", "--as-run"]:
        tell("as-run", as_run.measure(words[2:]))
        return
    unknown = set(words) - set(MEASUREMENTS)
    if unknown:
        sys.exit(
            f"There is no measurement {', '.join(sorted(unknown))}: {', '.join(MEASUREMENTS)}."
        )
    for name in words or MEASUREMENTS:
        tell(name, MEASUREMENTS[name]())


def tell(name: str, lines: Iterable[tuple[str, str]]) -> None:
    print(f"\n{name}")
    for what, figure in lines:
        print(f"  {what:<58} {figure}", flush=True)


# Measurements start processes of their own, which read this module too.
if __name__ == "__main__":
    main(sys.argv[1:])
