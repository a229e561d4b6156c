"""Finding out whether we hold the documents of plugins that a council has, and making it so.

What there is of each type is told with the digest of its projects: where nothing differs, nothing
more is asked for.
"""

from federation.digest import TypeDigest, combine, hash_entry, type_digest_uri
from federation.errors import DocumentError
from node.councils.models import Council
from node.federating import fetching
from node.plugin_documents import service as documents
from node.runtime import Node
from node.sync.repair import ComparisonTarget, ReconcileReport, Repair

# One comparison asks for so many of one type; the next goes on.
MAX_FETCHED = 500


def reconcile(
    node: Node,
    subject: ComparisonTarget,
    address: str,
    told: dict[str, str] | None,
    found: ReconcileReport,
) -> bool:
    """Ask for what differs from what the council whose digest is at `address` has: `told` are the
    digests of its types, None where it does not say.

    Returns whether nothing is left to be asked for. What does not fit its type here would not fit
    the next time either.
    """
    if told is None:
        return True
    with node.reading() as session:
        held = documents.revisions_by_type(session, session.get_one(Council, subject.council_id))
    before, different = found.fetched + found.removed, 0
    settling = Repair(node, subject, found)
    for kind in sorted(node.hooks.document_types):
        there = held.get(kind, {})
        if told.get(kind) != combine_entries(there):
            different += _repair(node, settling, address, kind, there)
    found.different += different
    return not different or found.fetched + found.removed == before


def combine_entries(entries: dict[str, str]) -> str | None:
    """The digest of these ids and revisions; None where there are none."""
    return (
        combine(hash_entry(uri, revision) for uri, revision in entries.items()) if entries else None
    )


def _repair(node: Node, settling: Repair, address: str, kind: str, there: dict[str, str]) -> int:
    """Of one type; how many differ."""
    theirs = TypeDigest.parse(fetching.fetch_document(node, type_digest_uri(address, kind)))
    if (theirs.id, theirs.part_of) != (type_digest_uri(address, kind), address):
        raise DocumentError("partOf", "belongs to another digest")
    wanted = [uri for uri, revision in theirs.entries.items() if there.get(uri) != revision]
    gone = [uri for uri in there if uri not in theirs.entries]
    settling.run(wanted[:MAX_FETCHED], gone[:MAX_FETCHED])
    return len(wanted) + len(gone)
