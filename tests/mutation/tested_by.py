"""Which code is mutated, and which tests should notice a mutant of it.

The first entry whose prefix fits a module is its own. What notices soonest comes first: it runs
alone, and the others only if it noticed nothing. A folder stands for all its files. Tests run on
SQLite alone.
"""

from pathlib import Path
from typing import NamedTuple

PACKAGES = (
    "federation",
    "node/queue",
    "node/access",
    "node/database",
    "node/federating/inbound",
)
# Each package gives at least so many mutants to a large sample, or all it has.
LEAST = 20

LIBRARY = "tests/federation_library/"
INBOX = (
    "tests/refusals/test_accepted.py",
    "tests/refusals/test_refusals.py",
    "tests/refusals/test_replays.py",
    "tests/refusals/test_batches.py",
    "tests/refusals/test_caps.py",
    "tests/refusals/test_races.py",
    "tests/refusals/test_remembered.py",
    "tests/refusals/test_irrelevant_messages.py",
    "tests/federation/test_batches.py",
    "tests/federation/test_clock.py",
    "tests/federation/test_following.py",
)
KEYS = (
    "tests/refusals/test_keys.py",
    "tests/refusals/test_key_fetches.py",
    "tests/refusals/test_caps_of_all.py",
    "tests/refusals/test_accepted.py",
    "tests/refusals/test_refusals.py",
    "tests/federation/test_clock.py",
)
QUEUE = (
    "tests/federation/test_batches.py",
    "tests/jobs/test_isolation.py",
    "tests/jobs/test_group_commit.py",
    "tests/webhooks",
    "tests/notices/test_mail.py",
    "tests/federation/test_backfill.py",
    "tests/federation/test_fairness.py",
    "tests/faults/test_pruning.py",
    "tests/faults/test_long_removals.py",
    "tests/faults/test_long_writes.py",
)
DATABASE = (
    "tests/jobs/test_group_commit.py",
    "tests/web/test_turns.py",
    "tests/faults/test_two_writers.py",
    "tests/history",
    "tests/search/test_pages.py",
    "tests/pages/test_sent_twice.py",
    "tests/pages/test_writing.py",
    "tests/migrations",
)

TESTED_BY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("federation/acceptance", (LIBRARY + "test_acceptance.py", LIBRARY)),
    ("federation/council_digest", (LIBRARY + "test_digest.py", LIBRARY)),
    ("federation/followers", (LIBRARY + "test_followers.py", LIBRARY)),
    ("federation/origin", (LIBRARY + "test_origin.py", LIBRARY)),
    ("federation/proofs", (LIBRARY + "test_proofs.py", LIBRARY)),
    ("federation/retry", (LIBRARY + "test_retry.py", LIBRARY)),
    ("federation/signatures/cavage", (LIBRARY + "test_cavage.py", LIBRARY)),
    ("federation/signatures/key", (LIBRARY + "test_ownership.py", LIBRARY)),
    ("federation/signatures/rfc9421", (LIBRARY + "test_rfc9421.py", LIBRARY)),
    ("federation/signatures/structured", (LIBRARY + "test_structured_fields.py", LIBRARY)),
    ("federation/signatures", (LIBRARY + "test_signatures.py", LIBRARY)),
    ("federation/vocabulary/activities", (LIBRARY + "test_activities.py", LIBRARY)),
    ("federation/vocabulary/strict_json", (LIBRARY + "test_json.py", LIBRARY)),
    ("federation/vocabulary", (LIBRARY + "test_vocabulary.py", LIBRARY)),
    ("federation/webfinger", (LIBRARY + "test_webfinger.py", LIBRARY)),
    ("federation", (LIBRARY,)),
    ("node/queue/pruning", ("tests/faults/test_pruning.py", "tests/faults/test_long_removals.py")),
    ("node/queue", QUEUE),
    ("node/access", ("tests/pages/test_permissions.py", "tests/cli/test_roles.py", "tests/rest")),
    ("node/database", DATABASE),
    ("node/federating/inbound/keystore", KEYS),
    (
        "node/federating/inbound/newly_allowed",
        ("tests/federation/test_peers.py", "tests/federation/test_peer_lists.py"),
    ),
    (
        "node/federating/inbound/object_resolution",
        ("tests/federation/test_looked_up_first.py", "tests/refusals/test_belief.py", *INBOX),
    ),
    (
        "node/federating/inbound/server_discovery",
        ("tests/federation/test_peers.py", "tests/federation/test_moving.py", *INBOX),
    ),
    ("node/federating/inbound", INBOX),
)  # fmt: skip


class Tests(NamedTuple):
    """Tests that run together, in this order."""

    files: tuple[str, ...]
    is_library: bool  # they need no node, and start faster without its test kit


def find_tests(module: str, checkout: Path) -> list[Tests]:
    """The tests of `module`, a path below `checkout` such as `federation/retry.py`, in turn.

    Raises `LookupError` if `TESTED_BY` has no entry for it.
    """
    entries = (tests for prefix, tests in TESTED_BY if module.startswith(prefix))
    names = next(entries, None)
    if names is None:
        raise LookupError(f"tests/mutation/tested_by.py does not say what tests {module}.")
    return [_together(part, checkout) for part in (names[:1], names[1:]) if part]


def _together(names: tuple[str, ...], checkout: Path) -> Tests:
    files: dict[str, None] = {}
    for name in names:
        place = checkout / name
        found = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
        files.update(dict.fromkeys(str(path.relative_to(checkout)) for path in found))
    return Tests(tuple(files), all(name.startswith(LIBRARY) for name in files))
