"""Finding out whether we hold the documents of plugins that a council has, and making it so.

What there is of each type is told with the digest of its projects: where nothing differs, nothing
more is asked for.
"""

from federation.digest import TypeDigest, combine, entry, type_id
from federation.errors import DocumentError
from node.catalogue.settling import Found, Settling, Subject
from node.councils.models import Council
from node.documents import service as documents
from node.federating import fetching
from node.runtime import Node

# One comparison asks for so many of one type; the next goes on.
MOST_ASKED = 500


def agree(
    node: Node, subject: Subject, address: str, told: dict[str, str] | None, found: Found
) -> bool:
    """Ask for what differs from what the council whose digest is at `address` has: `told` are the
    digests of its types, None where it does not say.

    Returns whether nothing is left to be asked for. What does not fit its type here would not fit
    the next time either.
    """
    if told is None:
        return True
    with node.reading() as session:
        held = documents.revisions(session, session.get_one(Council, subject.council_id))
    before, different = found.fetched + found.removed, 0
    settling = Settling(node, subject, found)
    for kind in sorted(node.hooks.documents):
        there = held.get(kind, {})
        if told.get(kind) != digest(there):
            different += _settle(node, settling, address, kind, there)
    found.different += different
    return not different or found.fetched + found.removed == before


def digest(entries: dict[str, str]) -> str | None:
    """The digest of these ids and revisions; None where there are none."""
    return combine(entry(uri, revision) for uri, revision in entries.items()) if entries else None


def _settle(node: Node, settling: Settling, address: str, kind: str, there: dict[str, str]) -> int:
    """Of one type; how many differ."""
    theirs = TypeDigest.parse(fetching.document(node, type_id(address, kind)))
    if (theirs.id, theirs.part_of) != (type_id(address, kind), address):
        raise DocumentError("partOf", "belongs to another digest")
    wanted = [uri for uri, revision in theirs.entries.items() if there.get(uri) != revision]
    gone = [uri for uri in there if uri not in theirs.entries]
    settling.ask(wanted[:MOST_ASKED], gone[:MOST_ASKED])
    return len(wanted) + len(gone)
