"""Compares our copy of a council's plugin documents with its own, and repairs it.

The digests per type come with the digest of projects, so types that do not differ cost nothing.
"""

from federation.council_digest import TypeDigest, combine, hash_entry, type_digest_uri
from federation.errors import DocumentError
from node.councils.models import Council
from node.federating.peers import fetching
from node.plugin_documents import service as documents
from node.runtime import Node
from node.sync.repair import ComparisonTarget, ReconcileReport, Repair

# Documents of one type fetched by one comparison; the next one continues.
MAX_FETCHED = 500


def reconcile(
    node: Node,
    target: ComparisonTarget,
    digest_url: str,
    type_digests: dict[str, str] | None,
    report: ReconcileReport,
) -> bool:
    """Fetch the differing documents of the council whose digest is at `digest_url`. `type_digests`
    are its digests by type; None if it publishes none.

    Returns whether nothing is left to fetch. Documents that are invalid here would be invalid next
    time, too, and do not count.
    """
    if type_digests is None:
        return True
    with node.reading() as session:
        held_by_type = documents.revisions_by_type(
            session, session.get_one(Council, target.council_id)
        )
    before, different = report.fetched_count + report.removed_count, 0
    repair = Repair(node, target, report)
    for kind in sorted(node.hooks.document_types):
        held_entries = held_by_type.get(kind, {})
        if type_digests.get(kind) != combine_entries(held_entries):
            different += _repair(node, repair, digest_url, kind, held_entries)
    report.difference_count += different
    return not different or report.fetched_count + report.removed_count == before


def combine_entries(entries: dict[str, str]) -> str | None:
    """The digest of ids and revisions; None if there are none."""
    return (
        combine(hash_entry(uri, revision) for uri, revision in entries.items()) if entries else None
    )


def _repair(
    node: Node, repair: Repair, digest_url: str, kind: str, stored_revisions: dict[str, str]
) -> int:
    """Fetch or remove the differing documents of one type. Returns how many differ."""
    theirs = TypeDigest.parse(fetching.fetch_document(node, type_digest_uri(digest_url, kind)))
    if (theirs.id, theirs.part_of) != (type_digest_uri(digest_url, kind), digest_url):
        raise DocumentError("partOf", "belongs to another digest")
    outdated = [
        uri for uri, revision in theirs.entries.items() if stored_revisions.get(uri) != revision
    ]
    unlisted = [uri for uri in stored_revisions if uri not in theirs.entries]
    repair.run(outdated[:MAX_FETCHED], unlisted[:MAX_FETCHED])
    return len(outdated) + len(unlisted)
