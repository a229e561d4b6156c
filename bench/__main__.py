"""Run the measurements, or those that are named."""

import sys
from collections.abc import Iterable

from bench import (
    deployed_inbox,
    documents,
    fanout,
    follow_burst,
    inbox,
    memory,
    search,
    signatures,
    sync,
)
from node import logs
from node.settings import Settings

MEASUREMENTS = {
    "signatures": signatures.measure,
    "inbox": inbox.measure,
    "as-run": deployed_inbox.measure,
    "documents": documents.measure,
    "fanout": fanout.measure,
    "followers": follow_burst.measure,
    "memory": memory.measure,
    "sync": sync.measure,
    "search": search.measure,
}


def main(arguments: list[str]) -> None:
    logs.configure(Settings(log_level="ERROR"))
    if arguments[:2] == ["inbox", "--as-run"]:
        print_results("as-run", deployed_inbox.measure(arguments[2:]))
        return
    unknown = set(arguments) - set(MEASUREMENTS)
    if unknown:
        sys.exit(
            f"There is no measurement {', '.join(sorted(unknown))}: {', '.join(MEASUREMENTS)}."
        )
    for name in arguments or MEASUREMENTS:
        print_results(name, MEASUREMENTS[name]())


def print_results(name: str, lines: Iterable[tuple[str, str]]) -> None:
    print(f"\n{name}")
    for what, figure in lines:
        print(f"  {what:<58} {figure}", flush=True)


# Measurements start processes of their own, which read this module too.
if __name__ == "__main__":
    main(sys.argv[1:])
