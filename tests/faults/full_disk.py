"""What `test_full_disk` runs: two councils, of which the second has its data on a small disk.

Where that disk could not be mounted, the process of the second council may write to no file.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from node.access.permissions import OFFICER
from node.federating.models import DeliveryAttempt
from node.projects.models import Project
from node.testing.processes import wait_until
from tests.faults.councils import NAMES, Running, arrives_once, pair
from tests.faults.victims import no_room

TRIES = 10
CHUNK = 64 * 1024


@contextmanager
def disk_is_full(one: Running) -> Iterator[None]:
    folder = one.node.settings.data_dir
    if not folder.is_mount():
        with no_room(one.process):
            yield
        return
    filler = folder / "filler"
    try:
        for size in (CHUNK, 1):
            _fill(filler, size)
        yield
    finally:
        filler.unlink()


def _fill(file: Path, size: int) -> None:
    """Append until there is no room for so many bytes."""
    try:
        with file.open("ab", buffering=0) as filler:
            while filler.write(bytes(size)) == size:
                pass
    except OSError:
        return


def write(one: Running, title: str) -> int:
    """Publish a project; the status of the answer."""
    typed = {"summary": "S", "phase": "alpha", "brief": "B", "then": "publish"}
    try:
        one.people.submit("/projects/new", OFFICER, title=title, **typed)
    except AssertionError as error:
        return int(str(error).split()[1])
    return 303


def titles(one: Running) -> set[str]:
    with one.node.reading() as session:
        return set(session.scalars(select(Project.title)))


def answers(one: Running) -> set[int | None]:
    """What the other council answered to deliveries."""
    with one.node.reading() as session:
        return set(session.scalars(select(DeliveryAttempt.status)))


def main(folder: Path) -> None:
    databases = {name: f"sqlite:///{folder / name / 'moothall.db'}" for name in NAMES}
    with pair(folder, databases, as_program=False) as (here, there):
        before = here.publish()
        arrives_once(there, here, before)
        there.publish()  # the officer has signed in
        with disk_is_full(there):
            statuses = {title: write(there, title) for title in map(str, range(TRIES))}
            assert set(statuses.values()) <= {303, 503}, statuses
            assert 503 in statuses.values(), statuses
            assert before in there.people.visit("/projects?origin=others", OFFICER)
            sent = here.publish()
            wait_until(lambda: 503 in answers(here), "the other server is told to try again")
        assert answers(here) <= {202, 503}, answers(here)
        kept = {title for title, status in statuses.items() if status == 303}
        assert titles(there) & set(statuses) == kept
        assert write(there, "Afterwards") == 303
        arrives_once(there, here, before, sent, here.publish())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
