"""Finding out whether we hold the documents of plugins that a council has, and making it so.

Of each type that a plugin here knows, one small question where nothing differs.
"""

from http import HTTPStatus

from federation.digest import TypeDigest, combine, entry, type_id
from federation.errors import DocumentError
from node.catalogue.settling import Found, Settling, Subject
from node.councils.models import Council
from node.documents import service as documents
from node.federating import fetching
from node.runtime import Node

# One comparison asks for so many of one type; the next goes on.
MOST_ASKED = 500
NOTHING_THERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def agree(node: Node, subject: Subject, digest: str, found: Found) -> bool:
    """Ask for what differs from what the council whose digest is at `digest` has of each type.

    Returns whether nothing is left to be asked for. What does not fit its type here would not fit
    the next time either.
    """
    agreed = True
    for kind in sorted(node.hooks.documents):
        before = found.fetched + found.removed
        different = _agree_on(node, subject, type_id(digest, kind), digest, kind, found)
        found.different += different
        agreed &= not different or found.fetched + found.removed == before
    return agreed


def _agree_on(
    node: Node, subject: Subject, address: str, digest: str, kind: str, found: Found
) -> int:
    """Of one type, which is at `address`; how many differed."""
    there = _listed(node, subject, kind)
    mine = combine(entry(uri, revision) for uri, revision in there.items())
    try:
        answer = fetching.if_changed(node, address, f'"{mine}"')
    except fetching.NotFetchedError as error:
        if error.status in NOTHING_THERE:  # an older Moothall, which does not say
            return 0
        raise
    if answer.document is None:
        return 0
    theirs = TypeDigest.parse(answer.document)
    if (theirs.id, theirs.part_of) != (address, digest):
        raise DocumentError("partOf", "not of this digest")
    wanted = [uri for uri, revision in theirs.entries.items() if there.get(uri) != revision]
    gone = [uri for uri in there if uri not in theirs.entries]
    Settling(node, subject, found).ask(wanted[:MOST_ASKED], gone[:MOST_ASKED])
    return len(wanted) + len(gone)


def _listed(node: Node, subject: Subject, kind: str) -> dict[str, str]:
    """What we hold of one type: ids and revisions."""
    with node.reading() as session:
        council = session.get_one(Council, subject.council_id)
        return documents.revisions(session, council, kind)
