"""The vocabularies that classify projects: capabilities, business areas, budget bands and more.

A word that only another node knows is stored, and shown as it is.
"""

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from node.projects.details import (
    Budget,
    Collaboration,
    EvidenceKind,
    LinkKind,
    RelationKind,
)

# Things that a council does in many services.
CAPABILITY_LABELS: Mapping[str, LazyString] = {
    "apply": _l("Applying and licensing"),
    "assess": _l("Assessing and deciding"),
    "book": _l("Booking and scheduling"),
    "case-management": _l("Managing cases"),
    "consult": _l("Consulting and engaging"),
    "content": _l("Publishing content"),
    "customer-contact": _l("Customer contact"),
    "data": _l("Data and insight"),
    "documents": _l("Documents and records"),
    "find": _l("Finding and searching"),
    "identity": _l("Identity and sign-in"),
    "integration": _l("Joining up systems"),
    "map": _l("Maps and places"),
    "mobile-working": _l("Mobile working"),
    "notify": _l("Notifying and messaging"),
    "pay": _l("Paying and billing"),
    "report": _l("Reporting problems"),
    "workplace": _l("Tools for staff"),
}
BUSINESS_AREA_LABELS: Mapping[str, LazyString] = {
    "adult-social-care": _l("Adult social care"),
    "benefits-and-council-tax": _l("Benefits and Council Tax"),
    "births-deaths-marriages": _l("Births, deaths and marriages"),
    "building-control": _l("Building control"),
    "business-and-economy": _l("Business and economy"),
    "children-and-families": _l("Children and families"),
    "climate-and-environment": _l("Climate and environment"),
    "community-safety": _l("Community safety"),
    "customer-services": _l("Customer services"),
    "democracy-and-elections": _l("Democracy and elections"),
    "digital-and-ict": _l("Digital and ICT"),
    "education-and-schools": _l("Education and schools"),
    "emergency-planning": _l("Emergency planning"),
    "environmental-health": _l("Environmental health"),
    "finance-and-procurement": _l("Finance and procurement"),
    "highways-and-streets": _l("Highways and streets"),
    "housing-and-homelessness": _l("Housing and homelessness"),
    "human-resources": _l("Human resources"),
    "legal-and-governance": _l("Legal and governance"),
    "leisure-and-culture": _l("Leisure and culture"),
    "libraries-and-archives": _l("Libraries and archives"),
    "licensing": _l("Licensing"),
    "parking-and-transport": _l("Parking and transport"),
    "parks-and-open-spaces": _l("Parks and open spaces"),
    "planning": _l("Planning"),
    "property-and-estates": _l("Property and estates"),
    "public-health": _l("Public health"),
    "waste-and-recycling": _l("Waste and recycling"),
}
BUDGET_LABELS: Mapping[Budget, LazyString] = {
    Budget.to_50k: _l("Up to £50,000"),
    Budget.to_100k: _l("£50,000 to £100,000"),
    Budget.to_250k: _l("£100,000 to £250,000"),
    Budget.to_500k: _l("£250,000 to £500,000"),
    Budget.to_1m: _l("£500,000 to £1 million"),
    Budget.over_1m: _l("More than £1 million"),
}
COLLABORATION_LABELS: Mapping[Collaboration, LazyString] = {
    Collaboration.share_ideas: _l("Share ideas"),
    Collaboration.open_to_conversation: _l("Open to conversation"),
    Collaboration.share_effort: _l("Share effort"),
    Collaboration.share_funding: _l("Share funding"),
}
LINK_KIND_LABELS: Mapping[LinkKind, LazyString] = {
    LinkKind.website: _l("Website"),
    LinkKind.repository: _l("Code repository"),
    LinkKind.board: _l("Board"),
    LinkKind.chat: _l("Chat"),
    LinkKind.assessment: _l("Service assessment"),
    LinkKind.other: _l("Something else"),
}
EVIDENCE_KIND_LABELS: Mapping[EvidenceKind, LazyString] = {
    EvidenceKind.interviews: _l("Interviews"),
    EvidenceKind.testing: _l("Testing with users"),
    EvidenceKind.analytics: _l("Analytics"),
    EvidenceKind.survey: _l("Survey"),
    EvidenceKind.feedback: _l("Feedback and complaints"),
    EvidenceKind.other: _l("Something else"),
}
# Labels of a relation on the page of the project that states it, and on the other's page.
RELATION_LABELS: Mapping[RelationKind, LazyString] = {
    RelationKind.identical: _l("The same as"),
    RelationKind.similar: _l("Similar to"),
    RelationKind.supersedes: _l("Replaces"),
    RelationKind.forked_from: _l("Based on"),
    RelationKind.merged_into: _l("Continued by"),
}
INVERSE_RELATION_LABELS: Mapping[RelationKind, LazyString] = {
    RelationKind.identical: _l("The same as"),
    RelationKind.similar: _l("Similar to"),
    RelationKind.supersedes: _l("Replaced by"),
    RelationKind.forked_from: _l("The basis for"),
    RelationKind.merged_into: _l("Continues the work of"),
}


def named(labels: Mapping[str, LazyString], word: str) -> str:
    """The label of a word; the word itself if it is not in the vocabulary."""
    return str(labels.get(word, word))
