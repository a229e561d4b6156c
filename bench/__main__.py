"""Run the measurements, or those that are named."""

import sys

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
    names = " ".join(words).replace("inbox --as-run", "as-run").split()
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        sys.exit(
            f"There is no measurement {', '.join(sorted(unknown))}: {', '.join(MEASUREMENTS)}."
        )
    logs.configure(Settings(log_level="ERROR"))
    for name in names or MEASUREMENTS:
        print(f"\n{name}")
        for what, figure in MEASUREMENTS[name]():
            print(f"  {what:<58} {figure}")


# Measurements start processes of their own, which read this module too.
if __name__ == "__main__":
    main(sys.argv[1:])
